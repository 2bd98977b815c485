package kv2

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// config holds for all keys of the mount: the entry config.
type config struct {
	MaxVersions uint32        `json:"max,omitempty"` // 0: defaultMaxVersions
	Required    bool          `json:"cas,omitempty"`
	MetaCAS     bool          `json:"meta_cas,omitempty"`
	DeleteAfter time.Duration `json:"delete_after,omitempty"` // 0: as the key says; never: not even then
}

// never is a DeleteAfter that forbids versions to be deleted by themselves.
const never = -time.Second

// settings returns the mount's config from memory, shared.
func settings(ctx context.Context, s logical.Storage) (*config, error) {
	c, err := logical.Load[config](ctx, s, configName)
	if c == nil && err == nil {
		c = &config{}
	}
	return c, err
}

func configRoute() *logical.Route {
	return &logical.Route{
		Pattern: "config",
		Fields: []logical.Field{
			{Name: "max_versions", Type: logical.Int, Help: "How many versions of a key are kept; 0 means 10."},
			{Name: "cas_required", Type: logical.Bool, Help: "Whether every write must name the current version."},
			{Name: "metadata_cas_required", Type: logical.Bool, Help: "Whether every change of metadata must name its version."},
			{Name: "delete_version_after", Type: logical.Seconds, Help: "After what time a version is deleted by itself; 0: never " +
				"unless a key says otherwise; negative: never."},
		},
		Ops: map[logical.Operation]logical.Handler{
			logical.Read: exact(readConfig), logical.Update: exact(writeConfig),
			logical.List: invalid, logical.Scan: invalid,
		},
		Synopsis: "Reads and changes what holds for every key of the mount.",
	}
}

// exact keeps "config/" apart from "config".
func exact(h logical.Handler) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		if r.Path != configName {
			return invalid(ctx, r)
		}
		return h(ctx, r)
	}
}

func readConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	c, err := settings(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"max_versions": c.MaxVersions, "cas_required": c.Required, "metadata_cas_required": c.MetaCAS,
		"delete_version_after": c.DeleteAfter.String(),
	}}, nil
}

func writeConfig(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	s := parseSwitches(r.Data)
	if s.empty() {
		return nil, nil
	}
	if s.deleteAfter != nil && *s.deleteAfter < 0 {
		*s.deleteAfter = never
	}
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		c, err := logical.Get[config](ctx, tx, configName)
		if err != nil {
			return err
		}
		if c == nil {
			c = &config{}
		}
		s.apply(&c.MaxVersions, &c.Required, &c.MetaCAS, &c.DeleteAfter)
		return logical.Put(ctx, tx, configName, c)
	})
}
