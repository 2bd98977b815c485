package mcp

import (
	"context"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// lists remembers what environments hold, by name, until anything changes: an assistant asks for it again and again, and a list
// of a thousand secrets takes longer to read than to send.
type lists struct {
	mu    sync.Mutex
	stamp string
	of    map[listed][]platform.Secret
}

// listed is whose list of which environment.
type listed struct {
	env   platform.Env
	actor string
}

// maxLists is how many are remembered.
const maxLists = 64

// list is platform.Service.List of now. The result must not be changed.
func (l *lists) list(ctx context.Context, p *platform.Service, c platform.Caller, e platform.Env) ([]platform.Secret, error) {
	stamp, err := p.Stamp(ctx, c) // looked at before the list is read, so that a list can be newer than it and never older
	if err != nil {
		return nil, err
	}
	key := listed{e, c.Actor.ID}
	l.mu.Lock()
	if stamp != l.stamp || len(l.of) >= maxLists {
		l.stamp, l.of = stamp, map[listed][]platform.Secret{}
	}
	known, ok := l.of[key]
	l.mu.Unlock()
	if ok {
		return known, nil
	}
	all, err := p.List(ctx, c, e, platform.Moment{})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stamp == stamp {
		l.of[key] = all
	}
	return all, nil
}
