package sys

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) uiRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "internal/ui/mounts", Open: true, Synopsis: "Lists the mounts that the caller may see.", Ops: ops{logical.Read: s.uiMounts}},
		{Pattern: "internal/ui/mounts/*path", Open: true, Synopsis: "Shows the mount that a path lies in.", Ops: ops{logical.Read: s.uiMount}},
		{Pattern: "internal/ui/resultant-acl", Synopsis: "Shows what the caller's policies allow.", Ops: ops{logical.Read: s.resultantACL}},
	}
}

// uiMounts lists what the caller may do anything with; without a token what is marked as visible to all.
func (s *System) uiMounts(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	t, err := s.core.Table(ctx)
	if err != nil {
		return nil, err
	}
	secret, auth := map[string]any{}, map[string]any{}
	for _, m := range t.Sorted() {
		visible := m.Config.ListingVisibility == "unauth"
		if r.Token != nil && !visible {
			if visible, err = s.mayUse(ctx, r, m); err != nil {
				return nil, err
			}
		}
		if !visible {
			continue
		}
		v := s.describe(m)
		if r.Token == nil {
			v = map[string]any{"type": m.Type, "description": m.Description, "options": v["options"]}
		}
		if m.Auth() {
			auth[strings.TrimPrefix(m.Path, vault.AuthPrefix)] = v
		} else {
			secret[m.Path] = v
		}
	}
	return &logical.Response{Data: map[string]any{"secret": secret, "auth": auth}}, nil
}

// mayUse reports whether a policy of the caller says anything of a mount or what is below it.
func (s *System) mayUse(ctx context.Context, r *logical.Request, m *vault.Mount) (bool, error) {
	e, err := s.core.Tokens().Lookup(ctx, r.Token.ID, r.Time)
	if err != nil {
		return false, invalidToken(err, "invalid token")
	}
	acl, _, err := s.core.ACLOf(ctx, e)
	if err != nil {
		return false, err
	}
	return acl.At(r.Time).Reaches(m.Path), nil
}

func (s *System) uiMount(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if r.Token == nil {
		return nil, logical.ErrPermissionDenied
	}
	t, err := s.core.Table(ctx)
	if err != nil {
		return nil, err
	}
	path := r.Params.Get("path")
	m, _ := t.Find(path)
	if m == nil {
		m, _ = t.Find(strings.TrimSuffix(path, "/") + "/")
	}
	if m == nil {
		return nil, logical.ErrPermissionDenied
	}
	may, err := s.mayUse(ctx, r, m)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, logical.ErrPermissionDenied
	}
	v := s.describe(m)
	v["path"] = m.Path
	return &logical.Response{Data: v}, nil
}

func (s *System) resultantACL(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	e, err := s.core.Tokens().Lookup(ctx, r.Token.ID, r.Time)
	if err != nil {
		return nil, invalidToken(err, "invalid token")
	}
	_, rules, err := s.core.ACLOf(ctx, e)
	if err != nil {
		return nil, err
	}
	exact, glob := map[string]any{}, map[string]any{}
	for _, p := range rules {
		for _, rule := range p.Rules {
			v := map[string]any{"capabilities": rule.Capabilities.Names()}
			if prefix, ok := strings.CutSuffix(rule.Path, "*"); ok {
				glob[prefix] = v
			} else {
				exact[rule.Path] = v
			}
		}
	}
	return &logical.Response{Data: map[string]any{"exact_paths": exact, "glob_paths": glob, "root": e.Root()}}, nil
}
