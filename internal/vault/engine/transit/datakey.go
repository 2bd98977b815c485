package transit

import (
	"context"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func datakeyRoute() *logical.Route {
	return &logical.Route{
		Pattern: "datakey/:plaintext/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "plaintext", Type: logical.String, Help: `"plaintext" to get the data key itself as well, or "wrapped".`},
			contextField, versionField, associatedField,
			{Name: "bits", Type: logical.Int, Default: 256, Help: "The size of the data key: 128, 256 or 512."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: datakey},
		Synopsis: "Generate a data key",
	}
}

func datakey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	mode := r.Params.Get("plaintext")
	if mode != "plaintext" && mode != "wrapped" {
		return nil, logical.Invalid("Invalid path, must be 'plaintext' or 'wrapped'")
	}
	it := item{context: r.Data.String("context"), ad: r.Data.String("associated_data"), version: r.Data.Int("key_version")}
	decoded, err := it.decodeContext()
	if err != nil {
		return nil, errContext
	}
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoEncryptionKey
	}
	bits := r.Data.Int("bits")
	if bits != 128 && bits != 256 && bits != 512 {
		return nil, logical.Invalid("invalid bit length")
	}
	if it.ad != "" && !k.Type.symmetric() {
		return nil, logical.Invalid("'associated_data' provided for non-AEAD cipher suite %v", k.Type)
	}
	fresh := make([]byte, bits/8)
	fill(fresh)
	it.text = base64.StdEncoding.EncodeToString(fresh)
	ciphertext, number, err := k.encrypt(nil, &it, decoded)
	if err != nil {
		return nil, err
	}
	object := appendString([]byte{'{'}, "ciphertext", string(ciphertext))
	object = appendInt(object, "key_version", number)
	if mode == "plaintext" {
		object = appendString(object, "plaintext", it.text)
	}
	return respond(append(object, '}')), nil
}
