package vault

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/policy"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

var (
	// ErrSealed is what a sealed vault answers.
	ErrSealed = &logical.Error{Status: http.StatusServiceUnavailable, Errors: []string{"Vault is sealed"}}
	// ErrNotInitialized is what a vault without a keyring answers.
	ErrNotInitialized = &logical.Error{Status: http.StatusNotImplemented, Errors: []string{"Vault is not initialized"}}

	errAudit       = logical.Fail(http.StatusInternalServerError, "internal error: no audit device took the entry")
	errUnavailable = logical.Fail(http.StatusServiceUnavailable, "the storage cannot be reached")
	errFull        = logical.Fail(http.StatusInsufficientStorage, "the storage is full")
	errInternal    = logical.Fail(http.StatusInternalServerError, "internal error")
)

// Handle answers one request. It always returns a reply; what went wrong inside is logged, not told.
func (c *Core) Handle(ctx context.Context, call *Call) *Reply {
	began := time.Now() // the core's own clock may stand still
	reply := c.handle(ctx, call)
	c.measures.observe(call.Operation, reply.Status, time.Since(began))
	if c.sealNext.Swap(false) {
		c.SealNow()
	}
	if c.reopenNext.Swap(false) {
		c.reopen(context.WithoutCancel(ctx))
	}
	return reply
}

// SealNext seals the node when the request that is being served has been answered.
func (c *Core) SealNext() { c.sealNext.Store(true) }

func (c *Core) handle(ctx context.Context, call *Call) *Reply {
	c.state.RLock()
	defer c.state.RUnlock()
	if c.opened == nil {
		return c.refuse(call, ErrSealed)
	}
	c.inflight.add(call)
	defer c.inflight.remove(call)
	x := &Exchange{Call: call, Operation: call.Operation}
	// What others have changed is seen from here on.
	if err := c.store.Refresh(ctx); err != nil {
		return c.refuse(call, err)
	}
	headers, refusal, err := c.limit(ctx, call)
	if err != nil {
		return c.refuse(call, err)
	}
	if refusal != nil {
		return refusal
	}
	backend, r, err := c.admit(ctx, x)
	if auditErr := c.audit.Request(ctx, withError(x, err)); auditErr != nil {
		c.refusedByAudit(auditErr)
		return c.refuse(call, errAudit)
	}
	var resp *logical.Response
	if err == nil {
		resp, err = c.serve(ctx, x, backend, r)
	}
	x.Response = resp
	if x.Last {
		if revokeErr := c.RevokeToken(ctx, x.Token.Hash, call.Time); revokeErr != nil {
			c.log.Error("revoking a token without uses failed; it is not accepted any more", "error", revokeErr)
		}
	}
	reply := c.reply(x, err)
	reply.add(headers)
	if auditErr := c.audit.Response(ctx, withError(x, err)); auditErr != nil {
		c.refusedByAudit(auditErr)
		reply.drop()
		return c.refuse(call, errAudit)
	}
	return reply
}

func (c *Core) refusedByAudit(err error) {
	c.measures.refused.Add()
	c.log.Error("the audit devices refuse entries", "error", err)
}

func withError(x *Exchange, err error) *Exchange {
	x.Err = err
	return x
}

