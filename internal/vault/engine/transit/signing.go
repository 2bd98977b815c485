package transit

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// signingFields are those that sign and verify share.
func signingFields() []logical.Field {
	return []logical.Field{
		nameField,
		{Name: "input", Type: logical.String, Help: "What is signed, in base64."},
		contextField, batchField,
		{Name: "hash_algorithm", Type: logical.String, Default: defaultHash, Help: "sha1, " + algorithms + ", or none with " +
			"prehashed and pkcs1v15; one in the path wins. Ed25519 hashes on its own."},
		{Name: "algorithm", Type: logical.String, Default: defaultHash, Help: "The former name of hash_algorithm."},
		{Name: "prehashed", Type: logical.Bool, Help: "Whether the input is a hash already."},
		{Name: "signature_algorithm", Type: logical.String, Help: "Of RSA: pss, which is the default, or pkcs1v15."},
		{Name: "marshaling_algorithm", Type: logical.String, Default: "asn1", Help: "asn1 as in X.509, or jws as in JSON Web Tokens."},
		{Name: "salt_length", Type: logical.String, Default: "auto", Help: "Of PSS: auto, hash, or a number of bytes."},
	}
}

func signRoute() *logical.Route {
	return &logical.Route{
		Pattern: "sign/:name/*urlalgorithm", Fields: append(signingFields(), versionField),
		Ops:      map[logical.Operation]logical.Handler{logical.Update: signInput},
		Synopsis: "Sign data",
	}
}

func verifyRoute() *logical.Route {
	return &logical.Route{
		Pattern: "verify/:name/*urlalgorithm",
		Fields: append(signingFields(),
			logical.Field{Name: "signature", Type: logical.String, Help: "What sign returned."},
			logical.Field{Name: "hmac", Type: logical.String, Help: "What hmac returned."}),
		Ops:      map[logical.Operation]logical.Handler{logical.Update: verifyInput},
		Synopsis: "Verify a signature or an HMAC",
	}
}

// signer is a request to sign or to verify.
type signer struct {
	k         *key
	m         manner
	prehashed bool
}

// newSigner loads the named key and reads how to sign. The messages speak of missing, and of what the key does not support.
func newSigner(ctx context.Context, r *logical.Request, missing, act string) (*signer, error) {
	name := urlAlgorithm(r)
	for _, field := range []string{"hash_algorithm", "algorithm"} {
		if name == "" {
			name = r.Data.String(field)
		}
	}
	if name == "" {
		name = defaultHash
	}
	s := &signer{prehashed: r.Data.Bool("prehashed")}
	var ok bool
	if s.m.hash, ok = hashNamed(name); !ok {
		return nil, logical.Invalid("invalid hash algorithm %q", name)
	}
	marshaling := r.Data.String("marshaling_algorithm")
	if marshaling != "asn1" && marshaling != "jws" {
		return nil, logical.Invalid("invalid marshaling type %q", marshaling)
	}
	s.m.jws = marshaling == "jws"
	s.m.scheme = r.Data.String("signature_algorithm")
	var err error
	if s.m.salt, err = saltLength(r.Data.String("salt_length")); err != nil {
		return nil, err
	}
	if s.k, err = named(ctx, r); err != nil {
		return nil, err
	}
	switch {
	case s.k == nil:
		return nil, logical.Invalid("%s", missing)
	case !s.k.Type.signs():
		return nil, logical.Invalid("key type %v does not support %s", s.k.Type, act)
	case s.m.hash == 0 && (!s.prehashed || s.m.scheme != "pkcs1v15"):
		return nil, logical.Invalid("hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15")
	}
	return s, nil
}

func saltLength(text string) (int, error) {
	switch strings.ToLower(text) {
	case "auto":
		return rsa.PSSSaltLengthAuto, nil
	case "hash":
		return rsa.PSSSaltLengthEqualsHash, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, logical.Invalid("salt length neither 'auto', 'hash', nor an int: %s", text)
	}
	if n < rsa.PSSSaltLengthEqualsHash {
		return 0, logical.Invalid("salt length is invalid: %d", n)
	}
	return n, nil
}

// prepare returns what is to be signed, and the context.
func (s *signer) prepare(it map[string]string) (input, context []byte, err error) {
	text, ok := it["input"]
	if !ok {
		return nil, nil, logical.Invalid("missing input")
	}
	if input, err = base64.StdEncoding.DecodeString(text); err != nil {
		return nil, nil, logical.Invalid("unable to decode input as base64: %s", err)
	}
	if s.k.Type.hashes() && !s.prehashed {
		input = sum(s.m.hash, input)
	}
	if context, err = base64.StdEncoding.DecodeString(it["context"]); err != nil {
		return nil, nil, errContext
	}
	return input, context, nil
}

