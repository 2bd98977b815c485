package kv2

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/tree"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func listFields() []logical.Field {
	return []logical.Field{
		pathField,
		{Name: "after", Type: logical.String, Help: "A list starts after this name, which need not be there."},
		{Name: "limit", Type: logical.Int, Help: "How many names a list has at most; all if it is not positive."},
	}
}

func detailedRoute() *logical.Route {
	return &logical.Route{
		Pattern: "detailed-metadata/*path", Fields: listFields(),
		Ops:      map[logical.Operation]logical.Handler{logical.List: detailed(list), logical.Scan: detailed(scan)},
		Synopsis: "Lists keys with what is known of each.",
	}
}

// list names what is directly in a folder.
func list(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	folder := tree.Folder(r.Params.Get("path"))
	keys, err := r.Storage.List(ctx, metaPrefix+folder, r.Data.String("after"), max(r.Data.Int("limit"), 0))
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

// scan names all keys in a folder and in the folders in it. None is an empty answer, not an error.
func scan(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var keys []string
	err := r.Storage.View(ctx, func(s storage.Reader) error {
		var err error
		keys, err = tree.Walk(ctx, s, metaPrefix+tree.Folder(r.Params.Get("path")))
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return &logical.Response{Data: map[string]any{}}, nil
	}
	return &logical.Response{Keys: keys}, nil
}

// detailed adds to the keys of a response what is known of each. A folder has what the key of its name has, if there is one,
// as in OpenBao.
func detailed(h logical.Handler) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		resp, err := h(ctx, r)
		if err != nil || len(resp.Keys) == 0 {
			return resp, err
		}
		folder := tree.Folder(r.Params.Get("path"))
		resp.KeyInfo = make(map[string]any, len(resp.Keys))
		for _, key := range resp.Keys {
			m, err := load(ctx, r.Storage, folder+strings.TrimSuffix(key, "/"))
			if err != nil {
				return nil, err
			}
			info := map[string]any{}
			if m != nil {
				info = m.settings()
			}
			resp.KeyInfo[key] = info
		}
		return resp, nil
	}
}
