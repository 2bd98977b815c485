// Package unversioned is what the two key-value engines agree on: where version 1 keeps its secrets, and how these leave for
// version 2 when a mount is upgraded.
package unversioned

import (
	"context"
	"errors"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Prefix is before the path of a secret of version 1 in the mount's storage.
const Prefix = "v1/"

// leftName marks a mount whose secrets are on their way to version 2: a write that was let in before must not be left behind.
const leftName = "left"

// ErrLeft is what a write gets that comes too late, with the text that Vault's clients know.
var ErrLeft = logical.Invalid("Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period " +
	"and will resume service shortly.")

// Leave takes up to limit secrets out of a mount, for the engine that takes its place; none are returned when none are left.
// From the first call on nothing can be written. A Key is the secret's path, a Value its JSON object.
func Leave(ctx context.Context, tx storage.Tx, limit int) ([]storage.Entry, error) {
	if err := tx.Put(ctx, leftName, nil); err != nil {
		return nil, err
	}
	entries, err := tx.Scan(ctx, Prefix, "", limit)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if err := tx.Delete(ctx, entries[i].Key); err != nil {
			return nil, err
		}
		entries[i].Key = strings.TrimPrefix(entries[i].Key, Prefix)
	}
	return entries, nil
}

// Change runs a change of the mount unless its secrets have left.
func Change(ctx context.Context, s logical.Storage, fn func(storage.Tx) error) error {
	return s.Update(ctx, func(tx storage.Tx) error {
		_, err := tx.Get(ctx, leftName)
		if err == nil {
			return ErrLeft
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return fn(tx)
	})
}
