// Package memory keeps a store in the process's memory, for tests and for servers that forget.
package memory

import (
	"context"
	"sync/atomic"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/direct"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/gate"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/keyspace"
)

// Store is a storage.Backend. Readers never wait: each sees the tree that was current when it began, as trees do not
// change once they are made.
type Store struct {
	reader
	gate   gate.Gate
	root   atomic.Pointer[node]
	writer chan struct{} // one token
}

type reader = direct.Reader

var _ storage.Backend = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{writer: make(chan struct{}, 1)}
	s.Through = s.View
	return s
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	if s.gate.Close() {
		s.root.Store(nil)
	}
	return nil
}

// View implements storage.Backend.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(&tx{root: s.root.Load()})
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
	select {
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	t := &tx{root: s.root.Load()}
	if err := fn(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.root.Store(t.root)
	return nil
}

// tx is a transaction over a tree of its own.
type tx struct{ root *node }

func (t *tx) Get(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	n := t.root.find(key)
	if n == nil {
		return nil, storage.ErrNotFound
	}
	return clone(n.value), nil
}

func (t *tx) Put(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := keyspace.CheckEntry(key, value); err != nil {
		return err
	}
	t.root = t.root.put(key, clone(value))
	return nil
}

func (t *tx) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	t.root = t.root.remove(key)
	return nil
}

func (t *tx) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	end, bounded := keyspace.End(prefix)
	var entries []storage.Entry
	t.root.ascend(keyspace.Start(prefix, after), func(n *node) bool {
		if bounded && n.key >= end {
			return false
		}
		entries = append(entries, storage.Entry{Key: n.key, Value: clone(n.value)})
		return len(entries) != limit
	})
	return entries, nil
}

func (t *tx) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return keyspace.List(prefix, after, limit, func(from string, limit int) ([]string, error) {
		var keys []string
		t.root.ascend(from, func(n *node) bool {
			keys = append(keys, n.key)
			return len(keys) != limit
		})
		return keys, nil
	})
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return keyspace.Check(key)
}

// clone never returns nil, as an empty value is a value.
func clone(value []byte) []byte { return append([]byte{}, value...) }