func signInput(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	s, err := newSigner(ctx, r, "signing key not found", "signing")
	if err != nil {
		return nil, err
	}
	number := r.Data.Int("key_version")
	if input := r.Data.Raw["batch_input"]; input != nil {
		return s.signBatch(input, number)
	}
	input, context, err := s.prepare(map[string]string{"input": r.Data.String("input"), "context": r.Data.String("context")})
	if err != nil {
		return nil, err
	}
	signed, err := s.k.sign(number, context, input, s.m)
	if err != nil {
		return nil, fault("%s", itemText(err))
	}
	object := appendInt([]byte{'{'}, "key_version", signed.version)
	if signed.public != nil {
		object = appendString(object, "public_key", base64.StdEncoding.EncodeToString(signed.public))
	}
	return respond(append(appendString(object, "signature", signed.text), '}')), nil
}

// signBatch answers 200 whatever becomes of the items.
func (s *signer) signBatch(input any, number int) (*logical.Response, error) {
	items, err := texts(input)
	if err != nil {
		return nil, err
	}
	b := newBatch(256 * len(items))
	for _, it := range items {
		b.open()
		input, context, err := s.prepare(it)
		var signed *signature
		if err == nil {
			signed, err = s.k.sign(number, context, input, s.m)
		}
		if err != nil {
			b.json = appendInt(b.json, "key_version", 0)
			b.json = appendString(b.json, "error", itemText(err))
		} else {
			b.json = appendInt(b.json, "key_version", signed.version)
			b.json = appendString(b.json, "signature", signed.text)
			if signed.public != nil {
				b.json = appendString(b.json, "publickey", base64.StdEncoding.EncodeToString(signed.public))
			}
		}
		b.done(it["reference"])
	}
	return respond(append(b.json, ']', '}')), nil
}

func verifyInput(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	items, single, err := itemsToVerify(r)
	if err != nil {
		return nil, err
	}
	if _, ok := items[0]["hmac"]; ok {
		return verifyHMACs(ctx, r, items, single)
	}
	s, err := newSigner(ctx, r, "signature verification key not found", "verification")
	if err != nil {
		return nil, err
	}
	check := func(it map[string]string) (bool, error) {
		input, context, err := s.prepare(it)
		if err != nil {
			return false, err
		}
		return s.k.verify(context, input, it["signature"], s.m)
	}
	if single {
		valid, err := check(items[0])
		if err != nil {
			return nil, err
		}
		return respond(append(appendBool([]byte{'{'}, "valid", valid), '}')), nil
	}
	b := newBatch(64 * len(items))
	for _, it := range items {
		b.open()
		valid, err := check(it)
		b.json = appendBool(b.json, "valid", valid)
		if err != nil {
			b.json = appendString(b.json, "error", itemText(err))
		}
		b.done(it["reference"])
	}
	return respond(append(b.json, ']', '}')), nil
}

// itemsToVerify returns the items of a request, all with "signature" or all with "hmac". A signature wins over an HMAC beside it.
func itemsToVerify(r *logical.Request) (items []map[string]string, single bool, err error) {
	input := r.Data.Raw["batch_input"]
	if single = input == nil; single {
		it := map[string]string{"input": r.Data.String("input"), "context": r.Data.String("context")}
		for _, name := range []string{"signature", "hmac"} {
			if r.Data.Has(name) {
				it[name] = r.Data.String(name)
			}
		}
		items = []map[string]string{it}
	} else if items, err = texts(input); err != nil {
		return nil, false, err
	}
	var signatures, hmacs, neither int
	for _, it := range items {
		_, signature := it["signature"]
		_, hmac := it["hmac"]
		switch {
		case signature:
			delete(it, "hmac")
			signatures++
		case hmac:
			hmacs++
		default:
			neither++
		}
	}
	switch {
	case single && neither > 0:
		return nil, false, logical.Invalid("neither a 'signature' nor an 'hmac' were given to verify")
	case signatures > 0 && hmacs > 0:
		return nil, false, logical.Invalid("elements of batch_input must all provide 'signature' or all provide 'hmac'")
	case neither > 0 && signatures > 0:
		return nil, false, logical.Invalid("some elements of batch_input are missing 'signature'")
	case neither > 0 && hmacs > 0:
		return nil, false, logical.Invalid("some elements of batch_input are missing 'hmac'")
	case neither > 0:
		return nil, false, logical.Invalid("no batch_input elements have 'signature' or 'hmac'")
	}
	return items, single, nil
}
