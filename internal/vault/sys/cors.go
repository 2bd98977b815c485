package sys

import (
	"context"
	"net/url"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) corsRoutes() []*logical.Route {
	return []*logical.Route{{
		Pattern: "config/cors", Sudo: true, Synopsis: "Which pages of other origins a browser lets use this server: none, unless set here.",
		Fields: []logical.Field{
			{Name: "enable", Type: logical.Bool, Help: "Kept for clients that send it: setting origins enables."},
			{Name: "allowed_origins", Type: logical.CommaList, Help: "Origins such as https://app.example.com, or * for all."},
			{Name: "allowed_headers", Type: logical.CommaList, Help: "Headers that such a page may send beside the usual ones."},
		},
		Ops: ops{logical.Read: s.readCORS, logical.Update: s.writeCORS, logical.Delete: s.deleteCORS},
	}}
}

func (s *System) readCORS(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	c, err := s.core.CORS(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return all(map[string]any{"enabled": false}), nil
	}
	return all(map[string]any{"enabled": true, "allowed_origins": c.Origins, "allowed_headers": c.Headers}), nil
}

func (s *System) writeCORS(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	origins := r.Data.Strings("allowed_origins")
	if len(origins) == 0 {
		return nil, logical.Invalid("at least one origin or the wildcard must be provided")
	}
	if slices.Contains(origins, "*") && len(origins) > 1 {
		return nil, logical.Invalid("wildcard must be the only value")
	}
	for _, o := range origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o) {
			return nil, logical.Invalid("%q is no origin: write scheme://host", o)
		}
	}
	headers := slices.Compact(append(vault.StandardHeaders(), r.Data.Strings("allowed_headers")...))
	return nil, logical.Store(ctx, s.core.Storage(), vault.CORSEntry, vault.CORS{Origins: origins, Headers: headers})
}

func (s *System) deleteCORS(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	return nil, logical.Remove(ctx, s.core.Storage(), vault.CORSEntry)
}
