package mcp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
)

// Path is where the server is mounted.
const Path = "/mcp"

// metadataPath is where a client looks for what RFC 9728 describes.
const metadataPath = "/.well-known/oauth-protected-resource"

// ErrToken is what HTTP.Verify returns for a token that is none.
var ErrToken = errors.New("the token is not valid")

// HTTP says how the server is reached over HTTP.
type HTTP struct {
	// Verify says who holds a bearer token. Its error matches ErrToken if nobody does; any other is a failure. Required.
	Verify func(ctx context.Context, token string) (Holder, error)
	// URL is the public address of the endpoint, such as https://vault.example.com/mcp. Its host may be named in requests. Without
	// one the server answers on loopback only, and no metadata is published.
	URL string
	// Issuers are the authorization servers that give tokens out (RFC 9728), Scopes what a token must permit.
	Issuers, Scopes []string
	// Idle ends sessions that nobody uses. Zero: 1 h.
	Idle time.Duration
}

// Holder is whose a token is.
type Holder struct {
	ID      string
	Scopes  []string
	Expires time.Time // zero: not known
}

// Only is a Verify for one fixed token.
func Only(token string) func(context.Context, string) (Holder, error) {
	want := sha256.Sum256([]byte(token))
	return func(_ context.Context, given string) (Holder, error) {
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return Holder{}, ErrToken
		}
		return Holder{ID: "local"}, nil
	}
}

// Handler serves Streamable HTTP: sessions for the revisions that have them, single requests from 2026-07-28 on. It answers Path
// and what lies below, and the metadata about who gives out tokens.
func (s *Server) Handler(o HTTP) (http.Handler, error) {
	if o.Verify == nil {
		return nil, errors.New("serving MCP over HTTP: nobody verifies tokens")
	}
	public := &url.URL{}
	if o.URL != "" {
		var err error
		if public, err = url.Parse(o.URL); err != nil || public.Host == "" {
			return nil, fmt.Errorf("serving MCP over HTTP: %q is no address", o.URL)
		}
	}
	if o.Idle == 0 {
		o.Idle = time.Hour
	}
	one := func(*http.Request) *sdk.Server { return s.sdk }
	// Our own check of hosts and origins is stricter than the SDK's, and knows the public address.
	sessions := sdk.NewStreamableHTTPHandler(one, &sdk.StreamableHTTPOptions{SessionTimeout: o.Idle, DisableLocalhostProtection: true})
	single := sdk.NewStreamableHTTPHandler(one, &sdk.StreamableHTTPOptions{
		Stateless: true, DisableLocalhostProtection: true, PropagateRequestCancellation: true,
	})
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Protocol-Version") >= stateless {
			single.ServeHTTP(w, r)
			return
		}
		sessions.ServeHTTP(w, r)
	})
	require := &auth.RequireBearerTokenOptions{Scopes: o.Scopes, AllowMissingExpiration: true}
	mux := http.NewServeMux()
	if o.URL != "" {
		require.ResourceMetadataURL = public.Scheme + "://" + public.Host + metadataPath + public.Path
		metadata := auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
			Resource: o.URL, AuthorizationServers: o.Issuers, ScopesSupported: o.Scopes, BearerMethodsSupported: []string{"header"}, ResourceName: "ZVault",
		})
		mux.Handle(metadataPath, metadata)
		mux.Handle(metadataPath+public.Path, metadata)
	}
	go s.warm(context.Background())
	mux.Handle(Path, auth.RequireBearerToken(o.verifier(), require)(endpoint))
	return hosts{mux, public.Host}, nil
}

// verifier is Verify as the SDK wants it.
func (o HTTP) verifier() auth.TokenVerifier {
	return func(ctx context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		h, err := o.Verify(ctx, token)
		if errors.Is(err, ErrToken) {
			return nil, auth.ErrInvalidToken
		}
		if err != nil {
			return nil, errors.New("the token could not be checked")
		}
		return &auth.TokenInfo{UserID: h.ID, Scopes: h.Scopes, Expiration: h.Expires}, nil
	}
}

// hosts refuses requests that a browser was talked into: for another host than ours (DNS rebinding), or from another site.
type hosts struct {
	next   http.Handler
	public string // host and port, may be empty
}

// ServeHTTP implements http.Handler.
func (h hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.ours(r.Host) {
		http.Error(w, "this server does not answer for that host", http.StatusForbidden)
		return
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !h.ours(u.Host) {
			http.Error(w, "this server does not answer requests from that site", http.StatusForbidden)
			return
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && !slices.Contains([]string{"same-origin", "none"}, site) && r.Header.Get("Origin") == "" {
		http.Error(w, "this server does not answer requests from other sites", http.StatusForbidden)
		return
	}
	h.next.ServeHTTP(w, r)
}

// ours reports whether a host is the public one or loopback.
func (h hosts) ours(host string) bool {
	if h.public != "" && strings.EqualFold(host, h.public) {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name != "" && egress.Loopback(strings.Trim(name, "[]"))
}
