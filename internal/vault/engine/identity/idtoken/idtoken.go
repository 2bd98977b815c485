// Package idtoken signs identity tokens: JSON Web Tokens (RFC 7519) that tell others who holds a token of the vault, as OpenID
// Connect has them. Whoever gets one checks it with the public keys at identity/oidc/.well-known/keys, or asks.
//
// Start with Routes. Below the identity store's storage:
//
//	oidc/config         config: whom tokens say they are from
//	oidc/key/<name>     Key: a ring of key pairs, of which one signs and one is announced
//	oidc/role/<name>    Role: what a token says, and which key signs it
package idtoken

import (
	"context"
	"net/url"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Person is who a token is about.
type Person struct {
	ID, Name string
	Disabled bool
	Metadata map[string]string
	Aliases  []Alias
	Groups   []Group // also those that their groups are in
}

// Alias is what an auth method calls somebody.
type Alias struct {
	Accessor, ID, Name string
	Metadata, Custom   map[string]string
}

// Group is a group that somebody is in.
type Group struct{ ID, Name string }

// People knows who there is.
type People interface {
	// Person returns an entity, nil if there is none of this id and none that it was merged into.
	Person(ctx context.Context, s logical.Storage, id string) (*Person, error)
}

type ops = map[logical.Operation]logical.Handler

const (
	configName = "oidc/config"
	keyFolder  = "oidc/key/"
	roleFolder = "oidc/role/"
)

// issuer answers the requests that need to know who somebody is.
type issuer struct{ people People }

// Routes are the paths of the identity engine below oidc/.
func Routes(p People) []*logical.Route {
	i := issuer{p}
	routes := append(keyRoutes(), roleRoutes()...)
	return append(routes, []*logical.Route{
		{Pattern: "oidc/config", Synopsis: "Reads and sets whom tokens say they are from.", Ops: ops{logical.Read: readConfig, logical.Update: writeConfig},
			Fields: []logical.Field{{Name: "issuer", Type: logical.String, Help: "Scheme, host and port of this server."}}},
		{Pattern: "oidc/token/:name", Synopsis: "Signs a token for whoever asks, as a role says.", Ops: ops{logical.Read: i.sign}},
		{Pattern: "oidc/introspect", Synopsis: "Tells whether a token is good.", Ops: ops{logical.Update: i.introspect}, Fields: []logical.Field{
			{Name: "token", Type: logical.String, Help: "The token."},
			{Name: "client_id", Type: logical.String, Help: "Whom it must be for."},
		}},
		{Pattern: "oidc/.well-known/openid-configuration", Open: true, Synopsis: "Tells where the public keys are.", Ops: ops{logical.Read: discovery}},
		{Pattern: "oidc/.well-known/keys", Open: true, Synopsis: "Shows the public keys.", Ops: ops{logical.Read: publicKeys}},
	}...)
}

// config says whom tokens are from.
type config struct {
	Issuer string `json:"issuer"`
}

// issuerOf is the claim "iss" of the tokens.
func issuerOf(ctx context.Context, s logical.Storage) (base, full string, err error) {
	c, err := logical.Load[config](ctx, s, configName)
	if c != nil {
		base = c.Issuer
	}
	return base, base + "/v1/identity/oidc", err
}

func readConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	base, _, err := issuerOf(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	resp := &logical.Response{Data: map[string]any{"issuer": base}}
	if base == "" {
		resp.Warnings = []string{`"issuer" is empty. The issuer claim in generated tokens will not be network reachable.`}
	}
	return resp, nil
}

func writeConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if !r.Data.Has("issuer") {
		return nil, nil
	}
	text := r.Data.String("issuer")
	if text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
			return nil, logical.Invalid("invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)")
		}
	}
	if err := logical.Store(ctx, r.Storage, configName, config{text}); err != nil || text == "" {
		return nil, err
	}
	return &logical.Response{Warnings: []string{`If "issuer" is set explicitly, all tokens must be validated against that address.`}}, nil
}
