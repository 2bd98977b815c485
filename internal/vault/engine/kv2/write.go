package kv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/mergepatch"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func writeData(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if err := checkPath(r.Params.Get("path")); err != nil {
		return nil, err
	}
	object, err := given(r)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encoding a secret: %w", err)
	}
	mount, err := settings(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	var resp *logical.Response
	err = change(ctx, r, func(tx storage.Tx, m *metadata) (*metadata, error) {
		if m == nil {
			m = &metadata{}
		}
		if err := checkCAS(r.Data, mount, m); err != nil {
			return nil, err
		}
		resp, err = appendVersion(ctx, r, tx, mount, m, data)
		return m, err
	})
	return resp, err
}

// given returns the object in the field data. It is nil for null, which is kept as such.
func given(r *logical.Request) (map[string]any, error) {
	if _, ok := r.Data.Raw["data"]; !ok {
		return nil, logical.Invalid("no data provided")
	}
	return r.Data.Map("data"), nil
}

// appendVersion stores data as the next version of m's key, removes the versions that are too old, and returns the answer.
func appendVersion(ctx context.Context, r *logical.Request, tx storage.Tx, mount *config, m *metadata, data []byte) (*logical.Response, error) {
	path, now := r.Params.Get("path"), moment(r)
	for _, n := range m.add(version{Created: now, Deletion: m.deletion(now, mount)}, mount) {
		if err := tx.Delete(ctx, entryName(path, n)); err != nil {
			return nil, err
		}
	}
	if err := logical.Put(ctx, tx, entryName(path, m.Current), &entry{Created: now, Data: data}); err != nil {
		return nil, err
	}
	return &logical.Response{Data: m.view(m.Current)}, nil
}

// patchData merges the given data into the current version's, which makes a new version.
func patchData(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	patch, err := given(r)
	if err != nil {
		return nil, err
	}
	mount, err := settings(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	var resp *logical.Response
	err = change(ctx, r, func(tx storage.Tx, m *metadata) (*metadata, error) {
		resp = missing()
		if m == nil {
			return nil, nil
		}
		if err := checkCAS(r.Data, mount, m); err != nil {
			return nil, err
		}
		v := m.version(m.Current)
		if v == nil {
			return nil, nil
		}
		if v.gone(r.Time) {
			resp = gone(m.view(m.Current))
			return nil, nil
		}
		data, err := patched(ctx, tx, r.Params.Get("path"), m.Current, patch)
		if err != nil {
			return nil, err
		}
		resp, err = appendVersion(ctx, r, tx, mount, m, data)
		return m, err
	})
	return resp, err
}

// patched returns what a patch makes of a version. Null on either side is refused, with the status that OpenBao has for it.
func patched(ctx context.Context, tx storage.Tx, path string, number uint64, patch map[string]any) ([]byte, error) {
	e, err := secret(ctx, tx, path, number)
	if err != nil {
		return nil, err
	}
	old, err := e.object()
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, logical.Fail(http.StatusInternalServerError, "resource does not exist")
	}
	if patch == nil {
		return nil, logical.Fail(http.StatusInternalServerError, "Invalid JSON Patch")
	}
	data, err := json.Marshal(mergepatch.Apply(old, patch))
	if err != nil {
		return nil, fmt.Errorf("encoding a secret: %w", err)
	}
	return data, nil
}

// object decodes the secret into a new map, nil for null. Numbers keep their digits.
func (e *entry) object() (map[string]any, error) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(string(e.Data)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		// The decoder's text might show part of the secret.
		return nil, errors.Join(storage.ErrCorrupt, errors.New("decoding a secret"))
	}
	return object, nil
}
