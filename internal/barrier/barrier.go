// Package barrier encrypts everything that passes through it to a storage.Backend: values always, names wherever they are
// not our own fixed ones.
//
// A barrier is made once with [Initialize] and opened with [Barrier.Unseal], both with the root key, which seals the
// keyring. The keyring holds the generations of the key that seals values; [Barrier.Rotate] adds one, [Barrier.Reencrypt]
// brings what is stored up to it, [Barrier.Prune] drops those no longer needed, and [Barrier.Rekey] puts the keyring under
// another root key. Each of them leaves a barrier that opens, wherever it is stopped.
//
// A Barrier is itself a storage.Backend and safe for concurrent use; several processes may share one store.
package barrier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

var (
	// ErrSealed is returned by everything that needs keys while there are none.
	ErrSealed = errors.New("the vault is sealed")
	// ErrInitialized is returned by Initialize for a store that has a keyring.
	ErrInitialized = errors.New("the vault is initialized already")
	// ErrNotInitialized is returned by Unseal for a store without a keyring.
	ErrNotInitialized = errors.New("the vault is not initialized")
	// ErrWrongKey is returned by Unseal for a root key that does not open the keyring.
	ErrWrongKey = errors.New("this is not the vault's root key, or the keyring is damaged")
	// ErrNewer is returned for a keyring written by a later version.
	ErrNewer = errors.New("the vault was written by a newer version of zvault")
)

// Limits are lower than those of the store beneath, because what is sealed is longer. A name fits as long as its sealed form
// does; a single segment may have MaxSegment bytes, and each further slash costs some twenty more.
const (
	MaxValue   = storage.MaxValue - crypt.Overhead
	MaxSegment = 750
)

// Barrier is the encrypted view of a store.
type Barrier struct {
	store storage.Backend
	clock func() time.Time

	mu     sync.RWMutex
	ring   *keyring // nil while sealed
	root   *crypt.Key
	closed bool

	// usesMu is apart from mu because uses are taken inside transactions, which mu may be held to wait for.
	usesMu sync.Mutex
	uses   reservation
}

var _ storage.Backend = (*Barrier)(nil)

// New returns the barrier of a store, sealed.
func New(store storage.Backend) *Barrier { return &Barrier{store: store, clock: time.Now} }

// Initialize makes the keyring of a new vault under the root key. extra, if not nil, runs in the same transaction, so that
// what says how to get the root key is stored with it or not at all.
func Initialize(ctx context.Context, store storage.Backend, root *crypt.Key, extra func(storage.Tx) error) error {
	ring, err := newKeyring(time.Now())
	if err != nil {
		return fmt.Errorf("making the keyring: %w", err)
	}
	defer ring.destroy()
	return store.Update(ctx, func(tx storage.Tx) error {
		_, err := tx.Get(ctx, keyringKey)
		if err == nil {
			return ErrInitialized
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := ring.put(ctx, tx, root); err != nil {
			return err
		}
		if extra == nil {
			return nil
		}
		return extra(tx)
	})
}

// Unseal opens the keyring. The barrier keeps its own copy of the root key.
func (b *Barrier) Unseal(ctx context.Context, root *crypt.Key) error {
	kept, err := copyKey(root)
	if err != nil {
		return err
	}
	ring, err := loadKeyring(ctx, b.store, kept)
	if err != nil {
		kept.Destroy()
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop()
	b.ring, b.root = ring, kept
	return nil
}

func copyKey(k *crypt.Key) (copied *crypt.Key, err error) {
	err = k.Export(func(material []byte) error {
		copied, err = crypt.NewKey(k.ID(), append([]byte(nil), material...))
		return err
	})
	return copied, err
}

// Seal forgets all keys.
func (b *Barrier) Seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop()
}

// drop forgets the keys; b.mu is held.
func (b *Barrier) drop() {
	if b.ring == nil {
		return
	}
	b.ring.destroy()
	b.root.Destroy()
	b.ring, b.root = nil, nil
	b.forgetUses()
}

// Sealed reports whether keys are missing.
func (b *Barrier) Sealed() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.ring == nil
}

// Close closes the store, which waits for the calls under way, and seals the barrier.
func (b *Barrier) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	err := b.store.Close()
	b.Seal()
	return err
}

// keys returns the keyring, or ErrSealed.
func (b *Barrier) keys() (*keyring, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch {
	case b.closed:
		return nil, storage.ErrClosed
	case b.ring == nil:
		return nil, ErrSealed
	}
	return b.ring, nil
}

// reload reads the keyring again, because another process has added a generation.
func (b *Barrier) reload(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ring == nil {
		return ErrSealed
	}
	fresh, err := loadKeyring(ctx, b.store, b.root)
	if err != nil {
		return err
	}
	// The old ring may be in use by calls under way; its keys are left to the collector.
	b.ring = fresh
	b.forgetUses()
	return nil
}

// WrapKey seals a key of the level below, bound to aad.
func (b *Barrier) WrapKey(ctx context.Context, k *crypt.Key, aad []byte) (envelope []byte, err error) {
	err = b.sealing(ctx, func(ring *keyring, tx storage.Tx, g *grant) error {
		if err := g.use(ctx, tx, ring.values.ActiveID()); err != nil {
			return err
		}
		envelope, err = ring.values.Wrap(k, wrapAAD(aad))
		return err
	})
	return envelope, err
}

// UnwrapKey opens what WrapKey sealed.
func (b *Barrier) UnwrapKey(ctx context.Context, envelope, aad []byte) (*crypt.Key, error) {
	var k *crypt.Key
	err := b.withReload(ctx, func(ring *keyring) (err error) {
		k, err = ring.values.Unwrap(envelope, wrapAAD(aad))
		return err
	})
	return k, err
}

func wrapAAD(aad []byte) []byte { return append(crypt.AAD("barrier", "wrapped"), aad...) }

// withReload calls fn with the keyring, and again with a fresh one if it needs a generation that another process made.
func (b *Barrier) withReload(ctx context.Context, fn func(*keyring) error) error {
	ring, err := b.keys()
	if err != nil {
		return err
	}
	err = fn(ring)
	if !errors.Is(err, crypt.ErrUnknownKey) {
		return err
	}
	if err := b.reload(ctx); err != nil {
		return err
	}
	if ring, err = b.keys(); err != nil {
		return err
	}
	return fn(ring)
}

// DeriveKey returns the vault's key for a purpose. It stays the same through every rotation.
func (b *Barrier) DeriveKey(purpose string) (*crypt.Key, error) {
	ring, err := b.keys()
	if err != nil {
		return nil, err
	}
	return ring.derive.Derive(purpose)
}
