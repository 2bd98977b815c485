// Package lease keeps the leases of secrets that end: registering, finding, renewing and revoking them, by hand or by time.
//
// A lease that has ended is revoked by asking the backend that gave it out. That may fail; it is tried again, later each time,
// and after MaxAttempts the lease is left as irrevocable, for a person to look at. Nothing is held in memory, so what was due
// while no process ran is done when one does.
//
//	lease/id/<id>             the Entry; an id is the path that gave it and a random part
//	lease/token/<hash>/<sum>  the id: which leases end with a token
package lease

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/expiry"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Entry is one lease.
type Entry struct {
	ID           string         `json:"id"`
	Path         string         `json:"path"` // the full path that gave it
	TokenHash    string         `json:"token,omitempty"`
	Issued       time.Time      `json:"issued"`
	Renewed      time.Time      `json:"renewed,omitzero"`
	Expires      time.Time      `json:"expires"`
	TTL          time.Duration  `json:"ttl"`
	MaxTTL       time.Duration  `json:"max_ttl,omitempty"` // from Issued
	Renewable    bool           `json:"renewable,omitempty"`
	InternalData map[string]any `json:"internal,omitempty"`
	// Attempts counts failed revocations, Failure tells of the last; Irrevocable says that there will be no more.
	Attempts    int    `json:"attempts,omitempty"`
	Failure     string `json:"failure,omitempty"`
	Irrevocable bool   `json:"irrevocable,omitempty"`
	// Next is when the index has it: Expires, or the next attempt.
	Next time.Time `json:"next,omitzero"`
}

// MaxAttempts is how often a revocation is tried.
const MaxAttempts = 8

const (
	idFolder    = "lease/id/"
	tokenFolder = "lease/token/"
)

// Store keeps leases. It is safe for concurrent use.
type Store struct{ storage logical.Storage }

// NewStore returns the leases of a vault.
func NewStore(s logical.Storage) *Store { return &Store{s} }

func (e *Entry) item() expiry.Item {
	return expiry.Item{At: e.Next, Kind: expiry.Lease, ID: expiry.ID(e.ID), Ref: e.ID}
}

func (e *Entry) byToken() string { return tokenFolder + e.TokenHash + "/" + expiry.ID(e.ID) }

// Register stores a new lease for what path gave out.
func (s *Store) Register(ctx context.Context, path, tokenHash string, l *logical.Lease, now time.Time) (*Entry, error) {
	random := make([]byte, 15)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	id := strings.TrimSuffix(path, "/") + "/" + strings.ToLower(base32.StdEncoding.EncodeToString(random))
	e := &Entry{
		ID: id, Path: path, TokenHash: tokenHash, Issued: now, Expires: now.Add(l.TTL), Next: now.Add(l.TTL), TTL: l.TTL,
		MaxTTL: l.MaxTTL, Renewable: l.Renewable, InternalData: l.InternalData,
	}
	err := s.storage.Update(ctx, func(tx storage.Tx) error {
		if err := logical.Put(ctx, tx, idFolder+id, e); err != nil {
			return err
		}
		if tokenHash != "" {
			if err := tx.Put(ctx, e.byToken(), []byte(id)); err != nil {
				return err
			}
		}
		return expiry.Add(ctx, tx, e.item())
	})
	return e, err
}

// Lookup returns a lease, nil if there is none.
func (s *Store) Lookup(ctx context.Context, id string) (*Entry, error) {
	e, err := logical.Load[Entry](ctx, s.storage, idFolder+id)
	if errors.Is(err, storage.ErrInvalidKey) || errors.Is(err, storage.ErrTooLarge) {
		return nil, nil
	}
	return e, err
}

// List lists what lies directly below a prefix, which is empty or ends in "/": ids, and folders with their trailing slash.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	return s.storage.List(ctx, idFolder+prefix, after, limit)
}

// Below lists the ids of all leases below a prefix.
func (s *Store) Below(ctx context.Context, prefix string) ([]string, error) {
	entries, err := s.storage.Scan(ctx, idFolder+prefix, "", 0)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = strings.TrimPrefix(e.Key, idFolder)
	}
	return ids, nil
}

