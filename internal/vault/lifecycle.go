package vault

import (
	"context"
	"errors"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/lease"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// endOfToken does, in the transaction that ends a token, what ends with it: its leases become due, its cubbyhole and what was
// wrapped for it go.
func (c *Core) endOfToken(ctx context.Context, now time.Time) func(storage.Tx, string) error {
	return func(tx storage.Tx, hash string) error {
		if err := lease.EndNow(ctx, tx, hash, now); err != nil {
			return err
		}
		if err := tx.Delete(ctx, wrapFolder+hash); err != nil {
			return err
		}
		if c.options.Purge == nil {
			return nil
		}
		raw, err := tx.Get(ctx, tableName)
		if err != nil {
			return err
		}
		t, err := decodeTable(raw)
		if err != nil {
			return err
		}
		for _, m := range t.Mounts {
			if m.Type == "cubbyhole" {
				return c.options.Purge(ctx, tx, m.Prefix(), hash)
			}
		}
		return nil
	}
}

// RevokeToken ends a token and all that descends from it.
func (c *Core) RevokeToken(ctx context.Context, hash string, now time.Time) error {
	defer c.wake()
	return c.opened.tokens.Revoke(ctx, hash, c.endOfToken(ctx, now))
}

// RevokeOrphan ends a token and leaves its children as orphans.
func (c *Core) RevokeOrphan(ctx context.Context, hash string, now time.Time) error {
	defer c.wake()
	return c.opened.tokens.RevokeOrphan(ctx, hash, c.endOfToken(ctx, now))
}

// RenewToken moves a token's end, after asking the auth method that gave it.
func (c *Core) RenewToken(ctx context.Context, e *token.Entry, id string, increment time.Duration, now time.Time) (*logical.Response, error) {
	if e.Type == token.Batch {
		return nil, logical.Invalid("batch tokens cannot be renewed")
	}
	if !e.Renewable {
		return nil, logical.Invalid("lease is not renewable")
	}
	terms, err := c.askMethod(ctx, e, increment, now)
	if err != nil {
		return nil, err
	}
	if err := c.regroup(ctx, e, terms, now); err != nil {
		return nil, err
	}
	resp := &logical.Response{}
	renewed, err := c.opened.tokens.Renew(ctx, e.Hash, func(e *token.Entry) error {
		if terms != nil {
			e.MaxTTL, e.Period = terms.MaxTTL, terms.Period
			if terms.TTL > 0 && increment <= 0 {
				e.TTL = terms.TTL
			}
		}
		ttl, capped := token.Extend(e, increment, now)
		if capped {
			resp.Warnings = []string{"TTL of the token was cut to its maximum"}
		}
		e.Issued, e.Expires = now, now.Add(ttl)
		return nil
	})
	if errors.Is(err, token.ErrInvalid) {
		return nil, logical.ErrPermissionDenied
	}
	if err != nil {
		return nil, err
	}
	resp.Auth = &logical.Auth{Meta: renewed.Meta, EntityID: renewed.EntityID}
	if err := c.complete(ctx, resp.Auth, renewed, id); err != nil {
		return nil, err
	}
	resp.Auth.TTL = renewed.Expires.Sub(now)
	return resp, nil
}

// regroup brings the external groups of who renews up to date, where the auth method tells them again.
func (c *Core) regroup(ctx context.Context, e *token.Entry, terms *logical.Auth, now time.Time) error {
	if terms == nil || terms.Alias == nil || c.options.Identity == nil {
		return nil
	}
	t, err := c.Table(ctx)
	if err != nil {
		return err
	}
	_, err = c.options.Identity.Login(ctx, c.identityStorage, t.Mounts[e.Mount], LoginBy{terms.Alias, terms.GroupAliases}, now)
	return err
}

// askMethod asks the auth method of a token whether and how it is renewed; nil means by the token's own terms.
func (c *Core) askMethod(ctx context.Context, e *token.Entry, increment time.Duration, now time.Time) (*logical.Auth, error) {
	if e.Mount == "" {
		return nil, nil
	}
	t, err := c.Table(ctx)
	if err != nil {
		return nil, err
	}
	m := t.Mounts[e.Mount]
	if m == nil {
		return nil, nil
	}
	b := c.BackendOf(m)
	if b == nil || b.RenewAuth == nil {
		return nil, nil
	}
	resp, err := b.RenewAuth(ctx, &logical.Request{
		Operation: logical.Renew, Mount: m.Path[len(AuthPrefix):], Data: logical.NewData(e.InternalData), Storage: c.store.At(m.Prefix()), Time: now,
		Header: func(string) string { return "" }, Lease: &logical.Lease{Increment: increment, TTL: e.TTL, IssueTime: e.Created},
	})
	if err != nil || resp == nil || resp.Auth == nil {
		return nil, err
	}
	terms := *resp.Auth
	if _, limit := m.TTLs(); terms.MaxTTL <= 0 || terms.MaxTTL > limit {
		terms.MaxTTL = limit
	}
	return &terms, nil
}

// RenewLease moves a lease's end, after asking the backend that gave it.
func (c *Core) RenewLease(ctx context.Context, id string, increment time.Duration, now time.Time) (*logical.Response, error) {
	e, err := c.leases.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, logical.Invalid("lease not found")
	}
	b, r, err := c.leaseRequest(ctx, e, logical.Renew, now)
	if err != nil {
		return nil, err
	}
	if b.Renew == nil || !e.Renewable {
		return nil, lease.ErrNotRenewable
	}
	r.Lease.Increment = increment
	resp, err := b.Handle(ctx, r)
	if err != nil {
		return nil, err
	}
	ttl := increment
	if resp != nil && resp.Lease != nil && resp.Lease.TTL > 0 {
		ttl = resp.Lease.TTL
	}
	if ttl <= 0 {
		ttl = e.TTL
	}
	renewed, err := c.leases.Extend(ctx, id, ttl, now)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Lease: &logical.Lease{ID: id, TTL: renewed.Expires.Sub(now), Renewable: true}}, nil
}

