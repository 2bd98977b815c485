// Package idle keeps connections open between calls of a tool, so that the next call with the same login needs no new one.
package idle

import (
	"errors"
	"sync"
	"time"
)

// Limits of a pool.
const (
	// Timeout is how long a connection is kept unused.
	Timeout = time.Minute
	// PerKey is how many are kept for one key.
	PerKey = 4
	// Total is how many are kept in all.
	Total = 32
)

// Pool keeps idle connections by key. One that is taken belongs to who took it. It is safe for concurrent use.
type Pool[K comparable, C any] struct {
	close func(C) error
	after func(time.Duration, func()) *time.Timer

	mu     sync.Mutex
	kept   map[K][]entry[C]
	count  int
	closed bool
}

type entry[C any] struct {
	conn  C
	timer *time.Timer
	at    *byte // tells entries apart
}

// New returns an empty pool whose connections are closed by a function.
func New[K comparable, C any](close func(C) error) *Pool[K, C] {
	return &Pool[K, C]{close: close, after: time.AfterFunc, kept: map[K][]entry[C]{}}
}

// Take removes the connection that was kept last, and reports whether there was one.
func (p *Pool[K, C]) Take(key K) (conn C, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.kept[key]
	if len(list) == 0 {
		return conn, false
	}
	last := list[len(list)-1]
	last.timer.Stop()
	p.set(key, list[:len(list)-1])
	return last.conn, true
}

// Keep takes a connection in. Beyond the limits, and after Close, it closes it instead.
func (p *Pool[K, C]) Keep(key K, conn C) error {
	p.mu.Lock()
	if p.closed || p.count >= Total || len(p.kept[key]) >= PerKey {
		p.mu.Unlock()
		return p.close(conn)
	}
	defer p.mu.Unlock()
	at := new(byte)
	p.set(key, append(p.kept[key], entry[C]{conn, p.after(Timeout, func() { p.expire(key, at) }), at}))
	return nil
}

// set replaces the connections of a key.
func (p *Pool[K, C]) set(key K, list []entry[C]) {
	p.count += len(list) - len(p.kept[key])
	if len(list) == 0 {
		delete(p.kept, key)
		return
	}
	p.kept[key] = list
}

func (p *Pool[K, C]) expire(key K, at *byte) {
	p.mu.Lock()
	list := p.kept[key]
	for i, e := range list {
		if e.at != at {
			continue
		}
		rest := append(append([]entry[C]{}, list[:i]...), list[i+1:]...)
		p.set(key, rest)
		p.mu.Unlock()
		_ = p.close(e.conn) // nobody is there to hear of it
		return
	}
	p.mu.Unlock()
}

// Close closes what is kept, and from now on what is brought.
func (p *Pool[K, C]) Close() error {
	p.mu.Lock()
	kept := p.kept
	p.kept, p.count, p.closed = map[K][]entry[C]{}, 0, true
	p.mu.Unlock()
	var failed error
	for _, list := range kept {
		for _, e := range list {
			e.timer.Stop()
			failed = errors.Join(failed, p.close(e.conn))
		}
	}
	return failed
}
