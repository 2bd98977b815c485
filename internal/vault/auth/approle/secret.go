package approle

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func secretRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "metadata", Type: logical.String, Help: "A JSON object of texts, kept with the secret id and its tokens."},
		{Name: "cidr_list", Type: logical.CommaList, Help: "Networks that logins with it are bound to."},
		{Name: "token_bound_cidrs", Type: logical.CommaList, Help: "Networks that its tokens are bound to."},
		{Name: "num_uses", Type: logical.Int, Help: "How often it may be used; 0: any number."},
		{Name: "ttl", Type: logical.Seconds, Help: "How long it lives; 0: as the role says."},
		{Name: "secret_id", Type: logical.String, Help: "The secret id."},
		{Name: "secret_id_accessor", Type: logical.String, Help: "The accessor of a secret id."},
	}
	route := func(path, text string, o ops) *logical.Route {
		return &logical.Route{Pattern: "role/:role_name/" + path, Fields: fields, Synopsis: text, Ops: o}
	}
	return []*logical.Route{
		route("secret-id", "Makes a secret id, or lists accessors.", ops{logical.Update: generate(false), logical.List: listAccessors}),
		route("custom-secret-id", "Takes a secret id that the caller has chosen.", ops{logical.Update: generate(true)}),
		route("secret-id/lookup", "Shows what is known of a secret id.", ops{logical.Update: lookup(bySecret)}),
		route("secret-id/destroy", "Ends a secret id.", ops{logical.Update: destroy(bySecret), logical.Delete: destroy(bySecret)}),
		route("secret-id-accessor/lookup", "Shows what is known of the secret id of an accessor.", ops{logical.Update: lookup(byAccessor)}),
		route("secret-id-accessor/destroy", "Ends the secret id of an accessor.", ops{logical.Update: destroy(byAccessor), logical.Delete: destroy(byAccessor)}),
	}
}

func generate(custom bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		role, err := logical.Load[Role](ctx, r.Storage, roleFolder+nameOf(r))
		if err != nil {
			return nil, err
		}
		if role == nil {
			return nil, logical.Invalid("role %q does not exist", nameOf(r))
		}
		if !role.BindSecretID {
			return nil, logical.Invalid("bind_secret_id is not set on the role")
		}
		id := r.Data.String("secret_id")
		if !custom {
			if id, err = newID(); err != nil {
				return nil, err
			}
		}
		if id == "" {
			return nil, logical.Invalid("missing secret_id")
		}
		s, err := wanted(r, role)
		if err != nil {
			return nil, err
		}
		if s.Accessor, err = newID(); err != nil {
			return nil, err
		}
		if err := keep(ctx, r, role, id, s); err != nil {
			return nil, err
		}
		return &logical.Response{Data: map[string]any{
			"secret_id": id, "secret_id_accessor": s.Accessor, "secret_id_num_uses": s.Uses, "secret_id_ttl": int64(s.TTL / time.Second),
		}}, nil
	}
}

func keep(ctx context.Context, r *logical.Request, role *Role, id string, s *secretID) error {
	hash := hashOf(id)
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		if _, err := tx.Get(ctx, secretFolder+role.Name+"/"+hash); !errors.Is(err, storage.ErrNotFound) {
			return errors.Join(err, logical.Invalid("SecretID is already registered"))
		}
		if err := logical.Put(ctx, tx, secretFolder+role.Name+"/"+hash, s); err != nil {
			return err
		}
		return tx.Put(ctx, accessorFolder+role.Name+"/"+s.Accessor, []byte(hash))
	})
}