// leaseRequest makes the call of the backend that gave a lease.
func (c *Core) leaseRequest(ctx context.Context, e *lease.Entry, op logical.Operation, now time.Time) (*logical.Backend, *logical.Request, error) {
	t, err := c.Table(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, rest := t.Find(e.Path)
	if m == nil || c.BackendOf(m) == nil {
		return nil, nil, logical.Invalid("nothing is mounted where the lease came from")
	}
	return c.BackendOf(m), &logical.Request{
		Operation: op, Path: rest, Mount: m.Path, Storage: c.store.At(m.Prefix()), Time: now, Header: func(string) string { return "" },
		Data: logical.NewData(e.InternalData),
		Lease: &logical.Lease{
			ID: e.ID, TTL: e.TTL, MaxTTL: e.MaxTTL, Renewable: e.Renewable, InternalData: e.InternalData, IssueTime: e.Issued, ExpireTime: e.Expires,
		},
	}, nil
}

// RevokeLease asks the backend to take back what a lease stands for, and forgets the lease. With force it forgets the lease
// even if that fails.
func (c *Core) RevokeLease(ctx context.Context, id string, force bool, now time.Time) error {
	e, err := c.leases.Lookup(ctx, id)
	if err != nil || e == nil {
		return err
	}
	if err := c.takeBack(ctx, e, now); err != nil && !force {
		_, noteErr := c.leases.Failed(ctx, id, err, now)
		return errors.Join(err, noteErr)
	}
	return c.leases.Remove(ctx, id)
}

func (c *Core) takeBack(ctx context.Context, e *lease.Entry, now time.Time) error {
	b, r, err := c.leaseRequest(ctx, e, logical.Revoke, now)
	if err != nil {
		return err
	}
	_, err = b.Handle(ctx, r)
	return err
}
