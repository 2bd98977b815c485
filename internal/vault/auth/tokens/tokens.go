// Package tokens is the auth method at auth/token/: making, showing, renewing and revoking tokens, and roles that bound how they
// are made. The tokens themselves are kept by package token.
package tokens

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// Method is the backend and the core whose tokens it manages.
type Method struct {
	*logical.Backend
	core *vault.Core
}

type ops = map[logical.Operation]logical.Handler

// New returns the backend. Its core is set with Manage before the first request.
func New() *Method {
	m := &Method{Backend: &logical.Backend{Type: "token", Help: "The token auth method manages tokens: it is always there."}}
	one := []logical.Field{
		{Name: "token", Type: logical.String, Help: "The token."}, {Name: "accessor", Type: logical.String, Help: "The accessor of the token."},
		{Name: "increment", Type: logical.Seconds, Help: "For how long, from now."},
	}
	add := func(pattern, text string, sudo bool, o ops) {
		m.Routes = append(m.Routes, &logical.Route{Pattern: pattern, Fields: one, Sudo: sudo, Synopsis: text, Ops: o})
	}
	add("lookup", "Shows a token.", false, ops{logical.Update: m.lookup, logical.Read: m.lookup})
	add("lookup-self", "Shows the caller's token.", false, ops{logical.Read: m.lookupSelf, logical.Update: m.lookupSelf})
	add("lookup-accessor", "Shows the token of an accessor.", false, ops{logical.Update: m.lookupAccessor})
	add("renew", "Renews a token.", false, ops{logical.Update: m.renew})
	add("renew-self", "Renews the caller's token.", false, ops{logical.Update: m.renewSelf})
	add("renew-accessor", "Renews the token of an accessor.", false, ops{logical.Update: m.renewAccessor})
	add("revoke", "Revokes a token and all made with it.", false, ops{logical.Update: m.revoke})
	add("revoke-self", "Revokes the caller's token and all made with it.", false, ops{logical.Update: m.revokeSelf})
	add("revoke-accessor", "Revokes the token of an accessor and all made with it.", false, ops{logical.Update: m.revokeAccessor})
	add("revoke-orphan", "Revokes a token and leaves those made with it.", true, ops{logical.Update: m.revokeOrphan})
	add("accessors", "Lists the accessors of all tokens.", true, ops{logical.List: m.accessors})
	add("tidy", "Removes what no token stands behind.", true, ops{logical.Update: m.tidy})
	m.Routes = append(m.Routes, m.createRoutes()...)
	m.Routes = append(m.Routes, m.roleRoutes()...)
	return m
}

// Manage tells the backend which core it serves.
func (m *Method) Manage(c *vault.Core) { m.core = c }

var (
	badToken    = logical.Fail(http.StatusForbidden, "bad token")
	badAccessor = logical.Invalid("1 error occurred:\n\t* invalid accessor\n\n")
)

// given finds the token that a request is about.
func (m *Method) given(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	id := r.Data.String("token")
	if id == "" {
		return nil, logical.Invalid("missing token ID")
	}
	e, err := m.core.Tokens().Lookup(ctx, id, r.Time)
	if errors.Is(err, token.ErrInvalid) {
		return nil, badToken
	}
	return e, err
}

func (m *Method) byAccessor(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	accessor := r.Data.String("accessor")
	if accessor == "" {
		return nil, logical.Invalid("missing accessor")
	}
	e, err := m.core.Tokens().ByAccessor(ctx, accessor, r.Time)
	if errors.Is(err, token.ErrInvalid) {
		return nil, badAccessor
	}
	return e, err
}

// own finds the caller's token again, as it may have ended within the request.
func (m *Method) own(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	e, err := m.core.Tokens().Lookup(ctx, r.Token.ID, r.Time)
	if errors.Is(err, token.ErrInvalid) {
		return nil, logical.ErrPermissionDenied
	}
	return e, err
}

func (m *Method) lookup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if r.Data.String("token") == "" {
		return m.lookupSelf(ctx, r)
	}
	e, err := m.given(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.describe(ctx, e, r.Data.String("token"), r.Time)
}

