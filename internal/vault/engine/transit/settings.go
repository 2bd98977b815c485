package transit

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// minCache is the smallest size of the cache but 0, which is no limit.
const minCache = 10

// cacheSize is the entry of cache-config. It is kept for those who set it; decoded keys are cached by the core, by its rules.
type cacheSize struct {
	Size int `json:"size"`
}

func cacheRoute() *logical.Route {
	return &logical.Route{
		Pattern:  "cache-config",
		Fields:   []logical.Field{{Name: "size", Type: logical.Int, Default: 0, Help: "How many keys to cache: 0, which is no limit, or 10 or more."}},
		Ops:      map[logical.Operation]logical.Handler{logical.Read: readCache, logical.Update: writeCache},
		Synopsis: "The size of the cache of keys",
	}
}

func readCache(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	c, err := logical.Load[cacheSize](ctx, r.Storage, cacheEntry)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &cacheSize{}
	}
	return &logical.Response{Data: map[string]any{"size": c.Size}}, nil
}

func writeCache(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	c := cacheSize{r.Data.Int("size")}
	if c.Size != 0 && c.Size < minCache {
		return nil, logical.Invalid("size must be 0 or a value greater or equal to %d", minCache)
	}
	if err := logical.Store(ctx, r.Storage, cacheEntry, c); err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"size": c.Size}}, nil
}

// keysConfig is what holds for all keys.
type keysConfig struct {
	DisableUpsert bool `json:"disable_upsert"`
}

func keysConfigRoute() *logical.Route {
	return &logical.Route{
		Pattern:  "config/keys",
		Fields:   []logical.Field{{Name: "disable_upsert", Type: logical.Bool, Help: "Whether encrypt must not create keys."}},
		Ops:      map[logical.Operation]logical.Handler{logical.Read: readKeysConfig, logical.Update: writeKeysConfig},
		Synopsis: "Configuration of all keys",
	}
}

// readConfig returns the configuration, shared.
func readConfig(ctx context.Context, s logical.Storage) (*keysConfig, error) {
	c, err := logical.Load[keysConfig](ctx, s, configEntry)
	if c == nil && err == nil {
		c = &keysConfig{}
	}
	return c, err
}

func readKeysConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	c, err := readConfig(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"disable_upsert": c.DisableUpsert}}, nil
}

func writeKeysConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	c := keysConfig{r.Data.Bool("disable_upsert")}
	if err := logical.Store(ctx, r.Storage, configEntry, c); err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"disable_upsert": c.DisableUpsert}}, nil
}
