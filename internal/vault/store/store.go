// Package store is how the Vault-compatible core sees its data: entries of the barrier, with two things on top that make it
// fast. What was read is kept in memory, decoded, until it changes; and writes that arrive together share one commit.
//
// Start with New and hand out parts of the store with Store.At.
//
// A store that belongs to one process (Options.Shared is false) answers from memory at once. Where several nodes share a
// database, every commit also counts a revision and notes what it changed; Store.Refresh reads the revision, forgets what
// others have changed, and so makes everything that is read after it at least as new as the call. All requests that arrive
// while one such look is under way share the next, so the cost is one small query for many of them, and no node ever waits
// for another.
package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Options configure a Store.
type Options struct {
	// Shared says that other processes write to the same backend.
	Shared bool
	// CacheBytes bounds what is kept in memory; 0: 64 MiB.
	CacheBytes int
}

const defaultCache = 64 << 20

// Store is the core's view of a barrier. It is safe for concurrent use.
type Store struct {
	backend storage.Backend
	shared  bool
	cache   *cache
	commits committer
	fresh   refresher

	revision atomic.Uint64 // the newest whose changes the cache knows; only if shared
}

// New returns the store over a backend, which stays the caller's.
func New(backend storage.Backend, o Options) *Store {
	if o.CacheBytes <= 0 {
		o.CacheBytes = defaultCache
	}
	s := &Store{backend: backend, shared: o.Shared, cache: newCache(o.CacheBytes)}
	s.commits.commit = s.commit
	s.fresh.look = s.look
	return s
}

// Drop forgets everything that is kept in memory: the vault is being sealed.
func (s *Store) Drop() {
	s.cache.dropAll()
	s.revision.Store(0)
}

// At returns the part of the store whose names begin with prefix, which is empty or ends in "/".
func (s *Store) At(prefix string) logical.Storage { return &part{s, prefix} }

// part is the store below a prefix.
type part struct {
	store  *Store
	prefix string
}

var _ logical.Storage = (*part)(nil)

// Get implements storage.Reader. What it returns is the caller's own.
func (p *part) Get(ctx context.Context, name string) ([]byte, error) {
	raw, err := p.store.get(ctx, p.prefix+name)
	if err != nil {
		return nil, err
	}
	return append([]byte{}, raw...), nil
}

// get returns an entry as it is kept: shared.
func (s *Store) get(ctx context.Context, name string) ([]byte, error) {
	if e, ok := s.cache.get(name); ok && (e.raw != nil || e.missing) {
		if e.missing {
			return nil, storage.ErrNotFound
		}
		return e.raw, nil
	}
	mark := s.cache.mark(name)
	raw, err := s.backend.Get(ctx, name)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		s.cache.put(name, mark, entry{missing: true})
		return nil, storage.ErrNotFound
	case err != nil:
		return nil, err
	}
	s.cache.put(name, mark, entry{raw: raw})
	return raw, nil
}

// CacheSize is about how many bytes the entries take that are kept in memory.
func (s *Store) CacheSize() int { return s.cache.bytes() }

// Decoded implements logical.Storage. One name is always decoded by the same function.
func (p *part) Decoded(ctx context.Context, name string, decode func([]byte) (any, error)) (any, error) {
	s, name := p.store, p.prefix+name
	if e, ok := s.cache.get(name); ok {
		if e.missing {
			return nil, storage.ErrNotFound
		}
		if e.decoded != nil {
			return e.decoded, nil
		}
	}
	mark := s.cache.mark(name)
	raw, err := s.get(ctx, name)
	if err != nil {
		return nil, err
	}
	v, err := decode(raw)
	if err != nil {
		return nil, errors.Join(storage.ErrCorrupt, err)
	}
	s.cache.put(name, mark, entry{raw: raw, decoded: v})
	return v, nil
}

// List implements storage.Reader.
func (p *part) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	return p.store.backend.List(ctx, p.prefix+prefix, after, limit)
}

// Scan implements storage.Reader.
func (p *part) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	return scanBelow(ctx, p.store.backend, p.prefix, prefix, after, limit)
}

// View implements logical.Storage.
func (p *part) View(ctx context.Context, fn func(storage.Reader) error) error {
	return p.store.backend.View(ctx, func(r storage.Reader) error { return fn(below{r, p.prefix}) })
}

// Update implements logical.Storage.
func (p *part) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return p.store.commits.do(ctx, func(tx storage.Tx) error { return fn(belowTx{below{tx, p.prefix}, tx}) })
}

// below reads under a prefix.
type below struct {
	r      storage.Reader
	prefix string
}

func (b below) Get(ctx context.Context, name string) ([]byte, error) {
	return b.r.Get(ctx, b.prefix+name)
}

func (b below) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	return b.r.List(ctx, b.prefix+prefix, after, limit)
}

func (b below) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	return scanBelow(ctx, b.r, b.prefix, prefix, after, limit)
}

func scanBelow(ctx context.Context, r storage.Reader, at, prefix, after string, limit int) ([]storage.Entry, error) {
	if after != "" {
		after = at + after
	}
	entries, err := r.Scan(ctx, at+prefix, after, limit)
	for i := range entries {
		entries[i].Key = entries[i].Key[len(at):]
	}
	return entries, err
}

// belowTx writes under a prefix.
type belowTx struct {
	below
	tx storage.Tx
}

func (b belowTx) Put(ctx context.Context, name string, value []byte) error {
	return b.tx.Put(ctx, b.prefix+name, value)
}

func (b belowTx) Delete(ctx context.Context, name string) error {
	return b.tx.Delete(ctx, b.prefix+name)
}

// committer gathers transactions while a commit is under way, so that the next takes them all at once. A goroutine exists only
// as long as there is work.
type committer struct {
	commit func([]*call)

	mu      sync.Mutex
	waiting []*call
	running bool
}

// call is one transaction that waits.
type call struct {
	ctx  context.Context
	fn   func(storage.Tx) error
	done chan error
	// What it wrote, of its last run.
	writes map[string][]byte
	err    error
}

// mostCalls bounds how many transactions share a commit, so that a single slow one does not hold up thousands.
const mostCalls = 256

func (c *committer) do(ctx context.Context, fn func(storage.Tx) error) error {
	t := &call{ctx: ctx, fn: fn, done: make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, t)
	if !c.running {
		c.running = true
		go c.run()
	}
	c.mu.Unlock()
	// The transaction may have been committed when ctx ends, so its end is waited for all the same: whoever is told of a failure
	// must be able to rely on it. A call whose ctx is over before it starts is answered at once when its turn comes.
	return <-t.done
}

func (c *committer) run() {
	for {
		c.mu.Lock()
		n := min(len(c.waiting), mostCalls)
		if n == 0 {
			c.running = false
			c.mu.Unlock()
			return
		}
		batch := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		c.mu.Unlock()
		c.commit(batch)
		for _, t := range batch {
			t.done <- t.err
		}
	}
}
