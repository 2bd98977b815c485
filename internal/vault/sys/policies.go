package sys

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) policyRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "name", Type: logical.LowerCase, Help: "The name of the policy."},
		{Name: "policy", Type: logical.String, Help: "The rules, in HCL or JSON; base64 is accepted."},
		{Name: "rules", Type: logical.String, Help: "The older name of policy."},
	}
	list := func(old bool) logical.Handler {
		return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
			return s.listPolicies(ctx, old)
		}
	}
	read := func(old bool) logical.Handler {
		return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
			return s.readPolicy(ctx, r, old)
		}
	}
	var routes []*logical.Route
	for base, old := range map[string]bool{"policies/acl": false, "policy": true} {
		top := &logical.Route{Pattern: base, Synopsis: "Lists the policies.", Ops: ops{logical.List: list(old)}}
		if old {
			top.Ops[logical.Read] = list(old)
		}
		routes = append(routes, top, &logical.Route{
			Pattern: base + "/:name", Fields: fields, Synopsis: "Reads, writes or deletes a policy.",
			Ops: ops{logical.Read: read(old), logical.Update: s.writePolicy, logical.Delete: s.deletePolicy},
		})
	}
	return append(routes, &logical.Route{
		Pattern: "policies/explain", Synopsis: "Says which rule of which policy decides on a request, and what would allow it.",
		Fields: []logical.Field{
			{Name: "path", Type: logical.String, Help: "The path that would be asked."},
			{Name: "capability", Type: logical.String, Default: "read", Help: "What would be asked of it."},
			{Name: "token", Type: logical.String, Help: "Whose policies; the caller's by default."},
			{Name: "policies", Type: logical.CommaList, Help: "These policies instead of a token's."},
		},
		Ops: ops{logical.Update: s.explain},
	})
}

func (s *System) listPolicies(ctx context.Context, old bool) (*logical.Response, error) {
	names, err := s.core.Storage().List(ctx, vault.PolicyFolder, "", 0)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == vault.ResponseWrappingPolicy })
	names = append(names, "root")
	slices.Sort(names)
	if old {
		return all(map[string]any{"keys": names, "policies": names}), nil
	}
	return &logical.Response{Keys: names}, nil
}

func (s *System) readPolicy(ctx context.Context, r *logical.Request, old bool) (*logical.Response, error) {
	name := strings.ToLower(r.Params.Get("name"))
	p := &vault.ParsedPolicy{StoredPolicy: vault.StoredPolicy{Name: "root"}}
	if name != "root" {
		var err error
		if p, err = s.core.Policy(ctx, name); err != nil {
			return nil, err
		}
	}
	if p == nil {
		return nil, logical.ErrNotFound
	}
	data := map[string]any{"name": p.Name, "version": p.Version, "cas_required": false, "modified": p.Modified.Format(time.RFC3339Nano)}
	if old {
		data["rules"] = p.Text
		return all(data), nil
	}
	data["policy"] = p.Text
	return &logical.Response{Data: data}, nil
}

func (s *System) writePolicy(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := strings.ToLower(r.Params.Get("name"))
	text := r.Data.String("policy")
	if text == "" {
		text = r.Data.String("rules")
	}
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) > 0 {
		text = string(raw)
	}
	switch {
	case name == "root" || name == vault.ResponseWrappingPolicy:
		return nil, logical.Invalid("cannot update %q policy", name)
	case text == "":
		return nil, logical.Invalid("'policy' parameter not supplied or empty")
	}
	if _, err := policy.Parse(name, text); err != nil {
		return nil, logical.Invalid("Error parsing policy: %v", err)
	}
	return nil, s.core.Storage().Update(ctx, func(tx storage.Tx) error {
		before, err := logical.Get[vault.StoredPolicy](ctx, tx, vault.PolicyFolder+name)
		if err != nil {
			return err
		}
		p := vault.StoredPolicy{Name: name, Text: text, Version: 1, Modified: r.Time.UTC()}
		if before != nil {
			p.Version = before.Version + 1
		}
		return logical.Put(ctx, tx, vault.PolicyFolder+name, p)
	})
}

func (s *System) deletePolicy(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := strings.ToLower(r.Params.Get("name"))
	if name == "root" || name == "default" || name == vault.ResponseWrappingPolicy {
		return nil, logical.Invalid("cannot delete %q policy", name)
	}
	return nil, logical.Remove(ctx, s.core.Storage(), vault.PolicyFolder+name)
}
