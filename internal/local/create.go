package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// idKey holds the vault's id, in clear beside the seal.
const idKey = "core/id"

// Create makes a vault in a directory, sealed by a provider. A directory with a vault in it is ErrExists and left alone.
// Stopped at any point it leaves either a whole vault or none, and can be called again.
func Create(ctx context.Context, home string, p seal.Provider, o Options) (err error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("making the vault's directory: %w", err)
	}
	unlock, err := lock(filepath.Join(home, lockFile))
	if err != nil {
		return fmt.Errorf("locking %s: %w", home, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	db, store, err := openDatabase(ctx, home, false)
	if err != nil {
		return err
	}
	root, err := initialize(ctx, store, &leftovers{home, store, o.providers(home)}, p)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer root.Destroy()
	if err := db.Close(); err != nil {
		return fmt.Errorf("making the vault: %w", err)
	}
	return recordCreation(ctx, home, root, p.Type(), o)
}

// initialize makes seal and keyring and returns the root key.
func initialize(ctx context.Context, store storage.Backend, left *leftovers, p seal.Provider) (*crypt.Key, error) {
	if _, err := seal.Load(ctx, store); !errors.Is(err, seal.ErrNoSeal) {
		if err == nil {
			err = ErrExists
		}
		return nil, err
	}
	_ = left.sweep(ctx) // so that nothing gathers; what cannot be removed stays noted, and doctor mentions it
	root, err := crypt.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	record, err := left.prepare(ctx, p, root, 1)
	if err != nil {
		return nil, err
	}
	err = barrier.Initialize(ctx, store, root, func(tx storage.Tx) error {
		if err := tx.Put(ctx, idKey, []byte(uuid.Must(uuid.NewV7()).String())); err != nil {
			return err
		}
		return seal.Store(ctx, tx, record)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the vault: %w", err), left.sweep(ctx))
	}
	_ = left.sweep(ctx) // removes the note of what is needed now
	return root, nil
}

// recordCreation opens the new vault, which makes its tables, and begins the audit log.
func recordCreation(ctx context.Context, home string, root *crypt.Key, kind string, o Options) error {
	v, err := open(ctx, home, o, root)
	if err != nil {
		return fmt.Errorf("opening the new vault: %w", err)
	}
	return errors.Join(v.record(ctx, "vault.create", kind), v.Close())
}

// record writes an entry about the vault itself. It must succeed before the act counts as done.
func (v *Vault) record(ctx context.Context, action, reason string) error {
	err := v.Audit.Record(ctx, audit.Entry{
		Actor: v.options.Caller.Actor, Client: v.options.Caller.Client, Action: action, Org: orgSlug, Outcome: audit.OK, Reason: reason,
	})
	if err != nil {
		return &platform.Error{Kind: platform.Unavailable, Message: "refusing, because the audit log cannot be written", Err: err}
	}
	return nil
}
