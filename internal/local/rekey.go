package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/session"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Rekey gives the vault a new root key under another seal, or under new material of the same kind. The steps are in such an
// order that at each the old or the new seal opens the vault: the new one is prepared and proved; one transaction puts the
// keyring under the new root key and stores the new record; what the old seal kept is removed last, and with it what an
// interrupted Rekey or Create has left.
func (v *Vault) Rekey(ctx context.Context, p seal.Provider) (err error) {
	unlock, err := lock(filepath.Join(v.Home, lockFile))
	if err != nil {
		return fmt.Errorf("locking %s: %w", v.Home, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := v.record(ctx, "vault.rekey", v.Seal.Type+" to "+p.Type()); err != nil {
		return err
	}
	left := &leftovers{v.Home, v.store, v.options.providers(v.Home)}
	if v.keepOldSeal {
		if err := left.drop(ctx, func(n note) bool { return n.Home != v.Home }); err != nil {
			return err
		}
		return v.rekey(ctx, left, p)
	}
	_ = left.sweep(ctx) // so that nothing gathers; what cannot be removed stays noted, and is reported below
	if err := left.note(ctx, v.Seal.Type, v.Seal.Blob); err != nil {
		return err
	}
	err = v.rekey(ctx, left, p)
	return errors.Join(err, left.sweep(ctx))
}

// rekey puts the new seal in force.
func (v *Vault) rekey(ctx context.Context, left *leftovers, p seal.Provider) error {
	root, err := crypt.GenerateKey(1)
	if err != nil {
		return err
	}
	defer root.Destroy()
	next, err := left.prepare(ctx, p, root, v.Seal.Generation+1)
	if err != nil {
		return err
	}
	if err := v.Barrier.Rekey(ctx, root, func(tx storage.Tx) error {
		if err := v.unchanged(ctx, tx); err != nil {
			return err
		}
		if err := tx.Delete(ctx, sealedKey); err != nil {
			return err
		}
		return seal.Store(ctx, tx, next)
	}); err != nil {
		return err
	}
	oldID, err := v.sessionID(ctx)
	if err != nil {
		return err
	}
	v.Seal = next
	return session.Drop(oldID)
}

// unchanged makes sure that nobody else has rekeyed the vault meanwhile.
func (v *Vault) unchanged(ctx context.Context, tx storage.Tx) error {
	now, err := seal.Load(ctx, tx)
	if err != nil {
		return err
	}
	if now.Generation != v.Seal.Generation {
		return fmt.Errorf("the vault was rekeyed by somebody else meanwhile; nothing was changed")
	}
	return nil
}

// Rotate makes new keys at every level, seals everything stored anew, and drops the old keys. It may be stopped at any point:
// the vault opens, and Rotate can be called again. progress hears what is being done and how far it is.
func (v *Vault) Rotate(ctx context.Context, progress func(what string, done, total int)) error {
	caller := v.options.Caller
	if _, err := v.Barrier.Rotate(ctx); err != nil {
		return err
	}
	if err := v.Platform.RotateOrganisation(ctx, caller); err != nil {
		return err
	}
	projects, err := v.Platform.Projects(ctx, caller)
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := v.Platform.RotateProject(ctx, caller, p.Slug, func(done, total int) { progress(p.Slug, done, total) }); err != nil {
			return err
		}
	}
	if err := v.Barrier.Reencrypt(ctx, func(done, total int) { progress("the vault", done, total) }); err != nil {
		return err
	}
	return v.Barrier.Prune(ctx)
}
