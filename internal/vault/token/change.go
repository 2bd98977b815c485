package token

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/expiry"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func decodeEntry(raw []byte) (*Entry, error) {
	e := &Entry{}
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, err
	}
	return e, nil
}

// read reads an entry within a transaction; ErrInvalid if there is none.
func read(ctx context.Context, tx storage.Reader, hash string) (*Entry, error) {
	e, err := logical.Get[Entry](ctx, tx, idFolder+hash)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, ErrInvalid
	}
	e.Hash = hash
	return e, nil
}

// Use takes one use of a token that has a number of them; last says that it was the last one, after which the token is no
// longer found and the caller revokes it. Of many at once, no more succeed than there are uses.
func (s *Store) Use(ctx context.Context, hash string) (last bool, err error) {
	err = s.storage.Update(ctx, func(tx storage.Tx) error {
		e, err := read(ctx, tx, hash)
		if err != nil {
			return err
		}
		if !e.Limited {
			return nil
		}
		if e.NumUses <= 0 {
			return ErrInvalid
		}
		e.NumUses--
		last = e.NumUses == 0
		return logical.Put(ctx, tx, idFolder+hash, e)
	})
	return last, err
}

// Renew moves a token's end. change gets a copy that it may change; it returns what to answer, or an error.
func (s *Store) Renew(ctx context.Context, hash string, change func(*Entry) error) (*Entry, error) {
	var renewed *Entry
	err := s.storage.Update(ctx, func(tx storage.Tx) error {
		e, err := read(ctx, tx, hash)
		if err != nil {
			return err
		}
		before := e.end()
		if err := change(e); err != nil {
			return err
		}
		if err := expiry.Remove(ctx, tx, before); err != nil {
			return err
		}
		if err := expiry.Add(ctx, tx, e.end()); err != nil {
			return err
		}
		renewed = e
		return logical.Put(ctx, tx, idFolder+hash, e)
	})
	return renewed, err
}

// Revoke ends a token and everything that descends from it, in one transaction: after it none of them is found, before it
// all are. with runs in the same transaction for each. A token that is not there is no error.
func (s *Store) Revoke(ctx context.Context, hash string, with func(storage.Tx, string) error) error {
	return s.storage.Update(ctx, func(tx storage.Tx) error { return revoke(ctx, tx, hash, with) })
}

// RevokeIn is Revoke within a transaction.
func (s *Store) RevokeIn(ctx context.Context, tx storage.Tx, hash string, with func(storage.Tx, string) error) error {
	return revoke(ctx, tx, hash, with)
}

func revoke(ctx context.Context, tx storage.Tx, hash string, with func(storage.Tx, string) error) error {
	for queue := []string{hash}; len(queue) > 0; {
		hash, queue = queue[0], queue[1:]
		children, err := tx.List(ctx, childFolder+hash+"/", "", 0)
		if err != nil {
			return err
		}
		for _, c := range children {
			if err := tx.Delete(ctx, childFolder+hash+"/"+c); err != nil {
				return err
			}
		}
		queue = append(queue, children...)
		if err := remove(ctx, tx, hash); err != nil {
			return err
		}
		if err := with(tx, hash); err != nil {
			return err
		}
	}
	return nil
}

// RevokeOrphan ends a token alone; its children become orphans.
func (s *Store) RevokeOrphan(ctx context.Context, hash string, with func(storage.Tx, string) error) error {
	return s.storage.Update(ctx, func(tx storage.Tx) error {
		children, err := tx.List(ctx, childFolder+hash+"/", "", 0)
		if err != nil {
			return err
		}
		for _, c := range children {
			if err := orphan(ctx, tx, hash, c); err != nil {
				return err
			}
		}
		if err := remove(ctx, tx, hash); err != nil {
			return err
		}
		return with(tx, hash)
	})
}

func orphan(ctx context.Context, tx storage.Tx, parent, hash string) error {
	if err := tx.Delete(ctx, childFolder+parent+"/"+hash); err != nil {
		return err
	}
	e, err := read(ctx, tx, hash)
	if errors.Is(err, ErrInvalid) {
		return nil
	}
	if err != nil {
		return err
	}
	e.Parent = ""
	return logical.Put(ctx, tx, idFolder+hash, e)
}

// remove deletes a token's own entries.
func remove(ctx context.Context, tx storage.Tx, hash string) error {
	e, err := read(ctx, tx, hash)
	if errors.Is(err, ErrInvalid) {
		return nil
	}
	if err != nil {
		return err
	}
	names := []string{idFolder + hash, accessorFolder + e.Accessor}
	if e.Parent != "" {
		names = append(names, childFolder+e.Parent+"/"+hash)
	}
	for _, n := range names {
		if err := tx.Delete(ctx, n); err != nil {
			return err
		}
	}
	return expiry.Remove(ctx, tx, e.end())
}

// Tidy removes what no token stands behind any more: accessors and places in the tree.
func (s *Store) Tidy(ctx context.Context) (removed int, err error) {
	accessors, err := s.Accessors(ctx, "", 0)
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(accessors, 200) {
		err := s.storage.Update(ctx, func(tx storage.Tx) error {
			for _, a := range part {
				gone, err := dangling(ctx, tx, accessorFolder+a)
				if err != nil {
					return err
				}
				if !gone {
					continue
				}
				if err := tx.Delete(ctx, accessorFolder+a); err != nil {
					return err
				}
				removed++
			}
			return nil
		})
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

func dangling(ctx context.Context, tx storage.Tx, accessor string) (bool, error) {
	hash, err := tx.Get(ctx, accessor)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = tx.Get(ctx, idFolder+string(hash))
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// Extend computes a renewed token's end: increment from now, but not past the limits that were set when it was made. A
// periodic token gets its period. capped says that a limit cut it short.
func Extend(e *Entry, increment time.Duration, now time.Time) (ttl time.Duration, capped bool) {
	ttl = increment
	if ttl <= 0 {
		ttl = e.TTL
	}
	limit := e.MaxTTL
	if e.Period > 0 {
		ttl, limit = e.Period, 0
	}
	if e.ExplicitMaxTTL > 0 && (limit == 0 || e.ExplicitMaxTTL < limit) {
		limit = e.ExplicitMaxTTL
	}
	if limit <= 0 {
		return ttl, false
	}
	if left := e.Created.Add(limit).Sub(now); ttl > left {
		return max(left, 0), true
	}
	return ttl, false
}
