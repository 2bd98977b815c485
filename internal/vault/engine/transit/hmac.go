package transit

import (
	"context"
	"crypto"
	"crypto/hmac"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func hmacRoute() *logical.Route {
	return &logical.Route{
		Pattern: "hmac/:name/*urlalgorithm",
		Fields: []logical.Field{
			nameField,
			{Name: "input", Type: logical.String, Help: "What to authenticate, in base64."},
			{Name: "algorithm", Type: logical.String, Default: defaultHash, Help: "One of " + algorithms + "; one in the path wins."},
			versionField, batchField,
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: hmacInput},
		Synopsis: "Make an HMAC of data",
	}
}

// hmacHash reads the algorithm of a request.
func hmacHash(r *logical.Request) (crypto.Hash, error) {
	name := urlAlgorithm(r)
	if name == "" {
		name = r.Data.String("algorithm")
	}
	h, ok := hashNamed(name)
	if !ok || h == 0 {
		return 0, logical.Invalid("unsupported algorithm %q", name)
	}
	return h, nil
}

// hmacKeyOf returns the HMAC key of a version.
func (k *key) hmacKeyOf(number int) ([]byte, error) {
	switch {
	case k.SoftDeleted:
		return nil, errSoftDeleted
	case number < 0:
		return nil, logical.Invalid("key version does not exist (cannot be negative)")
	case number > k.LatestVersion:
		return nil, logical.Invalid("key version does not exist; latest key version is %d", k.LatestVersion)
	}
	v, err := k.version(number)
	if err != nil {
		return nil, err
	}
	secret := v.HMACKey
	if k.Type == hmacKey {
		secret = v.Key
	}
	if len(secret) == 0 {
		return nil, logical.Invalid("no HMAC key exists for that key version")
	}
	return secret, nil
}

func macOf(h crypto.Hash, secret, input []byte) []byte {
	mac := hmac.New(h.New, secret)
	mac.Write(input)
	return mac.Sum(nil)
}

func hmacInput(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoEncryptionKey
	}
	number := r.Data.Int("key_version")
	if number == 0 {
		number = k.LatestVersion
	}
	if number != k.LatestVersion && number < k.MinEncryptionVersion {
		return nil, logical.Invalid("cannot generate HMAC: version is too old (disallowed by policy)")
	}
	secret, err := k.hmacKeyOf(number)
	if err != nil {
		return nil, err
	}
	h, err := hmacHash(r)
	if err != nil {
		return nil, err
	}
	make := func(text string) (string, error) {
		input, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", logical.Invalid("unable to decode input as base64: %s", err)
		}
		return string(base64.StdEncoding.AppendEncode(appendPrefix(nil, number), macOf(h, secret, input))), nil
	}
	if input := r.Data.Raw["batch_input"]; input != nil {
		return hmacBatch(input, make)
	}
	if !r.Data.Has("input") {
		return nil, errNoInput
	}
	text, err := make(r.Data.String("input"))
	if err != nil {
		return nil, err
	}
	return respond(append(appendString([]byte{'{'}, "hmac", text), '}')), nil
}

var errNoInput = logical.Invalid("missing input for HMAC")

// hmacBatch answers 200 whatever becomes of the items.
func hmacBatch(input any, make func(string) (string, error)) (*logical.Response, error) {
	items, err := texts(input)
	if err != nil {
		return nil, err
	}
	b := newBatch(160 * len(items))
	for _, it := range items {
		b.open()
		text, ok := it["input"]
		var err error = errNoInput
		if ok {
			text, err = make(text)
		}
		if err != nil {
			b.json = appendString(b.json, "error", itemText(err))
		} else {
			b.json = appendString(b.json, "hmac", text)
		}
		b.done(it["reference"])
	}
	return respond(append(b.json, ']', '}')), nil
}

// verifyHMACs answers for verify. In batches, "valid" is left out where it is false.
func verifyHMACs(ctx context.Context, r *logical.Request, items []map[string]string, single bool) (*logical.Response, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoEncryptionKey
	}
	h, err := hmacHash(r)
	if err != nil {
		return nil, err
	}
	if single {
		valid, err := k.verifyHMAC(h, items[0])
		if err != nil {
			return nil, err
		}
		return respond(append(appendBool([]byte{'{'}, "valid", valid), '}')), nil
	}
	b := newBatch(64 * len(items))
	for _, it := range items {
		b.open()
		valid, err := k.verifyHMAC(h, it)
		switch {
		case err != nil:
			b.json = appendString(b.json, "error", itemText(err))
		case valid:
			b.json = appendBool(b.json, "valid", true)
		}
		b.done(it["reference"])
	}
	return respond(append(b.json, ']', '}')), nil
}

func (k *key) verifyHMAC(h crypto.Hash, it map[string]string) (bool, error) {
	text, ok := it["input"]
	if !ok {
		return false, logical.Invalid("missing input")
	}
	input, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false, logical.Invalid("unable to decode input as base64: %s", err)
	}
	number, encoded, bad := parseEnvelope(it["hmac"])
	switch {
	case bad == noPrefix:
		return false, logical.Invalid("invalid HMAC to verify: no prefix")
	case bad != noDefect:
		return false, logical.Invalid("invalid HMAC: %s", bad)
	}
	given, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false, logical.Invalid("unable to decode verification HMAC as base64: %s", err)
	}
	switch {
	case number > k.LatestVersion:
		return false, logical.Invalid("invalid HMAC: %s", tooNew)
	case number < k.MinDecryptionVersion:
		return false, logical.Invalid("cannot verify HMAC: version is too old (disallowed by policy)")
	}
	secret, err := k.hmacKeyOf(number)
	if err != nil {
		return false, err
	}
	return hmac.Equal(macOf(h, secret, input), given), nil
}
