package store

import (
	"hash/maphash"
	"sync"
)

// cache keeps entries by name. It is split into shards so that readers do not meet, and each shard throws out entries at
// random when it is full, which needs no bookkeeping on reads and comes close to dropping the least recently used.
type cache struct {
	seed   maphash.Seed
	shards [shardCount]shard
	room   int // bytes a shard
}

const shardCount = 64

type shard struct {
	mu      sync.RWMutex
	entries map[string]entry
	size    int
	// changes counts what was dropped or set, so that a value read from the backend before a change is not kept after it.
	changes uint64
	_       [64]byte // keeps the locks of neighbours apart
}

// entry is what is known of a name. raw and decoded are shared: nobody may change them.
type entry struct {
	raw     []byte
	decoded any
	missing bool
}

// cost is about what an entry takes; what is decoded is taken to be three times as large as what it was made of.
func (e entry) cost(name string) int {
	n := len(name) + len(e.raw) + 128
	if e.decoded != nil {
		n += 3 * len(e.raw)
	}
	return n
}

func newCache(bytes int) *cache {
	c := &cache{seed: maphash.MakeSeed(), room: bytes / shardCount}
	for i := range c.shards {
		c.shards[i].entries = map[string]entry{}
	}
	return c
}

func (c *cache) shard(name string) *shard { return &c.shards[maphash.String(c.seed, name)%shardCount] }

func (c *cache) get(name string) (entry, bool) {
	s := c.shard(name)
	s.mu.RLock()
	e, ok := s.entries[name]
	s.mu.RUnlock()
	return e, ok
}

// mark is taken before the backend is read and handed to put.
func (c *cache) mark(name string) uint64 {
	s := c.shard(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changes
}

// put keeps what was read, unless something in the shard has changed since mark.
func (c *cache) put(name string, mark uint64, e entry) {
	s := c.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == mark {
		s.keep(name, e, c.room)
	}
}

// set keeps what was written, nil meaning deleted.
func (c *cache) set(name string, value []byte) {
	s := c.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.keep(name, entry{raw: value, missing: value == nil}, c.room)
}

// bytes is about what all entries take.
func (c *cache) bytes() int {
	sum := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		sum += s.size
		s.mu.RUnlock()
	}
	return sum
}

func (c *cache) drop(name string) {
	s := c.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.remove(name)
}

func (c *cache) dropAll() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.changes++
		s.entries, s.size = map[string]entry{}, 0
		s.mu.Unlock()
	}
}

func (s *shard) remove(name string) {
	if e, ok := s.entries[name]; ok {
		s.size -= e.cost(name)
		delete(s.entries, name)
	}
}

func (s *shard) keep(name string, e entry, room int) {
	s.remove(name)
	cost := e.cost(name)
	if cost > room/2 {
		return
	}
	for victim := range s.entries { // in no particular order
		if s.size+cost <= room {
			break
		}
		s.remove(victim)
	}
	s.entries[name] = e
	s.size += cost
}
