package mcp

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// patience is the time that a call may take. It stands still while a person is asked.
type patience struct {
	ctx    context.Context //nolint:containedctx // the call's own, made here
	cancel context.CancelCauseFunc
	limit  time.Duration

	mu    sync.Mutex
	timer *time.Timer
	left  time.Duration
	since time.Time
	held  int
}

// errTooLong is the cause of a context whose patience is over.
var errTooLong = errors.New("the time of the call is over")

func newPatience(ctx context.Context, limit time.Duration) *patience {
	p := &patience{limit: limit, left: limit, since: time.Now()}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(limit, func() { p.cancel(errTooLong) })
	return p
}

// hold stops the clock until the returned function is called.
func (p *patience) hold() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held++; p.held == 1 && p.timer.Stop() {
		p.left -= time.Since(p.since)
	}
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.held--; p.held == 0 {
			p.since = time.Now()
			p.timer.Reset(max(p.left, 0))
		}
	})
}

func (p *patience) stop() {
	p.timer.Stop()
	p.cancel(nil)
}

// explain says of an error that came of the time being over that it did.
func (p *patience) explain(err error) error {
	if !errors.Is(context.Cause(p.ctx), errTooLong) {
		return err
	}
	var ours *tool.Error
	if errors.As(err, &ours) && ours.Code != "failed" && ours.Code != "unreachable" {
		return err
	}
	return tool.Failed("timeout", "the call took longer than %s and was stopped; ask for less at once, or have the person start the server with a higher --timeout", p.limit)
}

// waiting is a gate behind which the clock stands still.
type waiting struct {
	gate  grant.Gate
	clock *patience
}

// Authorize implements grant.Gate.
func (w waiting) Authorize(ctx context.Context, u grant.Use) error {
	defer w.clock.hold()()
	return w.gate.Authorize(ctx, u)
}
