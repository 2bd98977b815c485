package tokens

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (m *Method) roleRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "allowed_policies", Type: logical.CommaList, Help: "Policies that a token may have."},
		{Name: "allowed_policies_glob", Type: logical.CommaList, Help: "Patterns of policies that a token may have."},
		{Name: "disallowed_policies", Type: logical.CommaList, Help: "Policies that a token may not have."},
		{Name: "disallowed_policies_glob", Type: logical.CommaList, Help: "Patterns of policies that a token may not have."},
		{Name: "allowed_entity_aliases", Type: logical.CommaList, Help: "Names that a token may be made for."},
		{Name: "orphan", Type: logical.Bool, Help: "Tokens have no parent."},
		{Name: "renewable", Type: logical.Bool, Default: true, Help: "Tokens can be renewed."},
		{Name: "path_suffix", Type: logical.String, Help: "Ends the path of the tokens' leases."},
		{Name: "token_period", Type: logical.Seconds, Help: "Renewals give this much, without end."},
		{Name: "period", Type: logical.Seconds, Help: "The older name of token_period."},
		{Name: "token_explicit_max_ttl", Type: logical.Seconds, Help: "The end that no renewal passes."},
		{Name: "explicit_max_ttl", Type: logical.Seconds, Help: "The older name of token_explicit_max_ttl."},
		{Name: "token_bound_cidrs", Type: logical.CommaList, Help: "Networks that tokens may be used from."},
		{Name: "bound_cidrs", Type: logical.CommaList, Help: "The older name of token_bound_cidrs."},
		{Name: "token_no_default_policy", Type: logical.Bool, Help: "Leave the default policy out."},
		{Name: "token_num_uses", Type: logical.Int, Help: "How often tokens may be used; 0: any number."},
		{Name: "token_type", Type: logical.String, Default: "default-service", Help: "service, batch, default-service or default-batch."},
	}
	return []*logical.Route{
		{Pattern: "roles", Synopsis: "Lists the roles.", Ops: ops{logical.List: listRoles}},
		{Pattern: "roles/:role_name", Fields: fields, Synopsis: "Reads, writes or deletes a role.", Exists: roleExists,
			Ops: ops{logical.Read: readRole, logical.Update: writeRole, logical.Delete: deleteRole}},
	}
}

func listRoles(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	keys, err := r.Storage.List(ctx, roleFolder, r.Data.String("after"), r.Data.Int("limit"))
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

func roleExists(ctx context.Context, r *logical.Request) (bool, error) {
	role, err := logical.Load[Role](ctx, r.Storage, roleFolder+r.Params.Get("role_name"))
	return role != nil, err
}

func readRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := logical.Load[Role](ctx, r.Storage, roleFolder+r.Params.Get("role_name"))
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, logical.ErrNotFound
	}
	kind := role.Type
	if kind == "" {
		kind = "default-service"
	}
	data := map[string]any{
		"name": role.Name, "allowed_policies": list(role.Allowed), "allowed_policies_glob": list(role.AllowedGlob),
		"disallowed_policies": list(role.Disallowed), "disallowed_policies_glob": list(role.DisallowedGlob),
		"allowed_entity_aliases": role.AllowedAliases, "orphan": role.Orphan, "renewable": !role.NotRenewable, "path_suffix": role.PathSuffix,
		"period": int64(role.Period / time.Second), "token_period": int64(role.Period / time.Second),
		"explicit_max_ttl": int64(role.ExplicitMaxTTL / time.Second), "token_explicit_max_ttl": int64(role.ExplicitMaxTTL / time.Second),
		"token_bound_cidrs": role.BoundCIDRs, "token_no_default_policy": role.NoDefaultPolicy, "token_num_uses": role.NumUses, "token_type": kind,
	}
	return &logical.Response{Data: data}, nil
}

// list is never null.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

func writeRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("role_name")
	err := r.Storage.Update(ctx, func(tx storage.Tx) error {
		role, err := logical.Get[Role](ctx, tx, roleFolder+name)
		if err != nil {
			return err
		}
		if role == nil {
			role = &Role{Name: name}
		}
		if err := role.set(r.Data); err != nil {
			return err
		}
		return logical.Put(ctx, tx, roleFolder+name, role)
	})
	return nil, err
}

// set takes over what was given.
func (role *Role) set(d logical.Data) error {
	for field, to := range map[string]*[]string{
		"allowed_policies": &role.Allowed, "allowed_policies_glob": &role.AllowedGlob, "disallowed_policies": &role.Disallowed,
		"disallowed_policies_glob": &role.DisallowedGlob, "allowed_entity_aliases": &role.AllowedAliases,
	} {
		if d.Has(field) {
			*to = clean(d.Strings(field))
		}
	}
	for _, p := range slices.Concat(role.AllowedGlob, role.DisallowedGlob) {
		if _, err := path.Match(p, ""); err != nil {
			return logical.Invalid("%q is no pattern", p)
		}
	}
	for _, name := range []string{"period", "token_period"} {
		if d.Has(name) {
			role.Period = d.Duration(name)
		}
	}
	for _, name := range []string{"explicit_max_ttl", "token_explicit_max_ttl"} {
		if d.Has(name) {
			role.ExplicitMaxTTL = d.Duration(name)
		}
	}
	if role.Period < 0 || role.ExplicitMaxTTL < 0 {
		return logical.Invalid("a role's times cannot be negative")
	}
	for _, name := range []string{"bound_cidrs", "token_bound_cidrs"} {
		if !d.Has(name) {
			continue
		}
		bounds, err := tokenfields.Networks(d.Strings(name))
		if err != nil {
			return err
		}
		role.BoundCIDRs = bounds
	}
	return role.setRest(d)
}

func (role *Role) setRest(d logical.Data) error {
	if d.Has("orphan") {
		role.Orphan = d.Bool("orphan")
	}
	if d.Has("renewable") {
		role.NotRenewable = !d.Bool("renewable")
	}
	if d.Has("path_suffix") {
		role.PathSuffix = d.String("path_suffix")
	}
	if d.Has("token_no_default_policy") {
		role.NoDefaultPolicy = d.Bool("token_no_default_policy")
	}
	if d.Has("token_num_uses") {
		if role.NumUses = d.Int("token_num_uses"); role.NumUses < 0 {
			return logical.Invalid("'token_num_uses' cannot be negative")
		}
	}
	if d.Has("token_type") {
		role.Type = d.String("token_type")
		if !slices.Contains([]string{"default-service", "default-batch", "service", "batch"}, role.Type) {
			return logical.Invalid("invalid 'token_type' value %q", role.Type)
		}
	}
	return nil
}

func deleteRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, logical.Remove(ctx, r.Storage, roleFolder+r.Params.Get("role_name"))
}
