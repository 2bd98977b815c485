package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/snapshot"
)

const snapshotPurpose = "snapshots"

// Snapshot writes all that the vault stores to a temporary file, sealed as it is stored, and returns it to be read from its
// beginning. Closing it removes it.
func (c *Core) Snapshot(ctx context.Context) (io.ReadCloser, error) {
	key, err := c.barrier.DeriveKey(snapshotPurpose)
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	f, err := spool()
	if err != nil {
		return nil, err
	}
	err = c.options.Backend.View(ctx, func(r storage.Reader) error {
		if err := f.rewind(); err != nil {
			return err
		}
		return snapshot.Write(ctx, f, r, key, snapshot.Meta{Created: c.clock().UTC(), Version: c.options.Version})
	})
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("taking a snapshot: %w", err), f.Close())
	}
	return f, nil
}

// Restore replaces all that the vault stores by a snapshot, in one transaction. When the request that asks for it has been
// answered, the node is opened anew, or sealed if that needs somebody. Unless forced, the snapshot must be of this very vault.
func (c *Core) Restore(ctx context.Context, r io.Reader, force bool) error {
	f, err := spool()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing in it is needed any more
	if _, err := io.Copy(f, r); err != nil {
		return fmt.Errorf("receiving a snapshot: %w", err)
	}
	if err := c.checkSnapshot(f, force); err != nil {
		return err
	}
	err = c.options.Backend.Update(ctx, func(tx storage.Tx) error {
		if err := clearAll(ctx, tx); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return snapshot.Each(f, func(e storage.Entry) error { return tx.Put(ctx, e.Key, e.Value) })
	})
	if err != nil {
		return fmt.Errorf("restoring a snapshot: %w", err)
	}
	if c.options.Shared && !force { // after a forced one, the others cannot read the store until they are started anew
		if err := c.store.Leap(ctx); err != nil {
			return fmt.Errorf("telling the other nodes of a restored snapshot: %w", err)
		}
	}
	c.reopenNext.Store(true)
	return nil
}

// reopen opens the vault anew, with the keys that are in the store now, if that needs nobody; otherwise it stays sealed.
func (c *Core) reopen(ctx context.Context) {
	c.SealNow()
	if err := c.UnsealAuto(ctx); err != nil && !errors.Is(err, seal.ErrNeedsInput) {
		c.log.Error("the vault stays sealed after a snapshot was restored", "error", err)
	}
}

func (c *Core) checkSnapshot(f *spooled, force bool) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if force {
		_, err := snapshot.Check(f, nil)
		return err
	}
	key, err := c.barrier.DeriveKey(snapshotPurpose)
	if err != nil {
		return err
	}
	defer key.Destroy()
	_, err = snapshot.Check(f, key)
	return err
}

func clearAll(ctx context.Context, tx storage.Tx) error {
	for {
		entries, err := tx.Scan(ctx, "", "", 1000)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := tx.Delete(ctx, e.Key); err != nil {
				return err
			}
		}
	}
}

// spooled is a temporary file that is removed when it is closed. What is written to it is sealed.
type spooled struct{ *os.File }

func spool() (*spooled, error) {
	f, err := os.CreateTemp("", "zvault-snapshot-*")
	if err != nil {
		return nil, fmt.Errorf("making room for a snapshot: %w", err)
	}
	return &spooled{f}, nil
}

func (s *spooled) rewind() error {
	_, err := s.Seek(0, io.SeekStart)
	return errors.Join(err, s.Truncate(0))
}

// Close closes and removes the file.
func (s *spooled) Close() error { return errors.Join(s.File.Close(), os.Remove(s.Name())) }
