// Package kv1 is the key-value engine without versions: KV version 1 of Vault's API. A path holds an object, stored under
// v1/<path>; a write replaces it.
package kv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/rendered"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/tree"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/unversioned"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// DefaultTTL is the lease_duration of a secret that names none: 32 days.
const DefaultTTL = 2764800 * time.Second

const prefix = unversioned.Prefix

// New returns the engine. It gives no leases: its Backend has no Revoke, and the Lease of its responses is only a duration to
// be shown.
func New() *logical.Backend {
	return &logical.Backend{
		Type: "kv",
		Help: "Keeps objects under paths. It has no versions: a write replaces what was there.",
		Routes: []*logical.Route{{
			Pattern: "*path", AnyField: true,
			Fields: []logical.Field{{Name: "path", Type: logical.String, Help: "Where the secret is."}},
			Ops: map[logical.Operation]logical.Handler{
				logical.Read: read, logical.Update: write, logical.Delete: remove, logical.List: list, logical.Scan: scan,
			},
			Exists:   exists,
			Synopsis: "Reads, writes, lists and deletes secrets.",
			Description: "Of the members of a secret, \"ttl\", or else \"lease\", is shown as lease_duration: a hint to readers " +
				"when to read again. Nothing happens when it is over.",
		}},
	}
}

// secret is a decoded entry, shared between its readers.
type secret struct {
	object *rendered.Object
	ttl    time.Duration
}

func load(ctx context.Context, r *logical.Request) (*secret, error) {
	v, err := r.Storage.Decoded(ctx, prefix+r.Params.Get("path"), decode)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, ok := v.(*secret)
	if !ok {
		return nil, fmt.Errorf("reading a secret: %w: it was decoded as %T", storage.ErrCorrupt, v)
	}
	return s, nil
}

func decode(raw []byte) (any, error) {
	var members map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		// The decoder's text might show part of the secret.
		return nil, errors.Join(storage.ErrCorrupt, errors.New("decoding a secret"))
	}
	kept := append([]byte(nil), raw...)
	return &secret{object: rendered.New(kept, len(kept)), ttl: ttl(members)}, nil
}

// ttl is what a secret says of itself. What is no duration counts for nothing.
func ttl(members map[string]any) time.Duration {
	v, ok := members["ttl"]
	if !ok {
		v, ok = members["lease"]
	}
	if d, valid := logical.ParseDuration(v); ok && valid {
		return d
	}
	return DefaultTTL
}

func exists(ctx context.Context, r *logical.Request) (bool, error) {
	s, err := load(ctx, r)
	return s != nil, err
}

func read(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	s, err := load(ctx, r)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, logical.ErrNotFound
	}
	resp := s.object.Response()
	resp.Lease = &logical.Lease{TTL: s.ttl}
	return resp, nil
}

func write(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	path := r.Params.Get("path")
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if len(r.Data.Raw) == 0 {
		return nil, logical.Invalid("missing data fields")
	}
	return nil, unversioned.Change(ctx, r.Storage, func(tx storage.Tx) error { return logical.Put(ctx, tx, prefix+path, r.Data.Raw) })
}

func checkPath(path string) error {
	switch {
	case path == "":
		return logical.Invalid("missing path")
	case strings.HasSuffix(path, "/"):
		return logical.Invalid("cannot write to a path ending in '/'")
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".", "..":
			return logical.Invalid("relative paths not supported")
		}
	}
	return nil
}

func remove(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, unversioned.Change(ctx, r.Storage, func(tx storage.Tx) error { return tx.Delete(ctx, prefix+r.Params.Get("path")) })
}

// list names what is directly in a folder.
func list(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	keys, err := r.Storage.List(ctx, prefix+tree.Folder(r.Params.Get("path")), "", 0)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

// scan names all secrets in a folder and in the folders in it. None is an empty answer, not an error.
func scan(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var keys []string
	err := r.Storage.View(ctx, func(s storage.Reader) error {
		var err error
		keys, err = tree.Walk(ctx, s, prefix+tree.Folder(r.Params.Get("path")))
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
