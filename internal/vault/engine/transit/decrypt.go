package transit

import (
	"context"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func decryptRoute() *logical.Route {
	return &logical.Route{
		Pattern: "decrypt/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "ciphertext", Type: logical.String, Help: "What encrypt returned."},
			contextField, associatedField, partialField, batchField,
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: decrypt},
		Synopsis: "Decrypt a ciphertext or a batch of them",
	}
}

func rewrapRoute() *logical.Route {
	return &logical.Route{
		Pattern: "rewrap/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "ciphertext", Type: logical.String, Help: "What encrypt returned."},
			contextField, versionField, batchField,
		},
		Ops:         map[logical.Operation]logical.Handler{logical.Update: rewrap},
		Synopsis:    "Encrypt ciphertexts anew",
		Description: "Decrypts and encrypts again with the latest version of the key, or the one asked for, without showing the plaintext.",
	}
}

var errNoCiphertext = logical.Invalid("missing ciphertext to decrypt")

func decrypt(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if input := r.Data.Raw["batch_input"]; input != nil {
		return decryptBatch(ctx, r, input)
	}
	it := item{text: r.Data.String("ciphertext"), context: r.Data.String("context"), ad: r.Data.String("associated_data")}
	if it.text == "" {
		return nil, errNoCiphertext
	}
	k, decoded, err := keyAndContext(ctx, r, &it)
	if err != nil {
		return nil, err
	}
	if err := k.accepts(&it); err != nil {
		return nil, err
	}
	plaintext, err := k.decrypt(&it, decoded)
	if err != nil {
		return nil, err
	}
	object := make([]byte, 0, 20+base64.StdEncoding.EncodedLen(len(plaintext)))
	object = append(object, `{"plaintext":"`...)
	object = base64.StdEncoding.AppendEncode(object, plaintext)
	return respond(append(object, '"', '}')), nil
}

// keyAndContext loads the named key and decodes the context of the only item.
func keyAndContext(ctx context.Context, r *logical.Request, it *item) (*key, []byte, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if k == nil {
		return nil, nil, errNoEncryptionKey
	}
	decoded, err := it.decodeContext()
	return k, decoded, err
}

func decryptBatch(ctx context.Context, r *logical.Request, input any) (*logical.Response, error) {
	items, err := decodeItems(input, subject{"ciphertext", "missing ciphertext to decrypt"})
	if err != nil {
		return nil, err
	}
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoEncryptionKey
	}
	size := 0
	for i := range items {
		size += len(items[i].text) + 64
	}
	b := newBatch(size)
	for i := range items {
		b.open()
		plaintext, err := openItem(k, &items[i])
		b.json = appendString(b.json, "plaintext", base64.StdEncoding.EncodeToString(plaintext))
		if err != nil {
			b.fail(err)
		} else {
			b.succeeded = true
		}
		b.done(items[i].reference)
	}
	return b.finish(r.Data), nil
}

func openItem(k *key, it *item) ([]byte, error) {
	if it.text == "" {
		return nil, errNoCiphertext
	}
	context, err := it.decodeContext()
	if err != nil {
		return nil, err
	}
	if err := k.accepts(it); err != nil {
		return nil, err
	}
	return k.decrypt(it, context)
}

func rewrap(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if input := r.Data.Raw["batch_input"]; input != nil {
		return rewrapBatch(ctx, r, input)
	}
	it := item{text: r.Data.String("ciphertext"), context: r.Data.String("context"), version: r.Data.Int("key_version")}
	if it.text == "" {
		return nil, errNoCiphertext
	}
	k, decoded, err := keyAndContext(ctx, r, &it)
	if err != nil {
		return nil, err
	}
	if err := k.again(&it, decoded); err != nil {
		return nil, err
	}
	return encrypted(k, &it, decoded)
}

// again turns an item to decrypt into one to encrypt.
func (k *key) again(it *item, context []byte) error {
	plaintext, err := k.decrypt(it, context)
	it.text = base64.StdEncoding.EncodeToString(plaintext)
	return err
}

// rewrapBatch keeps the status 200 although items are refused, but faults end the whole batch.
func rewrapBatch(ctx context.Context, r *logical.Request, input any) (*logical.Response, error) {
	items, err := decodeItems(input, subject{"ciphertext", ""})
	if err != nil {
		return nil, err
	}
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoEncryptionKey
	}
	b := newBatch(256 * len(items))
	for i := range items {
		it := &items[i]
		it.ad = "" // rewrap has none
		b.open()
		if err := rewrapInto(b, k, it); err != nil {
			if logical.StatusOf(err) >= 500 {
				return nil, err
			}
			b.json = appendString(b.json, "error", itemText(err))
		}
		b.done(it.reference)
	}
	return respond(append(b.json, ']', '}')), nil
}

func rewrapInto(b *batch, k *key, it *item) error {
	if it.text == "" {
		return errNoCiphertext
	}
	context, err := it.decodeContext()
	if err != nil {
		return err
	}
	if err := k.again(it, context); err != nil {
		return err
	}
	return appendEncrypted(b, k, it, context)
}
