package sys

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/quota"
)

func (s *System) quotaRoutes() []*logical.Route {
	rule := []logical.Field{
		{Name: "name", Type: logical.String, Help: "The name of the rule."},
		{Name: "type", Type: logical.String, Help: "Always rate-limit."},
		{Name: "path", Type: logical.String, Help: "A mount, with or without what follows; empty for all."},
		{Name: "role", Type: logical.String, Help: "Only logins of this role."},
		{Name: "rate", Type: logical.Any, Help: "How many requests of one client an interval lets through."},
		{Name: "interval", Type: logical.Seconds, Default: time.Second, Help: "How long an interval is."},
		{Name: "block_interval", Type: logical.Seconds, Help: "How long a client is refused that went over."},
		{Name: "inheritable", Type: logical.Bool, Help: "Kept for clients that send it."},
	}
	return []*logical.Route{
		{Pattern: "quotas/config", Synopsis: "What holds for all rate limits.", Fields: []logical.Field{
			{Name: "rate_limit_exempt_paths", Type: logical.Strings, Help: "Paths that are never limited; * at the end means all below."},
			{Name: "enable_rate_limit_audit_logging", Type: logical.Bool, Help: "Refused requests are audited too."},
			{Name: "enable_rate_limit_response_headers", Type: logical.Bool, Help: "Answers tell how much is left."},
		}, Ops: ops{logical.Read: s.readQuotaConfig, logical.Update: s.writeQuotaConfig}},
		{Pattern: "quotas/rate-limit", Synopsis: "Lists the rate limits.", Ops: ops{logical.List: s.listQuotas}},
		{Pattern: "quotas/rate-limit/:name", Fields: rule, Synopsis: "One rate limit.", Ops: ops{
			logical.Read: s.readQuota, logical.Update: s.writeQuota, logical.Delete: s.deleteQuota,
		}},
	}
}

func (s *System) readQuotaConfig(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	b, err := s.core.Quotas(ctx)
	if err != nil {
		return nil, err
	}
	exempt := b.Config.Exempt
	if exempt == nil {
		exempt = quota.DefaultExempt()
	}
	return &logical.Response{Data: map[string]any{
		"rate_limit_exempt_paths": exempt, "enable_rate_limit_audit_logging": b.Config.Audit, "enable_rate_limit_response_headers": b.Config.Headers,
	}}, nil
}

func (s *System) writeQuotaConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, s.changeQuotas(ctx, func(b *quota.Book) error {
		if r.Data.Has("rate_limit_exempt_paths") {
			b.Config.Exempt = append([]string{}, r.Data.Strings("rate_limit_exempt_paths")...)
		}
		if r.Data.Has("enable_rate_limit_audit_logging") {
			b.Config.Audit = r.Data.Bool("enable_rate_limit_audit_logging")
		}
		if r.Data.Has("enable_rate_limit_response_headers") {
			b.Config.Headers = r.Data.Bool("enable_rate_limit_response_headers")
		}
		return nil
	})
}

// changeQuotas changes the rules in one transaction.
func (s *System) changeQuotas(ctx context.Context, fn func(*quota.Book) error) error {
	return s.core.Storage().Update(ctx, func(tx storage.Tx) error {
		b, err := logical.Get[quota.Book](ctx, tx, quota.Entry)
		if err != nil {
			return err
		}
		if b == nil {
			b = &quota.Book{Config: quota.Config{Exempt: quota.DefaultExempt()}}
		}
		if err := fn(b); err != nil {
			return err
		}
		return logical.Put(ctx, tx, quota.Entry, b)
	})
}

func (s *System) listQuotas(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	b, err := s.core.Quotas(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(b.Rules))
	for i := range b.Rules {
		keys[i] = b.Rules[i].Name
	}
	return &logical.Response{Keys: keys}, nil
}

func (s *System) readQuota(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	b, err := s.core.Quotas(ctx)
	if err != nil {
		return nil, err
	}
	i := b.Named(r.Params.Get("name"))
	if i < 0 {
		return nil, logical.ErrNotFound
	}
	q := b.Rules[i]
	return &logical.Response{Data: map[string]any{
		"type": "rate-limit", "name": q.Name, "path": q.Path, "role": q.Role, "rate": q.Rate, "interval": int64(q.Interval / time.Second),
		"block_interval": int64(q.Block / time.Second), "inheritable": q.Path == "",
	}}, nil
}

func (s *System) writeQuota(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	table, err := s.core.Table(ctx)
	if err != nil {
		return nil, err
	}
	name := r.Params.Get("name")
	return nil, s.changeQuotas(ctx, func(b *quota.Book) error {
		q := quota.Rule{Name: name, Interval: time.Second}
		i := b.Named(name)
		if i >= 0 {
			q = b.Rules[i]
		}
		if err := fillQuota(&q, r.Data); err != nil {
			return err
		}
		if m, _ := table.Find(q.Path + "/"); q.Path != "" && m == nil {
			return logical.Invalid("invalid mount path %q", q.Path)
		} else if q.Role != "" && (m == nil || !m.Auth()) {
			return logical.Invalid("mount does not support use of roles")
		}
		if err := b.Check(q); err != nil {
			return err
		}
		if i >= 0 {
			b.Rules[i] = q
			return nil
		}
		b.Rules = append(b.Rules, q)
		return nil
	})
}

func fillQuota(q *quota.Rule, d logical.Data) error {
	if d.Has("type") && d.String("type") != "rate-limit" {
		return logical.Invalid("'type' is invalid: must be rate-limit")
	}
	if d.Has("path") {
		q.Path = d.String("path")
	}
	if d.Has("role") {
		q.Role = d.String("role")
	}
	if d.Has("rate") {
		rate, ok := logical.ParseFloat(d.Raw["rate"])
		if !ok {
			return logical.Invalid("'rate' is invalid: must be a number")
		}
		q.Rate = rate
	}
	if d.Has("interval") {
		q.Interval = d.Duration("interval")
	}
	if d.Has("block_interval") {
		q.Block = d.Duration("block_interval")
	}
	return nil
}

func (s *System) deleteQuota(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	err := s.changeQuotas(ctx, func(b *quota.Book) error {
		if i := b.Named(name); i >= 0 {
			b.Rules = append(b.Rules[:i], b.Rules[i+1:]...)
		}
		return nil
	})
	s.core.Limiter().Forget(name)
	return nil, err
}
