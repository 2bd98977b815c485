package kv2

import (
	"context"
	"net/http"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

var pathField = logical.Field{Name: "path", Type: logical.String, Help: "Where the secret is."}

func dataRoute() *logical.Route {
	return &logical.Route{
		Pattern: "data/*path",
		Fields: []logical.Field{
			pathField,
			{Name: "version", Type: logical.Int, Help: "The version to read; the current one if it is missing or 0."},
			{Name: "options", Type: logical.Map, Help: `"cas" is the current version that the write expects, 0 for none.`},
			{Name: "data", Type: logical.Map, Help: "The secret; in a patch, what changes of it."},
		},
		Ops: map[logical.Operation]logical.Handler{
			logical.Read: readData, logical.Update: writeData, logical.Patch: patchData, logical.Delete: deleteCurrent,
		},
		Exists:   exists,
		Synopsis: "Reads, writes, patches and deletes secrets.",
		Description: "A write makes a new version. A patch is a JSON merge patch (RFC 7396) of the current version and makes a " +
			"new one as well. A delete marks the current version as deleted; it can be brought back.",
	}
}

func readData(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	m, n, e, err := find(ctx, r, r.Data.Int("version"))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return gone(map[string]any{"data": nil, "metadata": m.view(n)}), nil
	}
	return e.response(m, n)
}

// gone is 404 with what is known of a version whose secret is not to be had.
func gone(data map[string]any) *logical.Response {
	return &logical.Response{Status: http.StatusNotFound, Data: data}
}

// deleteCurrent marks the current version as deleted from now on.
func deleteCurrent(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, change(ctx, r, func(_ storage.Tx, m *metadata) (*metadata, error) {
		if m == nil {
			return nil, nil
		}
		v := m.version(m.Current)
		if v == nil || v.gone(r.Time) {
			return nil, nil
		}
		v.Deletion = moment(r)
		return m, nil
	})
}
