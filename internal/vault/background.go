package vault

import (
	"context"
	"errors"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/expiry"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

const (
	expiryInterval   = time.Second
	periodicInterval = time.Minute
	// duty is how long a node does the work in the background before others may; it renews that at half time. A node that dies
	// is relieved when it is over.
	duty = 6 * time.Second
)

// background does what happens without a request: what has ended is revoked, and backends do their periodic work. Of several
// nodes one does it at a time.
func (c *Core) background(ctx context.Context, done chan struct{}) {
	defer close(done)
	tick := time.NewTicker(expiryInterval)
	defer tick.Stop()
	var lastPeriodic time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.wakeups:
		}
		now := c.clock()
		mine, err := c.onDuty(ctx, now)
		if err == nil && mine {
			err = c.expire(ctx, now)
		}
		if err == nil && mine && now.Sub(lastPeriodic) >= periodicInterval {
			lastPeriodic = now
			err = c.periodic(ctx, now)
		}
		if err != nil && ctx.Err() == nil && (!errors.Is(err, storage.ErrUnavailable) || c.complaint.now(now)) {
			c.log.Error("work in the background failed, it is tried again", "error", err)
		}
	}
}

// wake makes the background look at once.
func (c *Core) wake() {
	select {
	case c.wakeups <- struct{}{}:
	default:
	}
}

const dutyName = "sys/vault/duty"

type dutyEntry struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// onDuty reports whether this node does the work now, taking it up if nobody does.
func (c *Core) onDuty(ctx context.Context, now time.Time) (mine bool, err error) {
	if !c.options.Shared {
		return true, nil
	}
	if err := c.store.Refresh(ctx); err != nil {
		return false, err
	}
	d, err := logical.Load[dutyEntry](ctx, c.root, dutyName)
	if err != nil {
		return false, err
	}
	if d != nil && d.Node != c.options.Node && now.Before(d.Until) {
		return false, nil
	}
	if d != nil && d.Node == c.options.Node && now.Before(d.Until.Add(-duty/2)) {
		return true, nil
	}
	err = c.root.Update(ctx, func(tx storage.Tx) error {
		d, err := logical.Get[dutyEntry](ctx, tx, dutyName)
		if err != nil {
			return err
		}
		if mine = d == nil || d.Node == c.options.Node || !now.Before(d.Until); !mine {
			return nil
		}
		return logical.Put(ctx, tx, dutyName, dutyEntry{Node: c.options.Node, Until: now.Add(duty)})
	})
	return mine, err
}

// expireBatch is how many ends are worked on before the clock and the duty are looked at again.
const expireBatch = 200

// expire revokes what has ended.
func (c *Core) expire(ctx context.Context, now time.Time) error {
	for ctx.Err() == nil {
		due, err := expiry.Due(ctx, c.root, now, expireBatch)
		if err != nil {
			return err
		}
		for _, item := range due {
			if err := c.end(ctx, item, now); err != nil {
				return err
			}
		}
		if len(due) < expireBatch {
			return nil
		}
		if mine, err := c.onDuty(ctx, c.clock()); err != nil || !mine {
			return err
		}
	}
	return nil
}

// end ends one token or lease. The index entry goes with it, also where nothing else is left of it.
func (c *Core) end(ctx context.Context, item expiry.Item, now time.Time) error {
	switch item.Kind {
	case expiry.Token:
		err := c.opened.tokens.Revoke(ctx, item.ID, c.endOfToken(ctx, now))
		if err != nil {
			return err
		}
	case expiry.Lease:
		if err := c.RevokeLease(ctx, item.Ref, false, now); err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrUnavailable) {
				return err
			}
			c.warnLease(ctx, item.Ref, err)
			return nil
		}
	}
	return c.root.Update(ctx, func(tx storage.Tx) error { return expiry.Remove(ctx, tx, item) })
}

// warnLease is loud about a lease that could not be revoked.
func (c *Core) warnLease(ctx context.Context, id string, cause error) {
	e, err := c.leases.Lookup(ctx, id)
	if err != nil || e == nil {
		c.log.Error("revoking a lease failed", "lease", id, "error", cause)
		return
	}
	if e.Irrevocable {
		c.log.Error("a lease cannot be revoked and is given up; what it stands for may still be in use", "lease", id, "attempts", e.Attempts, "error", cause)
		return
	}
	c.log.Warn("revoking a lease failed and is tried again", "lease", id, "attempts", e.Attempts, "next", e.Next, "error", cause)
}

// periodic lets every mounted backend do its work.
func (c *Core) periodic(ctx context.Context, now time.Time) error {
	t, err := c.Table(ctx)
	if err != nil {
		return err
	}
	errs := []error{c.lockout.Sweep(ctx, now)}
	for _, m := range t.Sorted() {
		b := c.BackendOf(m)
		if m.Upgrading {
			errs = append(errs, c.Upgrade(ctx, m.Path, now))
		}
		if b == nil || b.Periodic == nil || ctx.Err() != nil {
			continue
		}
		errs = append(errs, b.Periodic(ctx, &logical.Request{
			Mount: m.Path, Storage: c.store.At(m.Prefix()), Time: now, Header: func(string) string { return "" },
		}))
	}
	return errors.Join(errs...)
}
