package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/keyspace"
)

// View implements storage.Backend.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := s.begin(false)
	if err != nil {
		return s.name(classify(err))
	}
	defer func() { _ = guarded(t.tx.Rollback) }() // ends the snapshot; there is nothing to lose
	return s.name(fn(t))
}

// Update implements storage.Backend.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	select { // bbolt has a lock of its own, which does not know of ctx
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	t, err := s.begin(true)
	if err != nil {
		return s.name(classify(err))
	}
	ended := false
	defer func() {
		if !ended {
			_ = guarded(t.tx.Rollback) // fn failed or panics, and that is what the caller has to hear
		}
	}()
	if err := fn(t); err != nil {
		return s.name(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ended = true
	return s.name(classify(t.commit()))
}

func (s *Store) begin(writable bool) (t *tx, err error) {
	err = guarded(func() error {
		btx, err := s.db.Begin(writable)
		if err == nil {
			t = &tx{tx: btx, b: btx.Bucket(bucket)}
		}
		return err
	})
	return t, err
}

// tx is a transaction. b is nil in a file that was read-only before it held anything.
type tx struct {
	tx *bbolt.Tx
	b  *bbolt.Bucket
}

// commit leaves no lock behind when bbolt panics.
func (t *tx) commit() error {
	err := guarded(t.tx.Commit)
	if err != nil {
		_ = guarded(t.tx.Rollback) // does nothing if Commit has rolled back
	}
	return err
}

func (t *tx) Get(ctx context.Context, key string) (value []byte, err error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	err = guarded(func() error {
		if t.b == nil {
			return storage.ErrNotFound
		}
		found := t.b.Get([]byte(key))
		if found == nil {
			return storage.ErrNotFound
		}
		value = append([]byte{}, found...)
		return nil
	})
	return value, classify(err)
}

func (t *tx) Put(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := keyspace.CheckEntry(key, value); err != nil {
		return err
	}
	value = append([]byte{}, value...) // bbolt keeps it until the commit
	return classify(guarded(func() error { return t.b.Put([]byte(key), value) }))
}

func (t *tx) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return classify(guarded(func() error { return t.b.Delete([]byte(key)) }))
}

func (t *tx) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var entries []storage.Entry
	err := t.each(prefix, keyspace.Start(prefix, after), limit, func(key, value []byte) {
		entries = append(entries, storage.Entry{Key: string(key), Value: append([]byte{}, value...)})
	})
	return entries, err
}

func (t *tx) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return keyspace.List(prefix, after, limit, func(from string, limit int) ([]string, error) {
		var keys []string
		err := t.each(prefix, from, limit, func(key, _ []byte) { keys = append(keys, string(key)) })
		return keys, err
	})
}

// each calls fn for at most limit entries (0: all) below prefix that are not below from. A damaged page may hold a
// value of any length, hence the guard around fn too, which does nothing but copy.
func (t *tx) each(prefix, from string, limit int, fn func(key, value []byte)) error {
	return classify(guarded(func() error {
		if t.b == nil {
			return nil
		}
		c, n := t.b.Cursor(), 0
		for k, v := c.Seek([]byte(from)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
			fn(k, v)
			if n++; n == limit {
				break
			}
		}
		return nil
	}))
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return keyspace.Check(key)
}
