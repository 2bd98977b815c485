package vault

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// issue makes the token that a login or a token creation has asked for, and completes the answer with it.
func (c *Core) issue(ctx context.Context, x *Exchange, resp *logical.Response) error {
	a := resp.Auth
	if a.ClientToken != "" { // made already: a renewal
		return nil
	}
	login := x.Mount.Auth() && x.Mount.Type != "token"
	e := &token.Entry{
		Type: token.Service, Path: x.Call.Path, Meta: a.Meta, DisplayName: a.DisplayName, Created: x.Call.Time, Issued: x.Call.Time,
		TTL: a.TTL, MaxTTL: a.MaxTTL, ExplicitMaxTTL: a.ExplicitMaxTTL, Period: a.Period, Renewable: a.Renewable, BoundCIDRs: a.BoundCIDRs,
		NumUses: a.NumUses, Limited: a.NumUses > 0, InternalData: a.InternalData, Mount: x.Mount.Path, Role: a.RoleName,
	}
	if a.PathSuffix != "" {
		e.Path += "/" + a.PathSuffix
	}
	if login {
		c.nameLogin(x, a, e)
	} else if !a.Orphan && x.Token != nil {
		e.Parent, e.EntityID = x.Token.Hash, x.Token.EntityID
	}
	if err := c.recognize(ctx, x.Mount, a, e, x.Call.Time); err != nil {
		return err
	}
	e.Policies = tokenPolicies(a)
	if slices.Contains(e.Policies, "root") && login {
		return logical.Invalid("auth methods cannot create root tokens")
	}
	c.limitTTL(x, a, e)
	if a.Batch {
		return c.issueBatch(x, a, e)
	}
	id := a.InternalID
	var err error
	if id == "" {
		if id, err = token.New(); err != nil {
			return err
		}
	}
	if e.Accessor, err = token.NewAccessor(); err != nil {
		return err
	}
	if err := c.root.Update(ctx, func(tx storage.Tx) error { return c.opened.tokens.Create(ctx, tx, id, e) }); err != nil {
		return err
	}
	return c.complete(ctx, a, e, id)
}

// nameLogin names the token of a login after where it came from.
func (c *Core) nameLogin(x *Exchange, a *logical.Auth, e *token.Entry) {
	if a.DisplayName != "" {
		e.DisplayName = x.Mount.Path[len(AuthPrefix):len(x.Mount.Path)-1] + "-" + a.DisplayName
	} else {
		e.DisplayName = x.Mount.Path[len(AuthPrefix) : len(x.Mount.Path)-1]
	}
}

// recognize finds out who a token is for, if it is for anybody: whom the mount knows by an alias, else whose token made it.
func (c *Core) recognize(ctx context.Context, m *Mount, a *logical.Auth, e *token.Entry, now time.Time) error {
	if a.Alias != nil && c.options.Identity != nil {
		id, err := c.options.Identity.Login(ctx, c.identityStorage, m, LoginBy{a.Alias, a.GroupAliases}, now)
		if err != nil {
			return err
		}
		e.EntityID = id
	}
	a.EntityID = e.EntityID
	return nil
}

// tokenPolicies are those that the token is given: sorted, each once, with "default" unless it is not wanted.
func tokenPolicies(a *logical.Auth) []string {
	list := slices.Clone(a.Policies)
	if slices.Contains(list, "root") {
		return []string{"root"}
	}
	if !a.NoDefaultPolicy && !slices.Contains(list, "default") {
		list = append(list, "default")
	}
	return sortedUnique(list)
}

// limitTTL gives a token its end. A root token without a TTL has none.
func (c *Core) limitTTL(x *Exchange, a *logical.Auth, e *token.Entry) {
	def, limit := x.Mount.TTLs()
	root := slices.Contains(e.Policies, "root")
	if e.Period > 0 {
		e.TTL, e.MaxTTL = e.Period, 0
		if e.ExplicitMaxTTL > 0 {
			e.TTL = min(e.TTL, e.ExplicitMaxTTL)
		}
	} else {
		if e.TTL <= 0 && !root {
			e.TTL = def
		}
		if e.MaxTTL <= 0 || e.MaxTTL > limit {
			e.MaxTTL = limit
		}
		if e.ExplicitMaxTTL > 0 {
			e.MaxTTL = min(e.MaxTTL, e.ExplicitMaxTTL)
		}
		if e.TTL > e.MaxTTL && !(root && a.TTL == 0) {
			e.TTL = e.MaxTTL
		}
	}
	if e.TTL > 0 {
		e.Expires = x.Call.Time.Add(e.TTL)
	} else {
		e.Renewable = false
	}
}

func (c *Core) issueBatch(x *Exchange, a *logical.Auth, e *token.Entry) error {
	e.Type, e.Renewable, e.Limited, e.NumUses = token.Batch, false, false, 0
	if e.TTL <= 0 {
		return logical.Invalid("batch tokens must have a TTL")
	}
	id, err := c.opened.tokens.SealBatch(e)
	if err != nil {
		return err
	}
	if len(id) > 8<<10 {
		return logical.Fail(http.StatusBadRequest, "the batch token would be too large")
	}
	return c.complete(context.Background(), a, e, id)
}

// complete fills the answer with what the token has become.
func (c *Core) complete(ctx context.Context, a *logical.Auth, e *token.Entry, id string) error {
	a.ClientToken, a.Accessor, a.TTL, a.Renewable, a.Orphan = id, e.Accessor, e.TTL, e.Renewable, e.Parent == ""
	a.Batch, a.NumUses, a.DisplayName = e.Type == token.Batch, e.NumUses, e.DisplayName
	a.TokenPolicies, a.Policies = e.Policies, e.Policies
	more, err := c.IdentityPolicies(ctx, e)
	if err != nil || len(more) == 0 {
		return err
	}
	a.IdentityPolicies = more
	a.Policies = sortedUnique(append(slices.Clone(e.Policies), more...))
	return nil
}

// NewToken makes a token that no request has asked for: the root token of a new vault, a wrapping token.
func (c *Core) NewToken(ctx context.Context, tx storage.Tx, e *token.Entry, now time.Time) (string, error) {
	id, err := token.New()
	if err != nil {
		return "", err
	}
	if e.Accessor, err = token.NewAccessor(); err != nil {
		return "", err
	}
	e.Created, e.Issued = now, now
	if e.TTL > 0 {
		e.Expires = now.Add(e.TTL)
	}
	return id, c.opened.tokens.Create(ctx, tx, id, e)
}
