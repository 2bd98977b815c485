package idtoken

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Role is what a token says beside who it is about, and which key signs it.
type Role struct {
	Key      string        `json:"key"`
	Template string        `json:"template"`
	ClientID string        `json:"client_id"` // whom the tokens are for
	TTL      time.Duration `json:"ttl"`

	name string
}

// reserved are the claims that a template cannot have.
func reserved() []string {
	return []string{"iat", "aud", "exp", "iss", "sub", "namespace", "nonce", "auth_time", "at_hash", "c_hash"}
}

func roleRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "oidc/role", Synopsis: "Lists the roles.", Ops: ops{logical.List: list(roleFolder)}},
		{Pattern: "oidc/role/:name", Synopsis: "Reads, writes or deletes a role.", Ops: ops{
			logical.Read: readRole, logical.Update: writeRole, logical.Delete: deleteRole,
		}, Fields: []logical.Field{
			{Name: "key", Type: logical.String, Help: "The key that signs."},
			{Name: "template", Type: logical.String, Help: "More claims: JSON with expressions in it, as it is or in base64."},
			{Name: "client_id", Type: logical.String, Help: "Whom the tokens are for; by default something random."},
			{Name: "ttl", Type: logical.Seconds, Help: "How long a token is good."},
		}},
	}
}

func loadRole(ctx context.Context, r *logical.Request) (*Role, error) {
	return logical.Load[Role](ctx, r.Storage, roleFolder+r.Params.Get("name"))
}

func readRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := loadRole(ctx, r)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Data: map[string]any{
		"client_id": role.ClientID, "key": role.Key, "template": role.Template, "ttl": int64(role.TTL / time.Second),
	}}, nil
}

func writeRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := logical.Get[Role](ctx, r.Storage, roleFolder+r.Params.Get("name"))
	if err != nil {
		return nil, err
	}
	if role == nil {
		role = &Role{TTL: defaultTime}
	}
	if err := role.set(r.Data); err != nil {
		return nil, err
	}
	k, err := loadKey(ctx, r, role.Key)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return nil, logical.Invalid("cannot find key %q", role.Key)
	case role.TTL > k.TTL:
		return nil, logical.Invalid("a role's token ttl cannot be longer than the verification_ttl of the key it references")
	}
	if role.ClientID == "" {
		role.ClientID = rand.Text()
	}
	return nil, logical.Store(ctx, r.Storage, roleFolder+r.Params.Get("name"), role)
}

// set takes over what was given.
func (role *Role) set(d logical.Data) error {
	if d.Has("key") {
		role.Key = d.String("key")
	}
	if d.Has("client_id") {
		role.ClientID = d.String("client_id")
	}
	if d.Has("ttl") {
		role.TTL = d.Duration("ttl")
	}
	switch {
	case role.Key == "":
		return logical.Invalid("the key parameter is required")
	case role.TTL <= 0:
		return logical.Invalid("a role's token ttl must be positive")
	case !d.Has("template"):
		return nil
	}
	role.Template = d.String("template")
	if decoded, err := base64.StdEncoding.DecodeString(role.Template); err == nil {
		role.Template = string(decoded)
	}
	if role.Template == "" {
		return nil
	}
	claims, err := fill(role.Template, &Person{}, time.Time{})
	if err != nil {
		return logical.Invalid("error parsing template: %v", err)
	}
	var object map[string]any
	if err := json.Unmarshal(claims, &object); err != nil {
		return logical.Invalid("error parsing template JSON: %v", err)
	}
	for name := range object {
		if slices.Contains(reserved(), name) {
			return logical.Invalid("top level key %q not allowed. Restricted keys: %s", name, strings.Join(reserved(), ", "))
		}
	}
	return nil
}

func deleteRole(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, logical.Remove(ctx, r.Storage, roleFolder+r.Params.Get("name"))
}

// rolesOf are the roles that use a key, by name.
func rolesOf(ctx context.Context, s logical.Storage, key string) ([]*Role, error) {
	names, err := s.List(ctx, roleFolder, "", 0)
	if err != nil {
		return nil, err
	}
	var roles []*Role
	for _, name := range names {
		role, err := logical.Get[Role](ctx, s, roleFolder+name)
		if err != nil {
			return nil, err
		}
		if role != nil && role.Key == key {
			role.name = name
			roles = append(roles, role)
		}
	}
	return roles, nil
}