func (m *Method) lookupSelf(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.own(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.describe(ctx, e, r.Token.ID, r.Time)
}

func (m *Method) lookupAccessor(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.byAccessor(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.describe(ctx, e, "", r.Time)
}

// describe is a token as clients see it.
func (m *Method) describe(ctx context.Context, e *token.Entry, id string, now time.Time) (*logical.Response, error) {
	var expires, meta any
	ttl := int64(0)
	if !e.Expires.IsZero() {
		expires, ttl = e.Expires.UTC().Format(time.RFC3339Nano), int64(e.Expires.Sub(now)/time.Second)
	}
	if e.Meta != nil {
		meta = e.Meta
	}
	data := map[string]any{
		"accessor": e.Accessor, "creation_time": e.Created.Unix(), "creation_ttl": int64(e.TTL / time.Second), "display_name": e.DisplayName,
		"entity_id": e.EntityID, "expire_time": expires, "explicit_max_ttl": int64(e.ExplicitMaxTTL / time.Second), "id": id,
		"issue_time": e.Created.UTC().Format(time.RFC3339Nano), "meta": meta, "num_uses": e.NumUses, "orphan": e.Orphan(), "path": e.Path,
		"policies": e.Policies, "renewable": e.Renewable, "ttl": ttl, "type": e.Type,
	}
	if e.Issued.After(e.Created) {
		data["last_renewal"], data["last_renewal_time"] = e.Issued.UTC().Format(time.RFC3339Nano), e.Issued.Unix()
	}
	if e.Period > 0 {
		data["period"] = int64(e.Period / time.Second)
	}
	if e.Role != "" {
		data["role"] = e.Role
	}
	if len(e.BoundCIDRs) > 0 {
		data["bound_cidrs"] = e.BoundCIDRs
	}
	if more, err := m.core.IdentityPolicies(ctx, e); err != nil {
		return nil, err
	} else if len(more) > 0 {
		data["identity_policies"] = more
	}
	return &logical.Response{Data: data}, nil
}

func (m *Method) renew(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.given(ctx, r)
	if logical.Is(err, badToken) {
		return nil, logical.Invalid("token not found")
	}
	if err != nil {
		return nil, err
	}
	return m.core.RenewToken(ctx, e, r.Data.String("token"), r.Data.Duration("increment"), r.Time)
}

func (m *Method) renewSelf(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.own(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.core.RenewToken(ctx, e, r.Token.ID, r.Data.Duration("increment"), r.Time)
}

func (m *Method) renewAccessor(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.byAccessor(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.core.RenewToken(ctx, e, "", r.Data.Duration("increment"), r.Time)
}

// end revokes what was found. A batch token cannot be revoked: it ends by itself.
func (m *Method) end(ctx context.Context, e *token.Entry, now time.Time) (*logical.Response, error) {
	if e.Type == token.Batch {
		return nil, logical.Invalid("batch tokens cannot be revoked")
	}
	return nil, m.core.RevokeToken(ctx, e.Hash, now)
}

func (m *Method) revoke(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.given(ctx, r)
	if logical.Is(err, badToken) {
		return nil, nil // it is not there any more, which is what was asked for
	}
	if err != nil {
		return nil, err
	}
	return m.end(ctx, e, r.Time)
}

func (m *Method) revokeSelf(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.own(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.end(ctx, e, r.Time)
}

func (m *Method) revokeAccessor(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.byAccessor(ctx, r)
	if logical.Is(err, badAccessor) {
		return &logical.Response{Warnings: []string{"No token found with this accessor"}}, nil
	}
	if err != nil {
		return nil, err
	}
	return m.end(ctx, e, r.Time)
}

func (m *Method) revokeOrphan(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := m.given(ctx, r)
	if err != nil {
		return nil, err
	}
	if e.Type == token.Batch {
		return nil, logical.Invalid("batch tokens cannot be revoked")
	}
	return nil, m.core.RevokeOrphan(ctx, e.Hash, r.Time)
}

func (m *Method) accessors(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	keys, err := m.core.Tokens().Accessors(ctx, r.Data.String("after"), r.Data.Int("limit"))
	if err != nil {
		return nil, err
	}
	return &logical.Response{Keys: keys}, nil
}

func (m *Method) tidy(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	if _, err := m.core.Tokens().Tidy(ctx); err != nil {
		return nil, err
	}
	return &logical.Response{Status: http.StatusAccepted, Warnings: []string{
		"Tidy operation successfully started. Any information from the operation will be printed to the server's logs.",
	}}, nil
}
