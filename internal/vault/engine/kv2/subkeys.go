package kv2

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func subkeysRoute() *logical.Route {
	return &logical.Route{
		Pattern: "subkeys/*path",
		Fields: []logical.Field{
			pathField,
			{Name: "version", Type: logical.Int, Help: "The version to read; the current one if it is missing or 0."},
			{Name: "depth", Type: logical.Int, Help: "How many levels are shown; all if it is missing or 0."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Read: readSubkeys},
		Synopsis: "Reads the names in a secret without its values.",
	}
}

func readSubkeys(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	m, n, e, err := find(ctx, r, r.Data.Int("version"))
	if err != nil {
		return nil, err
	}
	data := map[string]any{"subkeys": nil, "metadata": m.view(n)}
	if e == nil {
		return gone(data), nil
	}
	object, err := e.object()
	if err != nil {
		return nil, err
	}
	hideValues(object, r.Data.Int("depth"), 1)
	data["subkeys"] = object
	return &logical.Response{Data: data}, nil
}

// hideValues replaces what is not an object with something in it by null, and every object below the depth limit, 0 being
// none. object is at depth.
func hideValues(object map[string]any, limit, depth int) {
	for name, v := range object {
		inner, _ := v.(map[string]any)
		if len(inner) > 0 && (limit == 0 || depth < limit) {
			hideValues(inner, limit, depth+1)
		} else {
			object[name] = nil
		}
	}
}
