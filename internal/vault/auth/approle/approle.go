// Package approle is the auth method for machines: a role is known by its role id, which is a name, and by secret ids, which are
// passwords that can be limited in time, uses and networks.
//
//	role/<name>                      the Role
//	id/<role id>                     the name of the role
//	secret/<name>/<hash>             the secretID, under the SHA-256 of the secret id
//	accessor/<name>/<accessor>       the hash
package approle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

const (
	roleFolder     = "role/"
	idFolder       = "id/"
	secretFolder   = "secret/"
	accessorFolder = "accessor/"
)

// Role is a role.
type Role struct {
	Name         string         `json:"name"`
	RoleID       string         `json:"role_id"`
	BindSecretID bool           `json:"bind_secret_id"`
	SecretCIDRs  []netip.Prefix `json:"secret_id_bound_cidrs,omitempty"`
	SecretUses   int            `json:"secret_id_num_uses,omitempty"`
	SecretTTL    time.Duration  `json:"secret_id_ttl,omitempty"`
	Local        bool           `json:"local_secret_ids,omitempty"`
	Token        tokenfields.Params
}

// secretID is what is kept of a secret id.
type secretID struct {
	Accessor   string            `json:"accessor"`
	Limited    bool              `json:"limited,omitempty"`
	Uses       int               `json:"uses,omitempty"`
	TTL        time.Duration     `json:"ttl,omitempty"`
	Created    time.Time         `json:"created"`
	Updated    time.Time         `json:"updated"`
	Expires    time.Time         `json:"expires,omitzero"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	CIDRs      []netip.Prefix    `json:"cidrs,omitempty"`
	TokenCIDRs []netip.Prefix    `json:"token_cidrs,omitempty"`
}

func (s *secretID) ended(now time.Time) bool {
	return !s.Expires.IsZero() && !now.Before(s.Expires) || s.Limited && s.Uses <= 0
}

type ops = map[logical.Operation]logical.Handler

// New returns the backend.
func New() *logical.Backend {
	b := &logical.Backend{Type: "approle", Help: "The approle method lets machines sign in with a role id and a secret id.", RenewAuth: renew, Periodic: periodic}
	b.Routes = append(b.Routes, roleRoutes()...)
	b.Routes = append(b.Routes, fieldRoutes()...)
	b.Routes = append(b.Routes, secretRoutes()...)
	b.Routes = append(b.Routes, &logical.Route{
		Pattern: "login", Open: true, Synopsis: "Signs in.", Ops: ops{logical.Update: login},
		Login:  func(r *logical.Request) string { return r.Data.String("role_id") },
		Fields: []logical.Field{{Name: "role_id", Type: logical.String, Help: "Which role."}, {Name: "secret_id", Type: logical.String, Help: "Its password."}},
	}, &logical.Route{Pattern: "tidy/secret-id", Synopsis: "Removes secret ids that have ended.", Ops: ops{logical.Update: tidy}})
	return b
}

func hashOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

func newID() (string, error) {
	id, err := uuid.NewRandom()
	return id.String(), err
}

// errLogin does not tell what was wrong. A secret id that does not exist is a guess, and counts as one.
var (
	errLogin = logical.Invalid("invalid role or secret ID")
	errGuess = logical.BadCredentials("invalid role or secret ID")
)

// login signs in. What it reads is in memory; it writes only where uses are counted.
func login(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	roleID := r.Data.String("role_id")
	if roleID == "" {
		return nil, logical.Invalid("missing role_id")
	}
	role, err := byID(ctx, r.Storage, roleID)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, errLogin
	}
	a := role.Token.Auth()
	a.Meta = map[string]string{"role_name": role.Name}
	if role.BindSecretID {
		secret := r.Data.String("secret_id")
		if secret == "" {
			return nil, logical.Invalid("missing secret_id")
		}
		s, err := take(ctx, r, role, secret)
		if err != nil {
			return nil, err
		}
		for k, v := range s.Metadata {
			a.Meta[k] = v
		}
		if len(s.TokenCIDRs) > 0 {
			a.BoundCIDRs = s.TokenCIDRs
		}
	}
	if !tokenfields.Within(r.Remote, role.SecretCIDRs) || !tokenfields.Within(r.Remote, a.BoundCIDRs) {
		return nil, logical.Invalid("source address %q unauthorized by CIDR restrictions on the role", r.Remote)
	}
	a.InternalData = map[string]any{"role_name": role.Name}
	a.Alias = &logical.Alias{Name: role.RoleID}
	return &logical.Response{Auth: a}, nil
}

// byID finds a role by its role id; nil if there is none.
func byID(ctx context.Context, s logical.Storage, roleID string) (*Role, error) {
	if strings.ContainsRune(roleID, '/') {
		return nil, nil
	}
	name, err := s.Get(ctx, idFolder+roleID)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrInvalidKey) || errors.Is(err, storage.ErrTooLarge) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return logical.Load[Role](ctx, s, roleFolder+string(name))
}

// take accepts a secret id, and takes one of its uses if they are counted.
func take(ctx context.Context, r *logical.Request, role *Role, id string) (*secretID, error) {
	name := secretFolder + role.Name + "/" + hashOf(id)
	s, err := logical.Load[secretID](ctx, r.Storage, name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errGuess
	}
	if s.ended(r.Time) {
		return nil, errLogin
	}
	if !tokenfields.Within(r.Remote, s.CIDRs) {
		return nil, logical.Invalid("source address %q unauthorized through CIDR restrictions on the secret ID", r.Remote)
	}
	if !s.Limited {
		return s, nil
	}
	err = r.Storage.Update(ctx, func(tx storage.Tx) error {
		now, err := logical.Get[secretID](ctx, tx, name)
		if err != nil {
			return err
		}
		if now == nil || now.ended(r.Time) {
			return errLogin
		}
		if now.Uses--; now.Uses == 0 {
			return forget(ctx, tx, role.Name, hashOf(id), now)
		}
		now.Updated = r.Time
		return logical.Put(ctx, tx, name, now)
	})
	return s, err
}

// forget removes a secret id.
func forget(ctx context.Context, tx storage.Tx, role, hash string, s *secretID) error {
	if err := tx.Delete(ctx, secretFolder+role+"/"+hash); err != nil {
		return err
	}
	return tx.Delete(ctx, accessorFolder+role+"/"+s.Accessor)
}

// renew lets a token be renewed as long as its role is there, by what that says now.
func renew(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	role, err := logical.Load[Role](ctx, r.Storage, roleFolder+r.Data.String("role_name"))
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, logical.Invalid("role %q does not exist during renewal", r.Data.String("role_name"))
	}
	return role.Token.Renewal(), nil
}

// tidy removes secret ids that have ended.
func tidy(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if err := periodic(ctx, r); err != nil {
		return nil, err
	}
	return &logical.Response{Status: 202, Warnings: []string{"Tidy operation successfully started. Any information from the operation will be printed to the server's logs."}}, nil
}

func periodic(ctx context.Context, r *logical.Request) error {
	roles, err := r.Storage.List(ctx, secretFolder, "", 0)
	if err != nil {
		return err
	}
	for _, name := range roles {
		name = strings.TrimSuffix(name, "/")
		err := r.Storage.Update(ctx, func(tx storage.Tx) error { return tidyRole(ctx, tx, name, r.Time) })
		if err != nil {
			return err
		}
	}
	return nil
}

func tidyRole(ctx context.Context, tx storage.Tx, name string, now time.Time) error {
	hashes, err := tx.List(ctx, secretFolder+name+"/", "", 0)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		s, err := logical.Get[secretID](ctx, tx, secretFolder+name+"/"+h)
		if err != nil {
			return err
		}
		if s != nil && s.ended(now) {
			if err := forget(ctx, tx, name, h, s); err != nil {
				return err
			}
		}
	}
	return nil
}
