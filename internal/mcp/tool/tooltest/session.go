package tooltest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Session is a tool.Session that remembers. It is safe for concurrent use; set OnEnter before the first call.
type Session struct {
	// OnEnter plays the person who is asked for a value; nil refuses.
	OnEnter func(ctx context.Context, e platform.Env, name, why string) error

	call     *tool.Call
	mu       sync.Mutex
	revealed []string
	guarded  map[string]secret.Value
	progress []string
	switched []platform.Env
}

var _ tool.Session = (*Session)(nil)

// SessionOf is the session of a call that New made.
func SessionOf(c *tool.Call) *Session {
	s, ok := c.Session.(*Session)
	if !ok {
		panic("the call is not one of New's")
	}
	return s
}

// Reveal reads the values from the call's platform, and guards them.
func (s *Session) Reveal(ctx context.Context, e platform.Env, names []string) (map[string]secret.Value, error) {
	resolved, err := s.call.Platform.Reveal(ctx, s.call.Caller, e, platform.Selection{Names: names})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]secret.Value{}
	for _, r := range resolved {
		out[r.Name] = r.Value
		s.guarded[r.Name] = r.Value
		s.revealed = append(s.revealed, r.Name)
	}
	return out, nil
}

// Guard remembers a value.
func (s *Session) Guard(name string, v secret.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guarded[name] = v
}

// Enter asks OnEnter.
func (s *Session) Enter(ctx context.Context, e platform.Env, name, why string) error {
	if s.OnEnter == nil {
		return tool.Failed("denied", "nobody is there to enter %s", name)
	}
	return s.OnEnter(ctx, e, name, why)
}

// Progress remembers the message.
func (s *Session) Progress(_ context.Context, _, _ float64, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = append(s.progress, message)
}

// Switch changes the call's environment.
func (s *Session) Switch(e platform.Env) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switched = append(s.switched, e)
	s.call.Env = e
}

// Revealed are the names of the secrets that were revealed, in order, each as often as it was.
func (s *Session) Revealed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.revealed)
}

// Guarded are the values that the server would mask, by name.
func (s *Session) Guarded() map[string]secret.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.guarded)
}

// Messages are the messages of progress, in order.
func (s *Session) Messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.progress)
}
