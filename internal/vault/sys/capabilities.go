package sys

import (
	"context"
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

func (s *System) capabilityRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "token", Type: logical.String, Help: "The token that is asked about."},
		{Name: "accessor", Type: logical.String, Help: "The accessor of that token."},
		{Name: "path", Type: logical.CommaList, Help: "Paths; the older name of paths."},
		{Name: "paths", Type: logical.CommaList, Help: "Paths."},
	}
	route := func(pattern string, find func(context.Context, *logical.Request) (*token.Entry, error)) *logical.Route {
		return &logical.Route{Pattern: pattern, Fields: fields, Synopsis: "Says what a token may do on paths.", Ops: ops{
			logical.Update: func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
				e, err := find(ctx, r)
				if err != nil {
					return nil, err
				}
				return s.capabilities(ctx, r, e)
			},
		}}
	}
	return []*logical.Route{
		route("capabilities", s.byToken), route("capabilities-self", s.self), route("capabilities-accessor", s.byAccessor),
	}
}

func (s *System) byToken(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	e, err := s.core.Tokens().Lookup(ctx, r.Data.String("token"), r.Time)
	return e, invalidToken(err, "invalid token")
}

func (s *System) self(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	e, err := s.core.Tokens().Lookup(ctx, r.Token.ID, r.Time)
	return e, invalidToken(err, "invalid token")
}

func (s *System) byAccessor(ctx context.Context, r *logical.Request) (*token.Entry, error) {
	e, err := s.core.Tokens().ByAccessor(ctx, r.Data.String("accessor"), r.Time)
	return e, invalidToken(err, "invalid accessor")
}

func invalidToken(err error, text string) error {
	if errors.Is(err, token.ErrInvalid) {
		return logical.Invalid("1 error occurred:\n\t* %s\n\n", text)
	}
	return err
}

func (s *System) capabilities(ctx context.Context, r *logical.Request, e *token.Entry) (*logical.Response, error) {
	paths := append(r.Data.Strings("paths"), r.Data.Strings("path")...)
	if len(paths) == 0 {
		return nil, logical.Invalid("paths must be supplied")
	}
	acl, _, err := s.core.ACLOf(ctx, e)
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	for _, p := range paths {
		data[p] = acl.At(r.Time).Capabilities(p)
	}
	if len(paths) == 1 {
		data["capabilities"] = data[paths[0]]
	}
	return all(data), nil
}

// explain says which rule decides.
func (s *System) explain(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if r.Data.String("path") == "" {
		return nil, logical.Invalid("path must be supplied")
	}
	rules, err := s.rulesFor(ctx, r)
	if err != nil {
		return nil, err
	}
	capability, ok := policy.ParseCapability(r.Data.String("capability"))
	if !ok {
		return nil, logical.Invalid("there is no capability %q", r.Data.String("capability"))
	}
	x := policy.Explain(rules, policy.Query{Capability: capability, Path: r.Data.String("path"), Time: r.Time})
	return &logical.Response{Data: explanation(x)}, nil
}

func (s *System) rulesFor(ctx context.Context, r *logical.Request) ([]*policy.Policy, error) {
	e := &token.Entry{Policies: r.Data.Strings("policies")}
	if len(e.Policies) == 0 {
		id := r.Data.String("token")
		if id == "" {
			id = r.Token.ID
		} else if !r.Token.Sudo {
			return nil, logical.ErrPermissionDenied
		}
		var err error
		if e, err = s.core.Tokens().Lookup(ctx, id, r.Time); err != nil {
			return nil, invalidToken(err, "invalid token")
		}
	}
	_, rules, err := s.core.ACLOf(ctx, e)
	return rules, err
}
