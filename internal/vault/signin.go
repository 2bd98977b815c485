package vault

import (
	"context"
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/vault/lockout"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Lockout stops listening to names whose passwords are guessed at.
func (c *Core) Lockout() *lockout.Guard { return c.lockout }

// call hands a request to its backend. Somebody who signs in is refused unheard while the name is locked, and wrong passwords
// are counted.
func (c *Core) call(ctx context.Context, x *Exchange, b *logical.Backend, r *logical.Request) (*logical.Response, error) {
	if x.route == nil || x.route.Login == nil || !x.Operation.Writes() {
		return b.Handle(ctx, r)
	}
	limits := lockoutOf(x.Mount)
	_, r.Params = b.Match(r.Path)
	name := x.route.Login(r)
	if name == "" || limits.Disabled {
		return b.Handle(ctx, r)
	}
	locked, err := c.lockout.Locked(ctx, x.Mount.Accessor, name, r.Time)
	if err != nil {
		return nil, err
	}
	if locked {
		return nil, logical.ErrPermissionDenied
	}
	resp, err := b.Handle(ctx, r)
	var e *logical.Error
	switch {
	case err == nil:
		c.lockout.Succeeded(x.Mount.Accessor, name)
	case errors.As(err, &e) && e.BadCredentials:
		if lockErr := c.lockout.Failed(ctx, x.Mount.Accessor, name, limits, r.Time); lockErr != nil {
			return nil, lockErr
		}
	}
	return resp, err
}

// lockoutOf is when a mount locks: as it was tuned, else by default.
func lockoutOf(m *Mount) lockout.Limits {
	l := lockout.Defaults()
	t := m.Config.Lockout
	if t == nil {
		return l
	}
	l.Disabled = t.Disable
	if t.Threshold > 0 {
		l.Threshold = t.Threshold
	}
	if t.Duration > 0 {
		l.Duration = t.Duration
	}
	if t.CounterReset > 0 {
		l.Reset = t.CounterReset
	}
	return l
}
