package transit

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func listRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys",
		Fields: []logical.Field{
			{Name: "after", Type: logical.String, Help: "Where to begin listing: after this name, which need not exist."},
			{Name: "limit", Type: logical.Int, Help: "How many names to return at most; 0: all."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.List: listKeys},
		Synopsis: "List keys",
	}
}

func listKeys(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	names, err := r.Storage.List(ctx, policyPrefix, r.Data.String("after"), max(r.Data.Int("limit"), 0))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: names}, nil
}

func keyRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "type", Type: logical.String, Default: "aes256-gcm96", Help: "The type of the key."},
			{Name: "derived", Type: logical.Bool, Help: "Whether each request uses a key derived from a context."},
			{Name: "convergent_encryption", Type: logical.Bool, Help: "Whether equal plaintexts and contexts give equal ciphertexts; needs derived."},
			{Name: "exportable", Type: logical.Bool, Help: "Whether the key may leave the engine."},
			{Name: "allow_plaintext_backup", Type: logical.Bool, Help: "Whether the key may be backed up."},
			{Name: "context", Type: logical.String, Help: "When reading a derived key: the context, in base64, whose public key is wanted."},
			{Name: "auto_rotate_period", Type: logical.Seconds, Help: "How old the latest version may get before the key is rotated; 0: any age, else an hour at least."},
			{Name: "key_size", Type: logical.Int, Help: "The size of an HMAC key in bytes, 32 to 512."},
		},
		Ops:         map[logical.Operation]logical.Handler{logical.Update: createKey, logical.Read: readKey, logical.Delete: deleteKey},
		Synopsis:    "Create, read or delete a key",
		Description: "A key is deleted only if its configuration allows it. Soft deletion, which can be undone, is a path of its own.",
	}
}

var errPeriod = logical.Invalid("auto rotate period must be 0 to disable or at least an hour")

// period reads auto_rotate_period.
func period(d logical.Data) (time.Duration, error) {
	period := d.Duration("auto_rotate_period")
	if period != 0 && period < time.Hour {
		return 0, errPeriod
	}
	return period, nil
}

func createKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	d := r.Data
	k := &key{
		Name: r.Params.Get("name"), Derived: d.Bool("derived"), Convergent: d.Bool("convergent_encryption"),
		Exportable: d.Bool("exportable"), AllowPlaintextBackup: d.Bool("allow_plaintext_backup"), KeySize: d.Int("key_size"),
	}
	var err error
	if k.AutoRotatePeriod, err = period(d); err != nil {
		return nil, err
	}
	if k.Convergent && !k.Derived {
		return nil, logical.Invalid("convergent encryption requires derivation to be enabled")
	}
	var ok bool
	if k.Type, ok = kindNamed(d.String("type")); !ok {
		return nil, logical.Invalid("unknown key type %v", d.String("type"))
	}
	switch {
	case k.KeySize == 0:
	case k.Type != hmacKey:
		return nil, logical.Invalid("key_size is not valid for algorithm %v", k.Type)
	case k.KeySize < minHMACKey || k.KeySize > maxHMACKey:
		return nil, logical.Invalid("invalid key_size %d", k.KeySize)
	}
	k, err = create(ctx, r, k)
	return describe(k, nil, err)
}

func readKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, logical.ErrNotFound
	}
	context, err := base64.StdEncoding.DecodeString(r.Data.String("context"))
	if err != nil {
		return nil, errContext
	}
	return describe(k, context, nil)
}

var errContext = logical.Invalid("failed to base64-decode context")

func deleteKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		k, err := get(ctx, tx, name)
		switch {
		case err != nil:
			return err
		case k == nil:
			return logical.Invalid("error deleting policy %s: could not delete key; not found", name)
		case !k.DeletionAllowed:
			return logical.Invalid("error deleting policy %s: deletion is not allowed for this key", name)
		}
		return erase(ctx, tx, name)
	})
}
