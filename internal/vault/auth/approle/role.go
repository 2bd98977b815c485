package approle

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func roleFields() []logical.Field {
	return append([]logical.Field{
		{Name: "bind_secret_id", Type: logical.Bool, Default: true, Help: "A login needs a secret id."},
		{Name: "secret_id_bound_cidrs", Type: logical.CommaList, Help: "Networks that logins are bound to."},
		{Name: "bound_cidr_list", Type: logical.CommaList, Help: "The older name of secret_id_bound_cidrs."},
		{Name: "secret_id_num_uses", Type: logical.Int, Help: "How often a secret id may be used; 0: any number."},
		{Name: "secret_id_ttl", Type: logical.Seconds, Help: "How long a secret id lives; 0: without end."},
		{Name: "local_secret_ids", Type: logical.Bool, Help: "Kept for clients that send it; only when the role is made."},
		{Name: "role_id", Type: logical.String, Help: "The role id; a random one by default."},
	}, tokenfields.Fields()...)
}

func roleRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "role", Synopsis: "Lists the roles.", Ops: ops{logical.List: listRoles}},
		{
			Pattern: "role/:role_name", Fields: roleFields(), Synopsis: "Makes, shows, changes or deletes a role.",
			Ops: ops{logical.Read: readRole, logical.Update: writeRole, logical.Delete: deleteRole}, Exists: roleExists,
		},
	}
}

// nameOf is the role that a request is about; names do not know capitals.
func nameOf(r *logical.Request) string { return strings.ToLower(r.Params.Get("role_name")) }

func roleExists(ctx context.Context, r *logical.Request) (bool, error) {
	role, err := logical.Load[Role](ctx, r.Storage, roleFolder+nameOf(r))
	return role != nil, err
}

// load returns the role of a request, or 404.
func load(ctx context.Context, r *logical.Request) (*Role, error) {
	role, err := logical.Load[Role](ctx, r.Storage, roleFolder+nameOf(r))
	if err == nil && role == nil {
		err = logical.ErrNotFound
	}
	return role, err
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

func (role *Role) describe() map[string]any {
	data := map[string]any{
		"bind_secret_id": role.BindSecretID, "secret_id_bound_cidrs": orNil(role.SecretCIDRs), "secret_id_num_uses": role.SecretUses,
		"secret_id_ttl": int64(role.SecretTTL / time.Second), "local_secret_ids": role.Local,
	}
	role.Token.Describe(data)
	return data
}

func orNil(list []netip.Prefix) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func readRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := load(ctx, r)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: role.describe()}, nil
}

func writeRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, change(ctx, r, func(role *Role, made bool) error {
		if r.Data.Has("local_secret_ids") {
			if !made {
				return logical.Invalid("local_secret_ids can only be modified during role creation")
			}
			role.Local = r.Data.Bool("local_secret_ids")
		}
		return role.set(r.Data)
	}, true)
}

// set takes over what was given.
func (role *Role) set(d logical.Data) error {
	if d.Has("bind_secret_id") {
		role.BindSecretID = d.Bool("bind_secret_id")
	}
	for _, name := range []string{"bound_cidr_list", "secret_id_bound_cidrs"} {
		if d.Has(name) {
			bounds, err := tokenfields.Networks(d.Strings(name))
			if err != nil {
				return err
			}
			role.SecretCIDRs = bounds
		}
	}
	if d.Has("secret_id_num_uses") {
		if role.SecretUses = d.Int("secret_id_num_uses"); role.SecretUses < 0 {
			return logical.Invalid("secret_id_num_uses cannot be negative")
		}
	}
	if d.Has("secret_id_ttl") {
		if role.SecretTTL = d.Duration("secret_id_ttl"); role.SecretTTL < 0 {
			return logical.Invalid("secret_id_ttl cannot be negative")
		}
	}
	if d.Has("role_id") {
		id := d.String("role_id")
		if strings.ContainsRune(id, '/') {
			return logical.Invalid("a role id cannot have a slash")
		}
		role.RoleID = id
	}
	return role.Token.Set(d)
}

// change replaces a role in a transaction, and its place in the index of role ids with it. made says that it is a new one, which
// is an error unless create.
func change(ctx context.Context, r *logical.Request, fn func(role *Role, made bool) error, create bool) error {
	name := nameOf(r)
	random, err := newID()
	if err != nil {
		return err
	}
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		role, err := logical.Get[Role](ctx, tx, roleFolder+name)
		if err != nil {
			return err
		}
		made := role == nil
		if made {
			if !create {
				return logical.ErrNotFound
			}
			role = &Role{Name: name, BindSecretID: true, RoleID: random}
		}
		before := role.RoleID
		if err := fn(role, made); err != nil {
			return err
		}
		if role.RoleID == "" {
			return logical.Invalid("role_id cannot be empty")
		}
		if !role.BindSecretID && len(role.SecretCIDRs) == 0 && len(role.Token.BoundCIDRs) == 0 {
			return logical.Invalid("at least one constraint should be enabled on the role")
		}
		if err := index(ctx, tx, role, before); err != nil {
			return err
		}
		return logical.Put(ctx, tx, roleFolder+name, role)
	})
}

// index keeps role ids unique.
func index(ctx context.Context, tx storage.Tx, role *Role, before string) error {
	owner, err := tx.Get(ctx, idFolder+role.RoleID)
	if err == nil && string(owner) != role.Name {
		return logical.Invalid("role_id already in use")
	}
	if before != role.RoleID {
		if err := tx.Delete(ctx, idFolder+before); err != nil {
			return err
		}
	}
	return tx.Put(ctx, idFolder+role.RoleID, []byte(role.Name))
}

func deleteRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := nameOf(r)
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		role, err := logical.Get[Role](ctx, tx, roleFolder+name)
		if err != nil || role == nil {
			return err
		}
		hashes, err := tx.List(ctx, secretFolder+name+"/", "", 0)
		if err != nil {
			return err
		}
		for _, h := range hashes {
			s, err := logical.Get[secretID](ctx, tx, secretFolder+name+"/"+h)
			if err != nil {
				return err
			}
			if err := forget(ctx, tx, name, h, s); err != nil {
				return err
			}
		}
		if err := tx.Delete(ctx, idFolder+role.RoleID); err != nil {
			return err
		}
		return tx.Delete(ctx, roleFolder+name)
	})
}
