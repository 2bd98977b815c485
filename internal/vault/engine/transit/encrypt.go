package transit

import (
	"context"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func encryptRoute() *logical.Route {
	return &logical.Route{
		Pattern: "encrypt/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "plaintext", Type: logical.String, Help: "What to encrypt, in base64."},
			contextField, versionField, associatedField, partialField, batchField,
			{Name: "type", Type: logical.String, Default: "aes256-gcm96", Help: "The type of the key if it is created."},
			{Name: "convergent_encryption", Type: logical.Bool, Help: "Whether the key, if it is created, gives equal ciphertexts for equal plaintexts and contexts."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Create: encrypt, logical.Update: encrypt},
		Exists:   keyExists,
		Synopsis: "Encrypt a plaintext or a batch of them",
		Description: "Encrypts with the latest version of the key, or the one asked for. A caller who may create gets a new key if there " +
			"is none of this name.",
	}
}

func keyExists(ctx context.Context, r *logical.Request) (bool, error) {
	if !validName(r.Params.Get("name")) { // the handler says so
		return false, nil
	}
	k, err := named(ctx, r)
	return k != nil, err
}

// plaintextSubject is what items of a batch to encrypt are about.
var plaintextSubject = subject{"plaintext", "missing plaintext to encrypt"}

func encrypt(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if input := r.Data.Raw["batch_input"]; input != nil {
		items, err := decodeItems(input, plaintextSubject)
		if err != nil {
			return nil, err
		}
		k, err := keyToEncrypt(ctx, r, items[0].context != "")
		if err != nil {
			return nil, err
		}
		return encryptBatch(k, items).finish(r.Data), nil
	}
	if !r.Data.Has("plaintext") {
		return nil, logical.Invalid("missing plaintext to encrypt")
	}
	it := item{
		text: r.Data.String("plaintext"), context: r.Data.String("context"), ad: r.Data.String("associated_data"),
		version: r.Data.Int("key_version"),
	}
	decoded, err := it.decodeContext()
	if err != nil {
		return nil, err
	}
	if r.Operation == logical.Create { // no key shall come of a request that is refused
		if _, err := base64.StdEncoding.DecodeString(it.text); err != nil {
			return nil, logical.Invalid("%s", err)
		}
	}
	k, err := keyToEncrypt(ctx, r, it.context != "")
	if err != nil {
		return nil, err
	}
	if err := k.accepts(&it); err != nil {
		return nil, err
	}
	return encrypted(k, &it, decoded)
}

// encrypted answers with the ciphertext of one item.
func encrypted(k *key, it *item, context []byte) (*logical.Response, error) {
	object := make([]byte, 0, 128+len(it.text)+len(it.text)/8)
	object = append(object, `{"ciphertext":"`...)
	object, number, err := k.encrypt(object, it, context)
	if err != nil {
		return nil, err
	}
	object = append(object, '"')
	return respond(append(appendInt(object, "key_version", number), '}')), nil
}

func encryptBatch(k *key, items []item) *batch {
	size := 0
	for i := range items {
		size += 2*len(items[i].text) + 128
	}
	b := newBatch(size)
	for i := range items {
		b.open()
		if err := encryptInto(b, k, &items[i]); err != nil {
			b.fail(err)
		} else {
			b.succeeded = true
		}
		b.done(items[i].reference)
	}
	return b
}

// encryptInto writes the ciphertext of one item into its result.
func encryptInto(b *batch, k *key, it *item) error {
	if _, err := base64.StdEncoding.DecodeString(it.text); err != nil {
		return logical.Invalid("%s", err)
	}
	context, err := it.decodeContext()
	if err != nil {
		return err
	}
	if err := k.accepts(it); err != nil {
		return err
	}
	return appendEncrypted(b, k, it, context)
}

func appendEncrypted(b *batch, k *key, it *item, context []byte) error {
	ciphertext, number, err := k.encrypt(nil, it, context)
	if err != nil {
		return err
	}
	b.json = appendString(b.json, "ciphertext", string(ciphertext))
	b.json = appendInt(b.json, "key_version", number)
	return nil
}

// keyToEncrypt returns the named key, a new one if there is none and the caller may create it.
func keyToEncrypt(ctx context.Context, r *logical.Request, derived bool) (*key, error) {
	if r.Operation == logical.Create {
		return upsert(ctx, r, derived)
	}
	k, err := named(ctx, r)
	if err == nil && k == nil {
		err = errNoEncryptionKey
	}
	return k, err
}

var errNoEncryptionKey = logical.Invalid("encryption key not found")

func upsert(ctx context.Context, r *logical.Request, derived bool) (*key, error) {
	convergent := r.Data.Bool("convergent_encryption")
	if convergent && !derived {
		return nil, logical.Invalid("convergent encryption requires derivation to be enabled, so context is required")
	}
	name := r.Data.String("type")
	kind, ok := kindNamed(name)
	switch {
	case ok && kind.isECDSA():
		return nil, logical.Invalid("key type %v not supported for this operation", name)
	case !ok || !kind.symmetric():
		return nil, logical.Invalid("unknown key type %v", name)
	}
	config, err := readConfig(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	if config.DisableUpsert {
		k, err := named(ctx, r)
		if err == nil && k == nil {
			err = errNoEncryptionKey
		}
		return k, err
	}
	return create(ctx, r, &key{Name: r.Params.Get("name"), Type: kind, Derived: derived, Convergent: convergent})
}
