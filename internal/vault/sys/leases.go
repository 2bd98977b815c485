package sys

import (
	"context"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/lease"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) leaseRoutes() []*logical.Route {
	id := []logical.Field{
		{Name: "lease_id", Type: logical.String, Help: "The lease."}, {Name: "url_lease_id", Type: logical.String, Help: "The lease, in the path."},
		{Name: "increment", Type: logical.Seconds, Help: "For how long, from now."}, {Name: "sync", Type: logical.Bool, Help: "Wait for it; it always does."},
	}
	var routes []*logical.Route
	add := func(patterns []string, sudo bool, text string, o ops) {
		for _, p := range patterns {
			routes = append(routes, &logical.Route{Pattern: p, Fields: id, Sudo: sudo, Synopsis: text, Ops: o})
		}
	}
	add([]string{"leases/lookup"}, false, "Shows a lease, or lists prefixes.", ops{logical.Update: s.lookupLease, logical.List: s.listLeases})
	add([]string{"leases/lookup/*prefix"}, true, "Lists leases below a prefix.", ops{logical.List: s.listLeases})
	add([]string{"renew", "leases/renew"}, false, "Renews a lease.", ops{logical.Update: s.renewLease})
	add([]string{"renew/*url_lease_id", "leases/renew/*url_lease_id"}, false, "Renews a lease.", ops{logical.Update: s.renewLease})
	add([]string{"revoke", "leases/revoke"}, false, "Revokes a lease.", ops{logical.Update: s.revokeLease})
	add([]string{"revoke/*url_lease_id", "leases/revoke/*url_lease_id"}, false, "Revokes a lease.", ops{logical.Update: s.revokeLease})
	add([]string{"revoke-prefix/*prefix", "leases/revoke-prefix/*prefix"}, true, "Revokes all leases below a prefix.", ops{logical.Update: s.revokePrefix(false)})
	add([]string{"revoke-force/*prefix", "leases/revoke-force/*prefix"}, true, "Forgets all leases below a prefix, even those that cannot be revoked.",
		ops{logical.Update: s.revokePrefix(true)})
	add([]string{"leases/tidy"}, false, "Looks for leases that nothing stands behind.", ops{logical.Update: s.tidyLeases})
	add([]string{"leases/count"}, false, "Counts leases.", ops{logical.Read: s.countLeases})
	add([]string{"leases"}, true, "Lists leases that could not be revoked.", ops{logical.Read: s.irrevocable})
	return routes
}

func leaseID(r *logical.Request) (string, error) {
	id := r.Params.Get("url_lease_id")
	if id == "" {
		id = r.Data.String("lease_id")
	}
	if id == "" {
		id = r.Data.String("url_lease_id")
	}
	if id == "" {
		return "", logical.Invalid("lease_id must be specified")
	}
	return id, nil
}

func (s *System) lookupLease(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := leaseID(r)
	if err != nil {
		return nil, err
	}
	e, err := s.core.Leases().Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, logical.Invalid("invalid lease")
	}
	return all(describeLease(e, r.Time)), nil
}

func describeLease(e *lease.Entry, now time.Time) map[string]any {
	var renewed any
	if !e.Renewed.IsZero() {
		renewed = e.Renewed.UTC().Format(time.RFC3339Nano)
	}
	return map[string]any{
		"id": e.ID, "issue_time": e.Issued.UTC().Format(time.RFC3339Nano), "expire_time": e.Expires.UTC().Format(time.RFC3339Nano),
		"last_renewal": renewed, "renewable": e.Renewable && now.Before(e.Expires), "ttl": max(int64(e.Expires.Sub(now)/time.Second), 0),
	}
}

func (s *System) listLeases(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	prefix := r.Params.Get("prefix")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	keys, err := s.core.Leases().List(ctx, prefix, r.Data.String("after"), r.Data.Int("limit"))
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

func (s *System) renewLease(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := leaseID(r)
	if err != nil {
		return nil, err
	}
	return s.core.RenewLease(ctx, id, r.Data.Duration("increment"), r.Time)
}

func (s *System) revokeLease(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := leaseID(r)
	if err != nil {
		return nil, err
	}
	if r.Data.Raw["sync"] != nil && !r.Data.Bool("sync") {
		return nil, s.core.Leases().Expire(ctx, id, r.Time)
	}
	return nil, s.core.RevokeLease(ctx, id, false, r.Time)
}

func (s *System) revokePrefix(force bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		ids, err := s.core.Leases().Below(ctx, r.Params.Get("prefix"))
		if err != nil {
			return nil, err
		}
		failed := 0
		for _, id := range ids {
			if err := s.core.RevokeLease(ctx, id, force, r.Time); err != nil {
				failed++
			}
		}
		if failed > 0 {
			return nil, logical.Fail(500, "%d of %d leases could not be revoked; they are tried again", failed, len(ids))
		}
		return nil, nil
	}
}

func (s *System) tidyLeases(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	_, err := s.core.Tokens().Tidy(ctx)
	return &logical.Response{Status: 202, Warnings: []string{"Tidy operation successfully started. Any information from the operation will be printed to the server's logs."}}, err
}

func (s *System) countLeases(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	ids, err := s.core.Leases().Below(ctx, "")
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, id := range ids {
		mount, _, _ := strings.Cut(id, "/")
		counts[mount+"/"]++
	}
	return &logical.Response{Data: map[string]any{"lease_count": len(ids), "counts": counts}}, nil
}

func (s *System) irrevocable(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	ids, err := s.core.Leases().Below(ctx, "")
	if err != nil {
		return nil, err
	}
	leases := []map[string]any{}
	for _, id := range ids {
		e, err := s.core.Leases().Lookup(ctx, id)
		if err != nil {
			return nil, err
		}
		if e != nil && e.Irrevocable {
			leases = append(leases, map[string]any{"lease_id": id, "error": e.Failure})
		}
	}
	return &logical.Response{Data: map[string]any{"lease_count": len(leases), "leases": leases}}, nil
}
