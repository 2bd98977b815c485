package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// commitTime bounds one commit, whoever has asked for it.
const commitTime = 60 * time.Second

// commit runs the transactions of a batch one after the other in one transaction of the backend. One that fails leaves
// nothing of its own behind and fails alone; if the commit fails, all do.
func (s *Store) commit(batch []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var written map[string][]byte
	err := s.backend.Update(ctx, func(tx storage.Tx) error {
		written = map[string][]byte{}
		for _, t := range batch {
			if err := s.run(ctx, tx, t, written); err != nil {
				return err
			}
		}
		if len(written) == 0 {
			return errNothing
		}
		if s.shared {
			return note(ctx, tx, written)
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return
	}
	if err != nil {
		// Whether it was committed may be unknown, so nothing that it touched can be believed.
		for name := range written {
			s.cache.drop(name)
		}
		for _, t := range batch {
			t.err = err // also where its function was never called, or judged by a state that was not committed
		}
		return
	}
	for name, value := range written {
		if s.shared {
			s.cache.drop(name)
		} else {
			s.cache.set(name, value)
		}
	}
}

// errNothing ends a transaction in which nothing was written, without a commit.
var errNothing = errors.New("nothing to commit")

// run runs one transaction of a batch and, if it succeeds, passes on what it wrote. An error of its own is kept for its
// caller; an error of the backend is returned, as it spoils the whole.
func (s *Store) run(ctx context.Context, tx storage.Tx, t *call, written map[string][]byte) error {
	o := &overlay{tx: tx, ctx: ctx, batch: written, writes: map[string][]byte{}}
	if !s.shared {
		o.known = s.cache
	}
	t.writes, t.err = nil, t.ctx.Err()
	if t.err == nil {
		t.err = guarded(t.fn, o)
	}
	if o.broken != nil {
		return o.broken
	}
	if t.err != nil {
		return nil //nolint:nilerr // it is told to its own caller, and the others go on
	}
	for name, value := range o.writes {
		if err := apply(ctx, tx, name, value); err != nil {
			return err
		}
		written[name] = value
	}
	t.writes = o.writes
	return nil
}

// guarded turns a panic of one transaction into its error: others share its goroutine.
func guarded(fn func(storage.Tx) error, tx storage.Tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a transaction: %v", r)
		}
	}()
	return fn(tx)
}

func apply(ctx context.Context, tx storage.Tx, name string, value []byte) error {
	if value == nil {
		return tx.Delete(ctx, name)
	}
	return tx.Put(ctx, name, value)
}
