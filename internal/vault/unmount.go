package vault

import (
	"context"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// StorageOf is the part of the store that belongs to a mount.
func (c *Core) StorageOf(m *Mount) logical.Storage { return c.store.At(m.Prefix()) }

// Unmount takes a mount away: its leases are revoked, then nobody reaches it, then what it kept is deleted. For one that is not
// there it does nothing.
func (c *Core) Unmount(ctx context.Context, path string, now time.Time) error {
	t, err := c.Table(ctx)
	if err != nil {
		return err
	}
	m := t.Mounts[path]
	if m == nil {
		return nil
	}
	ids, err := c.leases.Below(ctx, path)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.RevokeLease(ctx, id, false, now); err != nil {
			return logical.Invalid("a lease of the mount could not be revoked, so it stays: %s", id)
		}
	}
	if m.Auth() {
		if err := c.revokeTokensOf(ctx, path, now); err != nil {
			return err
		}
	}
	if err := c.ChangeMounts(ctx, func(t *Table, _ storage.Tx) error {
		delete(t.Mounts, path)
		return nil
	}); err != nil {
		return err
	}
	return c.clear(ctx, m.Prefix())
}

// revokeTokensOf ends the tokens that an auth method has given.
func (c *Core) revokeTokensOf(ctx context.Context, path string, now time.Time) error {
	accessors, err := c.opened.tokens.Accessors(ctx, "", 0)
	if err != nil {
		return err
	}
	for _, a := range accessors {
		e, err := c.opened.tokens.ByAccessor(ctx, a, now)
		if err != nil || !strings.HasPrefix(e.Path, path) {
			continue // ended meanwhile, or another's
		}
		if err := c.RevokeToken(ctx, e.Hash, now); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes everything below a prefix, some at a time.
func (c *Core) clear(ctx context.Context, prefix string) error {
	for {
		left := false
		err := c.root.Update(ctx, func(tx storage.Tx) error {
			entries, err := tx.Scan(ctx, prefix, "", 500)
			if err != nil {
				return err
			}
			left = len(entries) > 0
			for _, e := range entries {
				if err := tx.Delete(ctx, e.Key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || !left {
			return err
		}
	}
}
