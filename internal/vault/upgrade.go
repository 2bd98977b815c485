package vault

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// errUpgrading is what a mount answers whose data is being brought to the form of another version, as Vault's clients know it.
var errUpgrading = logical.Invalid("Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period " +
	"and will resume service shortly.")

// Upgrade brings the data of a mount to the form that its backend reads, and opens the mount to requests. A mount that is not
// being upgraded is left as it is. What is broken off is taken up by the work in the background.
func (c *Core) Upgrade(ctx context.Context, path string, now time.Time) error {
	t, err := c.Table(ctx)
	if err != nil {
		return err
	}
	m := t.Mounts[path]
	if m == nil || !m.Upgrading {
		return nil
	}
	s := c.StorageOf(m)
	for more := true; more; {
		if more, err = c.BackendOf(m).Upgrade(ctx, s, now); err != nil {
			return err
		}
	}
	return c.ChangeMounts(ctx, func(t *Table, _ storage.Tx) error {
		for _, again := range t.Mounts { // it may have been moved meanwhile
			if again.UUID == m.UUID {
				again.Upgrading = false
			}
		}
		return nil
	})
}
