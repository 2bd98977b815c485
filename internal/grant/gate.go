package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// GateOptions are what a gate may have. The zero value neither tells anybody of a request nor waits for its answer.
type GateOptions struct {
	// Notify tells the person of a request that waits, also when the same use is tried again. It runs beside Authorize
	// and should end with ctx, which ends with the waiting; without Patience, Authorize waits for it.
	Notify func(ctx context.Context, r Request)
	// Patience is how long Authorize waits for an answer. A request outlives it: an answer that comes later is found by
	// the next try of the same use.
	Patience time.Duration
	// Tick makes what paces the looking for an answer, and stops it; nil is a ticker of 150 ms. It serves tests.
	Tick func() (ticks <-chan time.Time, stop func())
}

const pollEvery = 150 * time.Millisecond

// NewGate returns the gate of one session, which Store.Begin has registered. Every decision is in the audit log before it
// takes effect; where it cannot be written, nothing is permitted. The gate is safe for concurrent use.
func NewGate(s *Store, a Asker, r Recorder, o GateOptions) Gate {
	if o.Tick == nil {
		o.Tick = func() (<-chan time.Time, func()) {
			t := time.NewTicker(pollEvery)
			return t.C, t.Stop
		}
	}
	return &gate{s, a, r, o}
}

type gate struct {
	store  *Store
	asker  Asker
	record Recorder
	GateOptions
}

var _ Gate = (*gate)(nil)

// Authorize implements Gate.
func (g *gate) Authorize(ctx context.Context, u Use) error {
	u.Secrets = u.names()
	d, err := g.store.decide(ctx, g.asker, u)
	switch {
	case errors.Is(err, ErrNoSession):
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: "a person has revoked this session, or it has ended", Hint: "start the assistant anew"})
	case err != nil:
		return fmt.Errorf("looking for what permits the use: %w", err)
	}
	switch d.Outcome {
	case Allowed:
		return g.allow(ctx, u, "by rule")
	case Ask:
		return g.ask(ctx, u, d)
	case Denied:
	}
	return g.refuse(ctx, u, &DeniedError{Use: u, Reason: d.Reason, Hint: "a person can permit it with `zvault secret allow`"})
}

// allow records that a use passes.
func (g *gate) allow(ctx context.Context, u Use, why string) error {
	return record(ctx, g.record, about(g.asker.entry(ActAllow, audit.OK), u, why))
}

// refuse records that a use does not pass, and returns why. It is recorded also when the caller has gone away.
func (g *gate) refuse(ctx context.Context, u Use, denied *DeniedError) error {
	if err := record(context.WithoutCancel(ctx), g.record, about(g.asker.entry(ActDeny, audit.Denied), u, denied.Reason)); err != nil {
		return err
	}
	return denied
}

// ask has a person asked and acts on the answer.
func (g *gate) ask(ctx context.Context, u Use, d settled) error {
	r, made, err := g.store.ask(ctx, g.asker, u, d)
	switch {
	case errors.Is(err, ErrTooMany):
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: ErrTooMany.Error(), Hint: "wait until the person has answered them: `zvault approve`"})
	case errors.Is(err, ErrNoSession):
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: ErrNoSession.Error()})
	case err != nil:
		return fmt.Errorf("asking for approval: %w", err)
	}
	if made {
		if err := record(ctx, g.record, about(g.asker.entry(ActAsk, audit.OK), u, "request "+r.ID+": "+d.Reason)); err != nil {
			return errors.Join(err, g.store.withdraw(context.WithoutCancel(ctx), r.ID))
		}
	}
	if r.Answer == "" {
		if r, err = g.wait(ctx, r); err != nil && !errors.Is(err, ErrNoRequest) {
			return fmt.Errorf("waiting for approval: %w", err)
		}
	}
	return g.act(ctx, u, r, err)
}

// act does what the answer to a request says; gone is set if there is no request any more.
func (g *gate) act(ctx context.Context, u Use, r Request, gone error) error {
	switch {
	case gone != nil:
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: "nobody approved the use in time, or the request was withdrawn"})
	case r.Answer == "":
		return g.refuse(ctx, u, &DeniedError{
			Use: u, Pending: r.ID, Reason: "a person has to approve this use: " + r.Why,
			Hint: fmt.Sprintf("run `zvault approve %s` in another terminal, and try again", r.ID),
		})
	case r.Answer == Deny:
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: "the person refused this use", Hint: "do not try it again without asking what they want instead"})
	}
	err := g.store.spend(ctx, r.ID, g.asker.Session, u.Digest())
	switch {
	case err == nil:
		return g.allow(ctx, u, fmt.Sprintf("%s by %s, request %s", r.Answer, Visible(r.By), r.ID))
	case errors.Is(err, ErrNoSession):
		return g.refuse(ctx, u, &DeniedError{Use: u, Reason: ErrNoSession.Error()})
	case !errors.Is(err, ErrSpent):
		return fmt.Errorf("using the approval: %w", err)
	}
	// The answer made a rule, or another call with the same use was faster.
	again, err := g.store.decide(ctx, g.asker, u)
	if err == nil && again.Outcome == Allowed {
		return g.allow(ctx, u, fmt.Sprintf("by rule; %s by %s, request %s", r.Answer, Visible(r.By), r.ID))
	}
	return errors.Join(g.refuse(ctx, u, &DeniedError{Use: u, Reason: "the approval was for one use, which has been made", Hint: "try again to ask anew"}), err)
}

// wait looks for the answer until there is one, patience or ctx ends, or the request is gone.
func (g *gate) wait(ctx context.Context, r Request) (Request, error) {
	if g.Patience <= 0 {
		if g.Notify != nil {
			g.Notify(ctx, r)
		}
		return r, nil
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	if g.Notify != nil {
		go g.Notify(waiting, r)
	}
	ticks, stopTicks := g.Tick()
	defer stopTicks()
	for until := g.store.now().Add(g.Patience); g.store.now().Before(until); {
		select {
		case <-ctx.Done():
			return r, nil
		case <-ticks:
		}
		now, err := g.store.Request(ctx, r.ID)
		if err != nil || now.Answer != "" {
			if ctx.Err() != nil {
				return r, nil
			}
			return now, err
		}
	}
	return r, nil
}
