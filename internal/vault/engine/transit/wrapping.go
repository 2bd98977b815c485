package transit

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func wrappingRoute() *logical.Route {
	return &logical.Route{
		Pattern:  "wrapping_key",
		Ops:      map[logical.Operation]logical.Handler{logical.Read: readWrappingKey},
		Synopsis: "The public key to wrap keys with that are to be imported",
	}
}

// wrappingKey returns the RSA-4096 key of the mount, made when it is first asked for.
func wrappingKey(ctx context.Context, r *logical.Request) (*version, error) {
	k, err := create(ctx, r, &key{Name: wrappingName, Type: rsa4096})
	if err != nil {
		return nil, err
	}
	return k.version(k.LatestVersion)
}

func readWrappingKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	v, err := wrappingKey(ctx, r)
	if err != nil {
		return nil, err
	}
	public, err := v.public()
	if err != nil {
		return nil, err
	}
	text, err := publicPEM(public)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"public_key": text}}, nil
}
