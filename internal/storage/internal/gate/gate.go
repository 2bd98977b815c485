// Package gate lets calls into a store until it is closed and lets closing wait for those inside.
package gate

import (
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Gate is open when zero. It is safe for concurrent use.
type Gate struct {
	mu     sync.Mutex
	inside sync.WaitGroup
	closed bool
}

// Enter returns storage.ErrClosed once the gate is closed; else Leave must follow.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return storage.ErrClosed
	}
	g.inside.Add(1)
	return nil
}

// Leave ends what Enter began.
func (g *Gate) Leave() { g.inside.Done() }

// Close closes the gate and waits until all have left. It returns false if the gate was closed before.
func (g *Gate) Close() bool {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
	return first
}
