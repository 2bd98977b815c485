// Package transit is Vault's transit engine: cryptography as a service. Callers name a key and hand in data; keys stay here.
//
// Paths, fields, answers, statuses and the formats of ciphertexts, signatures and backups are those of OpenBao 2.5.5. Its file
// names say which path is where; key.go and version.go hold what a key is, store.go how it is kept, seal.go and sign.go what
// it does. A decoded key with its ciphers comes from logical.Storage and is shared by all requests.
package transit

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// New returns the engine. It holds no state.
func New() *logical.Backend {
	b := &logical.Backend{
		Type: "transit",
		Help: "The transit engine encrypts, decrypts, signs, verifies and hashes data with keys that it does not give away.",
		Routes: []*logical.Route{
			encryptRoute(), decryptRoute(), rewrapRoute(), datakeyRoute(), signRoute(), verifyRoute(), hmacRoute(), hashRoute(),
			listRoute(), keyRoute(), configRoute(), rotateRoute(), trimRoute(), softDeleteRoute(), softRestoreRoute(),
			importRoute(), importVersionRoute(), wrappingRoute(), exportRoute(), byokRoute(), backupRoute(), restoreRoute(),
			certificateRequestRoute(), certificateRoute(), agreeRoute(), cacheRoute(), keysConfigRoute(),
		},
		Periodic: rotateDue,
	}
	b.Routes = append(b.Routes, randomRoutes()...)
	for _, route := range b.Routes {
		for operation, h := range route.Ops {
			route.Ops[operation] = checked(h)
		}
	}
	return b
}

// checked refuses names that no key has before a handler sees them.
func checked(h logical.Handler) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		for i := range r.Params {
			switch r.Params[i].Name {
			case "name", "type", "plaintext", "source", "destination":
				if !validName(r.Params[i].Value) {
					return nil, logical.ErrUnsupportedPath
				}
			}
		}
		return h(ctx, r)
	}
}

// maxName is the length of the longest name: with what is put around it, it fits the storage.
const maxName = 512

// validName reports whether s consists of letters, digits and "_", and of "-" and "." within.
func validName(s string) bool {
	if len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		word := c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !word && (c != '-' && c != '.' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != ""
}

// Fields that several paths have.
var (
	nameField       = logical.Field{Name: "name", Type: logical.String, Help: "The name of the key."}
	contextField    = logical.Field{Name: "context", Type: logical.String, Help: "The context to derive with, in base64; required for derived keys."}
	versionField    = logical.Field{Name: "key_version", Type: logical.Int, Help: "The version of the key to use; 0: the latest."}
	associatedField = logical.Field{Name: "associated_data", Type: logical.String, Help: "Data, in base64, that is authenticated but not encrypted."}
	partialField    = logical.Field{Name: "partial_failure_response_code", Type: logical.Int, Help: "The status if only some items of a batch fail, instead of 400."}
	batchField      = logical.Field{Name: "batch_input", Type: logical.Any, Help: "A list of items, each with the fields of a single request, instead of one."}
)
