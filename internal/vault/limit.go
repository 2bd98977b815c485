package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/quota"
)

// Quotas returns the rate limits: shared, so nobody may change them.
func (c *Core) Quotas(ctx context.Context) (*quota.Book, error) {
	b, err := logical.Load[quota.Book](ctx, c.root, quota.Entry)
	if b == nil && err == nil {
		b = noQuotas
	}
	return b, err
}

var noQuotas = &quota.Book{}

// Limiter counts against the rate limits.
func (c *Core) Limiter() *quota.Limiter { return c.limiter }

// limit counts a request against the rate limit that applies to it. It returns the headers for the answer, and a reply if the
// request is refused.
func (c *Core) limit(ctx context.Context, call *Call) (map[string]string, *Reply, error) {
	book, err := c.Quotas(ctx)
	if err != nil || len(book.Rules) == 0 || book.Exempt(call.Path) {
		return nil, nil, err
	}
	rule := book.Find(call.Path, roleAsked(call))
	if rule == nil {
		return nil, nil, nil
	}
	v := c.limiter.Take(*rule, call.Remote.Addr(), call.Time)
	var headers map[string]string
	if book.Config.Headers {
		headers = v.Headers()
	}
	if v.Allowed {
		return headers, nil, nil
	}
	refusal := quota.ErrExceeded(call.Path)
	reply := errorReply(refusal)
	reply.Header = v.Headers() // how long to wait is told in any case
	if book.Config.Audit {
		x := &Exchange{Call: call, Operation: call.Operation, Err: refusal}
		if err := c.audit.Request(ctx, x); err != nil {
			return nil, nil, errAudit
		}
	}
	return headers, reply, nil
}

// roleAsked is the role that a login names, "" for another request.
func roleAsked(call *Call) string {
	for _, name := range []string{"role", "role_id"} {
		if s, ok := call.Data[name].(string); ok {
			return s
		}
	}
	return ""
}
