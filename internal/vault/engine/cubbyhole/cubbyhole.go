// Package cubbyhole is the engine that gives every token a storage of its own, which nobody else can read and which ends with
// the token.
//
// A secret is stored under <hash of the token>/<path>; see logical.Token.Hash.
package cubbyhole

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/rendered"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/tree"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// New returns the engine.
func New() *logical.Backend {
	return &logical.Backend{
		Type: "cubbyhole",
		Help: "Keeps secrets for one token alone, until it is revoked or expires.",
		Routes: []*logical.Route{{
			Pattern: "*path", AnyField: true,
			Fields: []logical.Field{{Name: "path", Type: logical.String, Help: "Where the secret is."}},
			Ops: map[logical.Operation]logical.Handler{
				logical.Read: own(read), logical.Update: own(write), logical.Delete: own(remove), logical.List: own(list),
			},
			Exists:      exists,
			Synopsis:    "Reads, writes, lists and deletes the secrets of the asking token.",
			Description: "Every token sees only what it wrote itself.",
		}},
	}
}

// own calls h with the folder of the token that asks.
func own(h func(context.Context, *logical.Request, string) (*logical.Response, error)) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		folder, err := folder(r.Token)
		if err != nil {
			return nil, err
		}
		return h(ctx, r, folder)
	}
}

func folder(t *logical.Token) (string, error) {
	switch {
	case t == nil || t.Hash == "":
		return "", logical.Fail(http.StatusInternalServerError, "client token empty")
	case t.Batch:
		return "", logical.Invalid("cubbyhole operations are only supported by 'service' type tokens")
	case strings.Contains(t.Hash, "/"):
		return "", errors.New("hash of a token with a slash")
	}
	return t.Hash + "/", nil
}

func load(ctx context.Context, r *logical.Request, folder string) (*rendered.Object, error) {
	v, err := r.Storage.Decoded(ctx, folder+r.Params.Get("path"), decode)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o, ok := v.(*rendered.Object)
	if !ok {
		return nil, fmt.Errorf("reading a secret: %w: it was decoded as %T", storage.ErrCorrupt, v)
	}
	return o, nil
}

func decode(raw []byte) (any, error) {
	if !json.Valid(raw) {
		return nil, errors.Join(storage.ErrCorrupt, errors.New("decoding a secret"))
	}
	kept := append([]byte(nil), raw...)
	return rendered.New(kept, len(kept)), nil
}

func exists(ctx context.Context, r *logical.Request) (bool, error) {
	folder, err := folder(r.Token)
	if err != nil {
		return false, err
	}
	o, err := load(ctx, r, folder)
	return o != nil, err
}

func read(ctx context.Context, r *logical.Request, folder string) (*logical.Response, error) {
	if r.Params.Get("path") == "" {
		return nil, logical.Fail(http.StatusInternalServerError, "missing path")
	}
	o, err := load(ctx, r, folder)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, logical.ErrNotFound
	}
	return o.Response(), nil
}

func write(ctx context.Context, r *logical.Request, folder string) (*logical.Response, error) {
	path := r.Params.Get("path")
	if strings.HasSuffix(path, "/") {
		return nil, logical.Invalid("cannot write to a path ending in '/'")
	}
	if len(r.Data.Raw) == 0 {
		return nil, logical.Fail(http.StatusInternalServerError, "missing data fields")
	}
	if path == "" {
		return nil, logical.Fail(http.StatusInternalServerError, "missing path")
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".", "..":
			return nil, logical.Invalid("relative paths not supported")
		}
	}
	return nil, logical.Store(ctx, r.Storage, folder+path, r.Data.Raw)
}

func remove(ctx context.Context, r *logical.Request, folder string) (*logical.Response, error) {
	return nil, logical.Remove(ctx, r.Storage, folder+r.Params.Get("path"))
}

func list(ctx context.Context, r *logical.Request, folder string) (*logical.Response, error) {
	keys, err := r.Storage.List(ctx, folder+tree.Folder(r.Params.Get("path")), "", 0)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}
