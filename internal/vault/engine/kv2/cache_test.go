package kv2_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv2"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// cached is a storage that keeps what was decoded, as the core's does.
type cached struct {
	logical.Storage
	mu      sync.RWMutex
	kept    sync.Map
	lookups atomic.Int64
	decodes atomic.Int64
	views   atomic.Int64
}

func newCached(t testing.TB) (*logicaltest.Mount, *cached) {
	m := logicaltest.New(t, kv2.New(), nil)
	c := &cached{Storage: m.Storage}
	m.Storage = c
	return m, c
}

func (c *cached) Decoded(ctx context.Context, name string, decode func([]byte) (any, error)) (any, error) {
	c.lookups.Add(1)
	if v, ok := c.kept.Load(name); ok {
		return v, nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	c.decodes.Add(1)
	v, err := c.Storage.Decoded(ctx, name, decode)
	if err == nil {
		c.kept.Store(name, v)
	}
	return v, err
}

func (c *cached) View(ctx context.Context, fn func(storage.Reader) error) error {
	c.views.Add(1)
	return c.Storage.View(ctx, fn)
}

func (c *cached) Update(ctx context.Context, fn func(storage.Tx) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &recorded{}
	err := c.Storage.Update(ctx, func(tx storage.Tx) error {
		*r = recorded{Tx: tx}
		return fn(r)
	})
	for _, name := range r.names {
		c.kept.Delete(name)
	}
	return err
}

// recorded notes which entries a transaction changes.
type recorded struct {
	storage.Tx
	names []string
}

func (r *recorded) Put(ctx context.Context, name string, value []byte) error {
	r.names = append(r.names, name)
	return r.Tx.Put(ctx, name, value)
}

func (r *recorded) Delete(ctx context.Context, name string) error {
	r.names = append(r.names, name)
	return r.Tx.Delete(ctx, name)
}
