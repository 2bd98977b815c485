package kv2

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func metadataRoute() *logical.Route {
	return &logical.Route{
		Pattern: "metadata/*path",
		Fields: append([]logical.Field{
			{Name: "max_versions", Type: logical.Int, Help: "How many versions are kept; 0: as many as the mount says."},
			{Name: "cas_required", Type: logical.Bool, Help: "Whether every write must name the current version."},
			{Name: "metadata_cas_required", Type: logical.Bool, Help: "Whether every change of metadata must name its version."},
			{Name: "metadata_cas", Type: logical.Int, Help: "The version of the metadata that the change expects, 0 for none."},
			{Name: "delete_version_after", Type: logical.Seconds, Help: "After what time a version is deleted by itself; the " +
				"mount's setting, if it is shorter, wins. 0: as the mount says."},
			{Name: "custom_metadata", Type: logical.Map, Help: "Texts by name that describe the secret."},
		}, listFields()...),
		Ops: map[logical.Operation]logical.Handler{
			logical.Read: readMetadata, logical.Update: writeMetadata, logical.Patch: patchMetadata,
			logical.Delete: deleteMetadata, logical.List: list, logical.Scan: scan,
		},
		Exists:      exists,
		Synopsis:    "Lists keys, and reads and changes what is known of a key beside its secrets.",
		Description: "A delete removes the key with all its versions.",
	}
}

func readMetadata(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	m, err := load(ctx, r.Storage, r.Params.Get("path"))
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Data: m.settings()}, nil
}

// keyChange is what a request wants of the metadata of a key.
type keyChange struct {
	switches
	custom custom
	patch  bool // the key must be there, and custom metadata is merged
}

func writeMetadata(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if err := checkPath(r.Params.Get("path")); err != nil {
		return nil, err
	}
	return changeMetadata(ctx, r, keyChange{})
}

func patchMetadata(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return changeMetadata(ctx, r, keyChange{patch: true})
}

func changeMetadata(ctx context.Context, r *logical.Request, c keyChange) (*logical.Response, error) {
	var err error
	if c.switches = parseSwitches(r.Data); c.deleteAfter != nil && *c.deleteAfter < 0 {
		return nil, logical.Invalid("error converting input for field %q: cannot provide negative value '%d'", "delete_version_after",
			*c.deleteAfter/time.Second)
	}
	if c.custom, err = parseCustom(r.Data, c.patch); err != nil {
		return nil, err
	}
	if c.empty() && !c.custom.given {
		return nil, nil
	}
	mount, err := settings(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	var resp *logical.Response
	err = change(ctx, r, func(_ storage.Tx, m *metadata) (*metadata, error) {
		if m == nil && c.patch {
			resp = missing()
			return nil, nil
		}
		if err := checkMetadataCAS(r.Data, mount, m); err != nil {
			return nil, err
		}
		if resp = nil; c.overruled(mount) != nil {
			resp = &logical.Response{Warnings: c.overruled(mount)}
		}
		return c.applied(r, m)
	})
	return resp, err
}

// applied returns m with the change made, or a new key if m is nil.
func (c *keyChange) applied(r *logical.Request, m *metadata) (*metadata, error) {
	now := moment(r)
	if m == nil {
		m = &metadata{Created: now}
	}
	m.Updated = now
	m.Revision++
	c.apply(&m.MaxVersions, &m.Required, &m.MetaCAS, &m.DeleteAfter)
	if !c.custom.given {
		return m, nil
	}
	m.Custom = c.custom.applied(m.Custom)
	return m, checkCustom(m.Custom)
}

// deleteMetadata removes a key with all its versions.
func deleteMetadata(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	path := r.Params.Get("path")
	return nil, change(ctx, r, func(tx storage.Tx, m *metadata) (*metadata, error) {
		if m == nil {
			return nil, nil
		}
		for i := range m.Versions {
			if m.Versions[i].Destroyed {
				continue
			}
			if err := tx.Delete(ctx, entryName(path, m.first()+uint64(i))); err != nil {
				return nil, err
			}
		}
		return nil, tx.Delete(ctx, metaName(path))
	})
}