// admit takes a request through the gates: mount, token, uses, policy. It returns what is to be called.
func (c *Core) admit(ctx context.Context, x *Exchange) (*logical.Backend, *logical.Request, error) {
	call := x.Call
	if err := checkPath(call); err != nil {
		return nil, nil, err
	}
	table, err := c.Table(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, rest := table.Find(call.Path)
	if m == nil { // "secret" means "secret/"
		m, rest = table.Find(call.Path + "/")
	}
	x.Mount = m
	var backend *logical.Backend
	var route *logical.Route
	if m != nil {
		if backend = c.BackendOf(m); backend != nil {
			route, _ = backend.Match(rest)
			x.route = route
		}
	}
	entry, err := c.identify(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	open := route != nil && route.Open
	if entry == nil && !open {
		return nil, nil, logical.ErrPermissionDenied
	}
	x.Token = entry
	r := &logical.Request{
		ID: call.ID, Operation: call.Operation, Path: rest, Data: logical.NewData(call.Data), Body: call.Body, Remote: call.Remote.Addr(), Presented: call.Token,
		Header: call.Header, Time: call.Time,
	}
	if m != nil {
		r.Mount, r.Storage = strings.TrimPrefix(m.Path, AuthPrefix), c.store.At(m.Prefix())
	}
	if entry != nil {
		r.Token = tokenOf(call, entry) // before anything is asked of the backend
	}
	if !open {
		if err := c.permit(ctx, x, backend, route, r); err != nil {
			return nil, nil, err
		}
	}
	if backend == nil {
		return nil, nil, logical.Fail(http.StatusNotFound, "no handler for route %q. route entry not found.", call.Path)
	}
	if m.Upgrading {
		return nil, nil, errUpgrading
	}
	r.Operation = x.Operation
	if entry != nil {
		r.Token.Sudo = x.Sudo
	}
	return backend, r, nil
}

// checkPath refuses paths that mean something else to others than they say.
func checkPath(call *Call) error {
	path := call.Path
	switch call.Operation {
	case logical.Create, logical.Update, logical.Patch:
		if strings.HasSuffix(path, "/") {
			return logical.Invalid("cannot write to a path ending in '/'")
		}
	}
	for _, b := range []byte(path) {
		if b < ' ' || b == 0x7f {
			return logical.Invalid("path cannot contain non-printable characters")
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == ".." {
			return logical.Invalid("path cannot contain parent references")
		}
	}
	return nil
}

// identify finds the token of a request; nil without one, or with one that is not valid, which is no better.
func (c *Core) identify(ctx context.Context, call *Call) (*token.Entry, error) {
	if call.Token == "" {
		return nil, nil
	}
	e, err := c.opened.tokens.Lookup(ctx, call.Token, call.Time)
	if errors.Is(err, token.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if e.Spent() {
		return nil, nil
	}
	if len(e.BoundCIDRs) > 0 && !within(call.Remote.Addr(), e.BoundCIDRs) {
		return nil, nil
	}
	return e, nil
}

// permit checks the policies and takes one use of the token.
func (c *Core) permit(ctx context.Context, x *Exchange, backend *logical.Backend, route *logical.Route, r *logical.Request) error {
	if x.Token.Limited {
		last, err := c.opened.tokens.Use(ctx, x.Token.Hash)
		if errors.Is(err, token.ErrInvalid) {
			return logical.ErrPermissionDenied
		}
		if err != nil {
			return err
		}
		x.Last = last
	}
	acl, err := c.aclOf(ctx, x.Token)
	if err != nil {
		return err
	}
	if route != nil && route.Exists != nil && x.Operation == logical.Update {
		_, r.Params = backend.Match(r.Path)
		found, err := route.Exists(ctx, r)
		if err != nil {
			return err
		}
		if !found {
			x.Operation = logical.Create
		}
	}
	q := policy.Query{Path: x.Call.Path, Data: x.Call.Data, WrapTTL: x.Call.WrapTTL, Time: x.Call.Time}
	q.Capability, _ = policy.ParseCapability(string(x.Operation)) // help is none, and nobody is refused it
	d := acl.Check(q)
	if d.Limit > 0 && isList(x.Operation) {
		limitKeys(r, d.Limit)
	}
	if d.KeysFilter != "" && isList(x.Operation) {
		x.visible = func(key string) bool { return visible(acl, d.KeysFilter, x.Call, key) }
	}
	x.Policies, x.Sudo = d.Policies, d.Sudo || d.Root
	if x.Operation == logical.Help {
		d.Allowed = true // what a path is for is no secret to whoever has a token
	}
	if !d.Allowed || route != nil && route.Sudo && !x.Sudo {
		return logical.ErrPermissionDenied
	}
	x.Allowed = true
	return nil
}

// limitKeys bounds a list that the request leaves unbounded; a request that asks for more was refused.
func limitKeys(r *logical.Request, limit int) {
	if n := r.Data.Int("limit"); n >= 1 {
		return
	}
	raw := maps.Clone(r.Data.Raw)
	if raw == nil {
		raw = map[string]any{}
	}
	raw["limit"] = strconv.Itoa(limit)
	r.Data = logical.NewData(raw)
}

// visible reports whether a list shows a key to somebody whose policy says that only what may be read is shown.
func visible(acl *policy.ACL, filter string, call *Call, key string) bool {
	path, ok := policy.FilterPath(filter, call.Path, key)
	if !ok {
		return false
	}
	c := policy.Read
	if strings.HasSuffix(path, "/") {
		c = policy.List
	}
	return acl.Check(policy.Query{Capability: c, Path: path, Time: call.Time}).Allowed
}

// tokenOf is what a backend may know of the token.
func tokenOf(call *Call, e *token.Entry) *logical.Token {
	return &logical.Token{
		ID: call.Token, Hash: e.Hash, Accessor: e.Accessor, DisplayName: e.DisplayName, EntityID: e.EntityID, Policies: e.Policies,
		Meta: e.Meta, Path: e.Path, Batch: e.Type == token.Batch, Root: e.Root(),
	}
}

// serve calls the backend and does what its answer asks for: a lease, a token, wrapping.
func (c *Core) serve(ctx context.Context, x *Exchange, b *logical.Backend, r *logical.Request) (*logical.Response, error) {
	if x.Operation == logical.Help {
		return c.help(x, b, r)
	}
	resp, err := c.call(ctx, x, b, r)
	if err != nil || resp == nil {
		return resp, err
	}
	if x.visible != nil {
		resp.Keys = slices.DeleteFunc(slices.Clone(resp.Keys), func(k string) bool { return !x.visible(k) })
		maps.DeleteFunc(resp.KeyInfo, func(k string, _ any) bool { return !x.visible(k) })
	}
	if resp.Auth != nil {
		if err := c.issue(ctx, x, resp); err != nil {
			return nil, err
		}
	}
	if resp.Lease != nil && b.Revoke != nil {
		if err := c.registerLease(ctx, x, resp); err != nil {
			return nil, err
		}
	}
	return c.maybeWrap(ctx, x, resp)
}

func (c *Core) registerLease(ctx context.Context, x *Exchange, resp *logical.Response) error {
	l := resp.Lease
	def, limit := x.Mount.TTLs()
	if l.TTL <= 0 {
		l.TTL = def
	}
	if l.MaxTTL <= 0 || l.MaxTTL > limit {
		l.MaxTTL = limit
	}
	l.TTL = min(l.TTL, l.MaxTTL)
	hash := ""
	if x.Token != nil && x.Token.Type != token.Batch {
		hash = x.Token.Hash
	}
	e, err := c.leases.Register(ctx, x.Call.Path, hash, l, x.Call.Time)
	if err != nil {
		return err
	}
	l.ID, l.IssueTime, l.ExpireTime = e.ID, e.Issued, e.Expires
	return nil
}

// public turns any error into what the client is told, and logs what it is not told.
func (c *Core) public(call *Call, err error) *logical.Error {
	var known *logical.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, barrier.ErrSealed):
		return ErrSealed
	case errors.Is(err, storage.ErrTooLarge):
		return logical.Fail(http.StatusRequestEntityTooLarge, "the path or the value is too large to be stored")
	case errors.Is(err, storage.ErrInvalidKey):
		return logical.Invalid("the path cannot be stored")
	}
	unavailable := errors.Is(err, storage.ErrUnavailable)
	if !unavailable || c.complaint.now(call.Time) { // while the database is away every request fails
		c.log.Error("a request failed", "request", call.ID, "operation", call.Operation, "error", err)
	}
	switch {
	case errors.Is(err, storage.ErrFull):
		return errFull
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrLocked), errors.Is(err, storage.ErrClosed),
		errors.Is(err, context.DeadlineExceeded):
		return errUnavailable
	}
	return errInternal
}

func (c *Core) refuse(call *Call, err error) *Reply { return errorReply(c.public(call, err)) }
