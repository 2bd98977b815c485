package transit

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func softDeleteRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/soft-delete",
		Fields:  []logical.Field{nameField},
		Ops: map[logical.Operation]logical.Handler{
			logical.Delete: softDelete(true, "key was already marked as soft deleted"),
		},
		Synopsis:    "Take a key out of use",
		Description: "The key keeps its versions and configuration but refuses to be used until soft-delete-restore.",
	}
}

func softRestoreRoute() *logical.Route {
	return &logical.Route{
		Pattern:  "keys/:name/soft-delete-restore",
		Fields:   []logical.Field{nameField},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: softDelete(false, "key was already restored")},
		Synopsis: "Put a soft-deleted key back into use",
	}
}

// softDelete sets whether the key is soft-deleted; already is the warning if it has been so before. A key that is not there
// answers nothing: 204.
func softDelete(deleted bool, already string) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		if k, err := named(ctx, r); err != nil || k == nil {
			return nil, err
		}
		var same bool
		k, err := change(ctx, r, errNoKey, func(k *key) (bool, error) {
			same = k.SoftDeleted == deleted
			k.SoftDeleted = deleted
			return !same, nil
		})
		response, err := describe(k, nil, err)
		if response != nil && same {
			response.Warnings = []string{already}
		}
		return response, err
	}
}
