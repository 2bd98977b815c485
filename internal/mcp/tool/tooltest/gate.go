package tooltest

import (
	"context"
	"slices"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Gate is a grant.Gate that permits every use until it is told otherwise, and remembers what it was asked. It is safe for
// concurrent use.
type Gate struct {
	mu     sync.Mutex
	uses   []grant.Use
	reason string
}

var _ grant.Gate = (*Gate)(nil)

// GateOf is the gate of a call that New made.
func GateOf(c *tool.Call) *Gate {
	g, ok := c.Gate.(*Gate)
	if !ok {
		panic("the call is not one of New's")
	}
	return g
}

// Authorize remembers the use.
func (g *Gate) Authorize(_ context.Context, u grant.Use) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uses = append(g.uses, u)
	if g.reason != "" {
		return &grant.DeniedError{Use: u, Reason: g.reason}
	}
	return nil
}

// Deny has the gate refuse everything from now on, for a reason.
func (g *Gate) Deny(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reason = reason
}

// Uses are the uses that were asked for, permitted or not, in order.
func (g *Gate) Uses() []grant.Use {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.uses)
}

// Last is the use that was asked for last; the zero Use if none was.
func (g *Gate) Last() grant.Use {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.uses) == 0 {
		return grant.Use{}
	}
	return g.uses[len(g.uses)-1]
}
