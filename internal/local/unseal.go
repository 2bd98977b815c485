package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/seal/passphrase"
	"github.com/ArcadeLabsInc/zvault/internal/seal/session"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/seal/unsealenv"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// ShareCollector gets key shares from people.
type ShareCollector func(shares.Config) ([]shamir.Share, error)

// sealedKey holds a mark, in clear beside the seal, while a vault that could unseal itself shall not.
const sealedKey = "core/sealed"

// providers are all that this build has, as they open seals. A new one is one line here.
func (o Options) providers(home string) seal.Set {
	var ask func() ([]byte, error)
	if o.Passphrase != nil {
		ask = func() ([]byte, error) { return o.Passphrase("passphrase of the vault") }
	}
	var collect func(shares.Config) ([]shamir.Share, error)
	if o.Shares != nil {
		collect = o.Shares
	}
	return seal.SetOf(keyfile.Provider{Dir: home}, keychain.Provider{}, passphrase.Provider{Ask: ask}, unsealenv.Provider{}, &shares.Provider{Collect: collect})
}

// needsPerson reports whether a kind of seal cannot open by itself.
func needsPerson(kind string) bool { return kind == passphrase.Type || kind == shares.Type }

// unseal opens the barrier: with the root key if it is given, else with a session that Unseal has left, or by the seal itself.
func (v *Vault) unseal(ctx context.Context, root *crypt.Key) (err error) {
	if v.Seal, err = seal.Load(ctx, v.store); err != nil {
		return err
	}
	if root == nil {
		if root, err = v.rootKey(ctx); err != nil {
			return err
		}
		defer root.Destroy()
	}
	return v.Barrier.Unseal(ctx, root)
}

func (v *Vault) rootKey(ctx context.Context) (*crypt.Key, error) {
	if !needsPerson(v.Seal.Type) {
		if _, err := v.store.Get(ctx, sealedKey); !errors.Is(err, storage.ErrNotFound) {
			return nil, errors.Join(ErrSealed, err)
		}
		return seal.Open(ctx, v.Seal, v.options.providers(v.Home))
	}
	root, err := v.fromSession(ctx)
	if err == nil {
		return root, nil
	}
	if !errors.Is(err, session.ErrNone) && !errors.Is(err, session.ErrUnavailable) {
		return nil, err
	}
	root, err = seal.Open(ctx, v.Seal, v.options.providers(v.Home))
	if errors.Is(err, seal.ErrNeedsInput) {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	return root, err
}

// sessionID names a session after the vault and its seal, so that rekeying ends it.
func (v *Vault) sessionID(ctx context.Context) (string, error) {
	id, err := v.store.Get(ctx, idKey)
	return fmt.Sprintf("%s-%d", id, v.Seal.Generation), err
}

func (v *Vault) fromSession(ctx context.Context) (*crypt.Key, error) {
	id, err := v.sessionID(ctx)
	if err != nil {
		return nil, err
	}
	return session.Get(id)
}

// Unseal opens a sealed vault for the commands that follow. Where a person had to give a passphrase or shares, the system
// keeps the root key until ttl is over; a vault that can unseal itself just may again.
func Unseal(ctx context.Context, home string, o Options, ttl time.Duration) error {
	db, store, err := openDatabase(ctx, home, true)
	if err != nil {
		return err
	}
	v := &Vault{Home: home, options: o, db: db, store: store}
	return errors.Join(describe(v.keepUnsealed(ctx, ttl)), db.Close())
}

func (v *Vault) keepUnsealed(ctx context.Context, ttl time.Duration) (err error) {
	if v.Seal, err = seal.Load(ctx, v.store); err != nil {
		return err
	}
	root, err := seal.Open(ctx, v.Seal, v.options.providers(v.Home))
	if err != nil {
		return err
	}
	defer root.Destroy()
	if !needsPerson(v.Seal.Type) {
		return v.store.Update(ctx, func(tx storage.Tx) error { return tx.Delete(ctx, sealedKey) })
	}
	id, err := v.sessionID(ctx)
	if err != nil {
		return err
	}
	return session.Put(id, root, ttl)
}

// Lock seals the vault: it ends the session, or, for a vault that could unseal itself, marks it as not to. The second keeps
// this program from it and nobody who reads the key file or the keychain.
func (v *Vault) Lock(ctx context.Context) error {
	if err := v.record(ctx, "vault.seal", ""); err != nil {
		return err
	}
	if !needsPerson(v.Seal.Type) {
		return v.store.Update(ctx, func(tx storage.Tx) error { return tx.Put(ctx, sealedKey, []byte("1")) })
	}
	id, err := v.sessionID(ctx)
	if err != nil {
		return err
	}
	return session.Drop(id)
}
