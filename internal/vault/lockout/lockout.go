// Package lockout stops listening, for a while, to a name whose password is guessed at.
//
// Wrong passwords are counted in memory, on each node by itself. A name that is locked is in the store, so that every node
// refuses it and a restart does not help the guesser.
package lockout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Limits say when a name is locked.
type Limits struct {
	Threshold int           // wrong passwords in a row
	Duration  time.Duration // how long the lock lasts
	Reset     time.Duration // a count without another wrong password is forgotten after this
	Disabled  bool
}

// Defaults are Vault's.
func Defaults() Limits {
	return Limits{Threshold: 5, Duration: 15 * time.Minute, Reset: 15 * time.Minute}
}

// Lock is a name that is locked.
type Lock struct {
	Accessor string    `json:"accessor"` // of the auth method
	Name     string    `json:"name"`
	Until    time.Time `json:"until"`
}

const (
	folder = "lockout/"
	// maxCounts bounds the names that are counted; maxName the part of a name that is kept.
	maxCounts = 100_000
	maxName   = 256
)

// Guard counts and locks. It is safe for concurrent use.
type Guard struct {
	storage logical.Storage

	mu     sync.Mutex
	counts map[string]count
}

type count struct {
	failed int
	last   time.Time
}

// New returns a Guard that keeps its locks in s.
func New(s logical.Storage) *Guard { return &Guard{storage: s, counts: map[string]count{}} }

// entryName is where the lock of a name is. Names are of any length and any bytes, hence the hash.
func entryName(accessor, name string) string {
	sum := sha256.Sum256([]byte(name))
	return folder + accessor + "/" + hex.EncodeToString(sum[:])
}

// Locked reports whether a name of an auth method is locked now.
func (g *Guard) Locked(ctx context.Context, accessor, name string, now time.Time) (bool, error) {
	l, err := logical.Load[Lock](ctx, g.storage, entryName(accessor, name))
	if err != nil || l == nil {
		return false, err
	}
	return now.Before(l.Until), nil
}

// Failed counts a wrong password, and locks the name when they are too many.
func (g *Guard) Failed(ctx context.Context, accessor, name string, l Limits, now time.Time) error {
	if l.Disabled || l.Threshold <= 0 {
		return nil
	}
	if !g.count(entryName(accessor, name), l, now) {
		return nil
	}
	lock := Lock{Accessor: accessor, Name: name[:min(len(name), maxName)], Until: now.Add(l.Duration)}
	return logical.Store(ctx, g.storage, entryName(accessor, name), lock)
}

// count adds one to a name and reports whether it has reached the threshold, in which case counting starts over.
func (g *Guard) count(key string, l Limits, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.counts[key]
	if now.Sub(c.last) > l.Reset {
		c.failed = 0
	}
	c.failed, c.last = c.failed+1, now
	if c.failed >= l.Threshold {
		delete(g.counts, key)
		return true
	}
	if _, known := g.counts[key]; !known && len(g.counts) >= maxCounts {
		for victim := range g.counts { // in no particular order
			delete(g.counts, victim)
			break
		}
	}
	g.counts[key] = c
	return false
}

// Succeeded forgets the wrong passwords of a name that gave the right one.
func (g *Guard) Succeeded(accessor, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.counts) > 0 {
		delete(g.counts, entryName(accessor, name))
	}
}

// Unlock lifts a lock, if there is one.
func (g *Guard) Unlock(ctx context.Context, accessor, name string) error {
	g.Succeeded(accessor, name)
	return logical.Remove(ctx, g.storage, entryName(accessor, name))
}

// Locks lists the names that are locked now; accessor limits them to one auth method.
func (g *Guard) Locks(ctx context.Context, accessor string, now time.Time) ([]Lock, error) {
	var all []Lock
	err := g.storage.View(ctx, func(r storage.Reader) error {
		all = nil
		accessors := []string{accessor + "/"}
		if accessor == "" {
			var err error
			if accessors, err = r.List(ctx, folder, "", 0); err != nil {
				return err
			}
		}
		for _, a := range accessors {
			names, err := r.List(ctx, folder+a, "", 0)
			if err != nil {
				return err
			}
			for _, n := range names {
				l, err := logical.Get[Lock](ctx, r, folder+a+n)
				if err != nil {
					return err
				}
				if l != nil && now.Before(l.Until) {
					all = append(all, *l)
				}
			}
		}
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return all, err
}

// Sweep deletes the locks that are over.
func (g *Guard) Sweep(ctx context.Context, now time.Time) error {
	accessors, err := g.storage.List(ctx, folder, "", 0)
	if err != nil {
		return err
	}
	for _, a := range accessors {
		names, err := g.storage.List(ctx, folder+a, "", 0)
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := g.sweep(ctx, folder+a+n, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Guard) sweep(ctx context.Context, entry string, now time.Time) error {
	l, err := logical.Load[Lock](ctx, g.storage, entry)
	if err != nil || l == nil || now.Before(l.Until) {
		return err
	}
	return g.storage.Update(ctx, func(tx storage.Tx) error {
		l, err := logical.Get[Lock](ctx, tx, entry)
		if err != nil || l == nil || now.Before(l.Until) {
			return err
		}
		return tx.Delete(ctx, entry)
	})
}