// wanted reads what a new secret id shall be, within what the role allows.
func wanted(r *logical.Request, role *Role) (*secretID, error) {
	d := r.Data
	s := &secretID{Created: r.Time, Updated: r.Time, Uses: role.SecretUses, TTL: role.SecretTTL}
	if d.Has("num_uses") {
		n := d.Int("num_uses")
		if n < 0 {
			return nil, logical.Invalid("num_uses cannot be negative")
		}
		if role.SecretUses > 0 && (n == 0 || n > role.SecretUses) {
			return nil, logical.Invalid("num_uses cannot be higher than the role's secret_id_num_uses")
		}
		s.Uses = n
	}
	if ttl := d.Duration("ttl"); d.Has("ttl") && ttl != 0 {
		if ttl < 0 {
			return nil, logical.Invalid("ttl cannot be negative")
		}
		if role.SecretTTL > 0 && ttl > role.SecretTTL {
			return nil, logical.Invalid("ttl cannot be longer than the role's secret_id_ttl")
		}
		s.TTL = ttl
	}
	s.Limited = s.Uses > 0
	if s.TTL > 0 {
		s.Expires = r.Time.Add(s.TTL)
	}
	if text := d.String("metadata"); text != "" {
		if err := json.Unmarshal([]byte(text), &s.Metadata); err != nil {
			return nil, logical.Invalid("metadata is no JSON object of texts")
		}
	}
	var err error
	if s.CIDRs, err = inside(d.Strings("cidr_list"), role.SecretCIDRs, "cidr_list"); err != nil {
		return nil, err
	}
	s.TokenCIDRs, err = inside(d.Strings("token_bound_cidrs"), role.Token.BoundCIDRs, "token_bound_cidrs")
	return s, err
}

// inside reads networks, which must lie in those of the role if that has any.
func inside(texts []string, bounds []netip.Prefix, field string) ([]netip.Prefix, error) {
	list, err := tokenfields.Networks(texts)
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		ok := len(bounds) == 0
		for _, b := range bounds {
			ok = ok || b.Bits() <= n.Bits() && b.Contains(n.Addr())
		}
		if !ok {
			return nil, logical.Invalid("%s: %s is not within what the role allows", field, n)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list, nil
}

func listAccessors(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if _, err := load(ctx, r); err != nil {
		return nil, err
	}
	keys, err := r.Storage.List(ctx, accessorFolder+nameOf(r)+"/", r.Data.String("after"), r.Data.Int("limit"))
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

// finder says under which hash a request's secret id is, "" for none.
type finder func(ctx context.Context, r *logical.Request) (hash string, err error)

func bySecret(_ context.Context, r *logical.Request) (string, error) {
	id := r.Data.String("secret_id")
	if id == "" {
		return "", logical.Invalid("missing secret_id")
	}
	return hashOf(id), nil
}

func byAccessor(ctx context.Context, r *logical.Request) (string, error) {
	accessor := r.Data.String("secret_id_accessor")
	if accessor == "" || strings.ContainsRune(accessor, '/') {
		return "", logical.Invalid("missing secret_id_accessor")
	}
	hash, err := r.Storage.Get(ctx, accessorFolder+nameOf(r)+"/"+accessor)
	if errors.Is(err, storage.ErrNotFound) {
		return "", logical.Fail(http.StatusNotFound, "failed to find accessor entry for secret_id_accessor: %q", accessor)
	}
	return string(hash), err
}

func lookup(find finder) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		hash, err := find(ctx, r)
		if err != nil {
			return nil, err
		}
		s, err := logical.Load[secretID](ctx, r.Storage, secretFolder+nameOf(r)+"/"+hash)
		if err != nil {
			return nil, err
		}
		if s == nil || s.ended(r.Time) {
			return nil, nil // as Vault: nothing, and no error
		}
		return &logical.Response{Data: s.describe()}, nil
	}
}

func (s *secretID) describe() map[string]any {
	expires := "0001-01-01T00:00:00Z"
	if !s.Expires.IsZero() {
		expires = s.Expires.UTC().Format(time.RFC3339Nano)
	}
	metadata := s.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	list := func(l []netip.Prefix) []netip.Prefix {
		if l == nil {
			return []netip.Prefix{}
		}
		return l
	}
	return map[string]any{
		"secret_id_accessor": s.Accessor, "secret_id_num_uses": s.Uses, "secret_id_ttl": int64(s.TTL / time.Second), "metadata": metadata,
		"creation_time": s.Created.UTC().Format(time.RFC3339Nano), "last_updated_time": s.Updated.UTC().Format(time.RFC3339Nano),
		"expiration_time": expires, "cidr_list": list(s.CIDRs), "token_bound_cidrs": list(s.TokenCIDRs),
	}
}

func destroy(find finder) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		hash, err := find(ctx, r)
		if err != nil {
			return nil, err
		}
		return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
			s, err := logical.Get[secretID](ctx, tx, secretFolder+nameOf(r)+"/"+hash)
			if err != nil || s == nil {
				return err
			}
			return forget(ctx, tx, nameOf(r), hash, s)
		})
	}
}
