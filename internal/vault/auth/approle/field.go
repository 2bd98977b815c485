package approle

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// fieldRoutes are the paths of the single parameters of a role: role/<name>/<parameter>.
func fieldRoutes() []*logical.Route {
	var routes []*logical.Route
	for path, field := range map[string]string{
		"policies": "token_policies", "bind-secret-id": "bind_secret_id", "secret-id-num-uses": "secret_id_num_uses",
		"secret-id-ttl": "secret_id_ttl", "token-ttl": "token_ttl", "token-max-ttl": "token_max_ttl", "token-num-uses": "token_num_uses",
		"period": "token_period", "secret-id-bound-cidrs": "secret_id_bound_cidrs", "bound-cidr-list": "secret_id_bound_cidrs",
		"token-bound-cidrs": "token_bound_cidrs", "local-secret-ids": "local_secret_ids",
	} {
		o := ops{logical.Read: readField(field), logical.Update: writeField(field), logical.Delete: clearField(field)}
		if field == "local_secret_ids" {
			o = ops{logical.Read: readField(field)}
		}
		routes = append(routes, &logical.Route{
			Pattern: "role/:role_name/" + path, Fields: roleFields(), Ops: o, Synopsis: "Shows, sets or clears one parameter of a role.",
		})
	}
	return append(routes, &logical.Route{
		Pattern: "role/:role_name/role-id", Fields: roleFields(), Synopsis: "Shows or sets the role id.",
		Ops: ops{logical.Read: readRoleID, logical.Update: writeRoleID},
	})
}

func readField(field string) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		role, err := load(ctx, r)
		if err != nil {
			return nil, err
		}
		return &logical.Response{Data: map[string]any{field: role.describe()[field]}}, nil
	}
}

func writeField(string) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		return nil, change(ctx, r, func(role *Role, _ bool) error { return role.set(r.Data) }, false)
	}
}

// clearField gives a parameter its default.
func clearField(field string) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		return nil, change(ctx, r, func(role *Role, _ bool) error {
			fresh := tokenfields.Params{}
			switch field {
			case "token_policies":
				role.Token.Policies = nil
			case "bind_secret_id":
				role.BindSecretID = true
			case "secret_id_num_uses":
				role.SecretUses = 0
			case "secret_id_ttl":
				role.SecretTTL = 0
			case "token_ttl":
				role.Token.TTL = fresh.TTL
			case "token_max_ttl":
				role.Token.MaxTTL = fresh.MaxTTL
			case "token_num_uses":
				role.Token.NumUses = 0
			case "token_period":
				role.Token.Period = fresh.Period
			case "secret_id_bound_cidrs":
				role.SecretCIDRs = nil
			case "token_bound_cidrs":
				role.Token.BoundCIDRs = nil
			}
			return nil
		}, false)
	}
}

func readRoleID(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := load(ctx, r)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"role_id": role.RoleID}}, nil
}

func writeRoleID(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if r.Data.String("role_id") == "" {
		return nil, logical.Invalid("missing role_id")
	}
	return nil, change(ctx, r, func(role *Role, _ bool) error { return role.set(r.Data) }, false)
}
