// Package userpass is the auth method for people with a name and a password. Passwords are kept as bcrypt hashes alone.
//
//	user/<name>    the User
package userpass

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/internal/tokenfields"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

const userFolder = "user/"

// User is somebody who can sign in.
type User struct {
	Hash  []byte `json:"hash"`
	Token tokenfields.Params
}

type ops = map[logical.Operation]logical.Handler

// New returns the backend.
func New() *logical.Backend {
	fields := append([]logical.Field{
		{Name: "password", Type: logical.String, Help: "The password, at most 72 bytes."},
		{Name: "password_hash", Type: logical.String, Help: "A bcrypt hash of the password, instead of it."},
	}, tokenfields.Fields()...)
	return &logical.Backend{
		Type: "userpass", Help: "The userpass method lets people sign in with a name and a password.", RenewAuth: renew,
		Routes: []*logical.Route{
			{Pattern: "users", Synopsis: "Lists the users.", Ops: ops{logical.List: list}},
			{
				Pattern: "users/:username", Fields: fields, Synopsis: "Makes, shows, changes or deletes a user.", Exists: exists,
				Ops: ops{logical.Read: read, logical.Update: write, logical.Delete: remove},
			},
			{Pattern: "users/:username/password", Fields: fields, Synopsis: "Sets the password.", Ops: ops{logical.Update: setPassword}},
			{Pattern: "users/:username/policies", Fields: fields, Synopsis: "Sets the policies.", Ops: ops{logical.Update: setPolicies}},
			{Pattern: "login/:username", Fields: fields, Open: true, Login: nameOf, Synopsis: "Signs in.", Ops: ops{logical.Update: login}},
		},
	}
}

// nameOf is the user that a request is about; names do not know capitals.
func nameOf(r *logical.Request) string { return strings.ToLower(r.Params.Get("username")) }

func exists(ctx context.Context, r *logical.Request) (bool, error) {
	u, err := logical.Load[User](ctx, r.Storage, userFolder+nameOf(r))
	return u != nil, err
}

func list(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	keys, err := r.Storage.List(ctx, userFolder, r.Data.String("after"), r.Data.Int("limit"))
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Keys: keys}, nil
}

func read(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	u, err := logical.Load[User](ctx, r.Storage, userFolder+nameOf(r))
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, logical.ErrNotFound
	}
	data := map[string]any{}
	u.Token.Describe(data)
	return &logical.Response{Data: data}, nil
}

// hash makes the hash of the password that a request gives; nil without one.
func hash(r *logical.Request) ([]byte, error) {
	password, given := r.Data.String("password"), r.Data.String("password_hash")
	switch {
	case password != "" && given != "":
		return nil, logical.Invalid("'password' and 'password_hash' cannot both be given")
	case given != "":
		if _, err := bcrypt.Cost([]byte(given)); err != nil {
			return nil, logical.Invalid("'password_hash' is no bcrypt hash")
		}
		return []byte(given), nil
	case password == "":
		return nil, nil
	}
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		return nil, logical.Invalid("the password is longer than 72 bytes")
	}
	return h, err
}

// change replaces a user in a transaction.
func change(ctx context.Context, r *logical.Request, create bool, fn func(*User) error) error {
	name := userFolder + nameOf(r)
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		u, err := logical.Get[User](ctx, tx, name)
		if err != nil {
			return err
		}
		if u == nil {
			if !create {
				return logical.Invalid("username does not exist")
			}
			u = &User{}
		}
		if err := fn(u); err != nil {
			return err
		}
		if u.Hash == nil {
			return logical.Invalid("missing password")
		}
		return logical.Put(ctx, tx, name, u)
	})
}

func write(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	h, err := hash(r)
	if err != nil {
		return nil, err
	}
	return nil, change(ctx, r, true, func(u *User) error {
		if h != nil {
			u.Hash = h
		}
		return u.Token.Set(r.Data)
	})
}

func setPassword(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	h, err := hash(r)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, logical.Invalid("missing password")
	}
	return nil, change(ctx, r, false, func(u *User) error {
		u.Hash = h
		return nil
	})
}

func setPolicies(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if !r.Data.Has("token_policies") && !r.Data.Has("policies") {
		return nil, logical.Invalid("missing token_policies")
	}
	return nil, change(ctx, r, false, func(u *User) error { return u.Token.Set(r.Data) })
}

func remove(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, logical.Remove(ctx, r.Storage, userFolder+nameOf(r))
}

// nobody is compared with where there is no user, so that the time does not tell who is one.
var nobody = sync.OnceValue(func() []byte {
	h, err := bcrypt.GenerateFromPassword([]byte("nobody"), bcrypt.DefaultCost)
	if err != nil {
		return nil
	}
	return h
})

var errLogin = logical.BadCredentials("invalid username or password")

func login(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name, password := nameOf(r), r.Data.String("password")
	if password == "" {
		return nil, logical.Invalid("missing password")
	}
	u, err := logical.Load[User](ctx, r.Storage, userFolder+name)
	if errors.Is(err, storage.ErrInvalidKey) || errors.Is(err, storage.ErrTooLarge) {
		u, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	want := nobody()
	if u != nil {
		want = u.Hash
	}
	if err := bcrypt.CompareHashAndPassword(want, []byte(password)); err != nil || u == nil {
		return nil, errLogin
	}
	if !tokenfields.Within(r.Remote, u.Token.BoundCIDRs) {
		return nil, logical.ErrPermissionDenied
	}
	a := u.Token.Auth()
	a.DisplayName, a.Meta, a.Alias = name, map[string]string{"username": name}, &logical.Alias{Name: name}
	a.InternalData = map[string]any{"username": name, "policies": strings.Join(u.Token.Policies, ",")}
	return &logical.Response{Auth: a}, nil
}

// renew lets a token be renewed as long as the user is there and may do the same.
func renew(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	u, err := logical.Load[User](ctx, r.Storage, userFolder+r.Data.String("username"))
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, logical.Invalid("the user does not exist any more")
	}
	before := tokenfields.Policies(strings.FieldsFunc(r.Data.String("policies"), func(c rune) bool { return c == ',' }))
	if !slices.Equal(before, tokenfields.Policies(u.Token.Policies)) {
		return nil, logical.Invalid("policies have changed, not renewing")
	}
	return u.Token.Renewal(), nil
}