// change replaces a lease within a transaction. fn gets a copy, nil if the lease is not there.
func (s *Store) change(ctx context.Context, id string, fn func(*Entry) (keep bool, err error)) error {
	return s.storage.Update(ctx, func(tx storage.Tx) error {
		e, err := logical.Get[Entry](ctx, tx, idFolder+id)
		if err != nil || e == nil {
			return err
		}
		before := e.item()
		keep, err := fn(e)
		if err != nil {
			return err
		}
		if err := expiry.Remove(ctx, tx, before); err != nil {
			return err
		}
		if !keep {
			if e.TokenHash != "" {
				if err := tx.Delete(ctx, e.byToken()); err != nil {
					return err
				}
			}
			return tx.Delete(ctx, idFolder+id)
		}
		if err := expiry.Add(ctx, tx, e.item()); err != nil {
			return err
		}
		return logical.Put(ctx, tx, idFolder+id, e)
	})
}

// ErrNotRenewable is returned by Renew.
var ErrNotRenewable = logical.Invalid("lease is not renewable")

// Extend moves a lease's end to now plus ttl, cut at its maximum, and returns the lease as it is then.
func (s *Store) Extend(ctx context.Context, id string, ttl time.Duration, now time.Time) (*Entry, error) {
	var out *Entry
	err := s.change(ctx, id, func(e *Entry) (bool, error) {
		switch {
		case !e.Renewable:
			return false, ErrNotRenewable
		case !now.Before(e.Expires) || e.Attempts > 0:
			return false, logical.Invalid("lease expired")
		}
		e.Expires = now.Add(ttl)
		if limit := e.Issued.Add(e.MaxTTL); e.MaxTTL > 0 && e.Expires.After(limit) {
			e.Expires = limit
		}
		e.Renewed, e.Next = now, e.Expires
		out = e
		return true, nil
	})
	if err == nil && out == nil {
		err = logical.Invalid("lease not found")
	}
	return out, err
}

// Remove forgets a lease that was revoked, or is to be forgotten whatever became of it.
func (s *Store) Remove(ctx context.Context, id string) error {
	return s.change(ctx, id, func(*Entry) (bool, error) { return false, nil })
}

// Failed notes that a revocation failed; the next attempt is later each time: 10 s, 20 s, 40 s and so on.
func (s *Store) Failed(ctx context.Context, id string, cause error, now time.Time) (e *Entry, err error) {
	err = s.change(ctx, id, func(l *Entry) (bool, error) {
		l.Attempts++
		l.Failure = cause.Error()
		l.Irrevocable = l.Attempts >= MaxAttempts
		l.Next = now.Add(10 * time.Second << min(l.Attempts-1, 10))
		if l.Irrevocable {
			l.Next = time.Time{}
		}
		e = l
		return true, nil
	})
	return e, err
}

// EndNow makes leases due at once, within a transaction: those of a token that is being revoked.
func EndNow(ctx context.Context, tx storage.Tx, tokenHash string, now time.Time) error {
	refs, err := tx.Scan(ctx, tokenFolder+tokenHash+"/", "", 0)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		e, err := logical.Get[Entry](ctx, tx, idFolder+string(ref.Value))
		if err != nil {
			return err
		}
		if e == nil {
			return fmt.Errorf("ending the leases of a token: %w", storage.ErrCorrupt)
		}
		if e.Irrevocable {
			continue
		}
		if err := expiry.Remove(ctx, tx, e.item()); err != nil {
			return err
		}
		e.Expires, e.Next = now, now
		if err := expiry.Add(ctx, tx, e.item()); err != nil {
			return err
		}
		if err := logical.Put(ctx, tx, idFolder+e.ID, e); err != nil {
			return err
		}
	}
	return nil
}

// Expire makes a lease due at once, to be revoked in the background.
func (s *Store) Expire(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, id, func(e *Entry) (bool, error) {
		e.Expires, e.Next, e.Attempts, e.Irrevocable = now, now, 0, false
		return true, nil
	})
}
