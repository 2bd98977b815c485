package kv2

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// defaultMaxVersions is how many versions are kept where neither the key nor the mount says.
const defaultMaxVersions = 10

// metadata is what is known of a key: the entry meta/<path>.
type metadata struct {
	Current     uint64            `json:"current,omitempty"`  // the number of the last version; 0: none yet
	Oldest      uint64            `json:"oldest,omitempty"`   // as shown: 0 until a version was dropped or is about to be
	Versions    []version         `json:"versions,omitempty"` // in order, without gaps; the last is Current
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
	MaxVersions uint32            `json:"max,omitempty"` // 0: the mount's
	Required    bool              `json:"cas,omitempty"`
	MetaCAS     bool              `json:"meta_cas,omitempty"`
	Revision    uint64            `json:"revision,omitempty"` // counts changes of the settings
	DeleteAfter time.Duration     `json:"delete_after,omitempty"`
	Custom      map[string]string `json:"custom,omitempty"`
}

// version is what is known of a version beside its secret.
type version struct {
	Created   time.Time `json:"c"`
	Deletion  time.Time `json:"d,omitzero"` // from then on it counts as deleted
	Destroyed bool      `json:"x,omitempty"`
}

// deleted reports whether the version is deleted at a time.
func (v *version) deleted(now time.Time) bool { return !v.Deletion.IsZero() && !v.Deletion.After(now) }

// gone reports whether the secret is not to be had at a time.
func (v *version) gone(now time.Time) bool { return v.Destroyed || v.deleted(now) }

// first is the number of Versions[0].
func (m *metadata) first() uint64 { return m.Current - uint64(len(m.Versions)) + 1 }

// version returns a version by its number, nil if there is none or none any more.
func (m *metadata) version(number uint64) *version {
	if first := m.first(); number >= first && number <= m.Current && number > 0 {
		return &m.Versions[number-first]
	}
	return nil
}

// add appends a version and returns the numbers of those that had to go for it and still have a secret. The larger of the
// limits of key and mount counts.
func (m *metadata) add(v version, mount *config) []uint64 {
	m.Current++
	m.Versions = append(m.Versions, v)
	m.Updated = v.Created
	if m.Created.IsZero() {
		m.Created = v.Created
	}
	limit := max(m.MaxVersions, mount.MaxVersions)
	if limit == 0 {
		limit = defaultMaxVersions
	}
	if m.Current-m.Oldest < uint64(limit) {
		return nil
	}
	var dropped []uint64
	last := m.Current - uint64(limit)
	for n := m.first(); n <= last; n++ {
		if !m.Versions[0].Destroyed {
			dropped = append(dropped, n)
		}
		m.Versions = m.Versions[1:]
	}
	m.Oldest = last + 1
	return dropped
}

// deletion is when a version of that time is deleted by itself: the shorter of the spans of key and mount counts.
func (m *metadata) deletion(created time.Time, mount *config) time.Time {
	span := mount.DeleteAfter
	switch {
	case span < 0:
		return time.Time{} // the mount forbids it
	case span == 0 || m.DeleteAfter > 0 && m.DeleteAfter < span:
		span = m.DeleteAfter
	}
	if span == 0 {
		return time.Time{}
	}
	return created.Add(span)
}

// view is a version as clients see it.
func (m *metadata) view(number uint64) map[string]any {
	out := m.version(number).view()
	out["version"] = number
	out["custom_metadata"] = m.Custom
	return out
}

func (v *version) view() map[string]any {
	return map[string]any{"created_time": text(v.Created), "deletion_time": text(v.Deletion), "destroyed": v.Destroyed}
}

// settings is the key as clients of the metadata path see it.
func (m *metadata) settings() map[string]any {
	versions := make(map[string]any, len(m.Versions))
	for i := range m.Versions {
		versions[strconv.FormatUint(m.first()+uint64(i), 10)] = m.Versions[i].view()
	}
	return map[string]any{
		"versions": versions, "current_version": m.Current, "oldest_version": m.Oldest, "current_metadata_version": m.Revision,
		"created_time": text(m.Created), "updated_time": text(m.Updated), "max_versions": m.MaxVersions,
		"cas_required": m.Required, "metadata_cas_required": m.MetaCAS, "delete_version_after": m.DeleteAfter.String(),
		"custom_metadata": m.Custom,
	}
}

// text is a time as Vault prints it, "" for none.
func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// moment is the time of a request as it is stored.
func moment(r *logical.Request) time.Time { return r.Time.UTC().Round(0) }

func decodeMetadata(raw []byte) (any, error) {
	m := new(metadata)
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, err
	}
	return m, nil
}

// load returns the metadata of a key from memory, shared; nil if there is no such key.
func load(ctx context.Context, s logical.Storage, path string) (*metadata, error) {
	return decoded[metadata](s.Decoded(ctx, metaName(path), decodeMetadata))
}

// exists tells writes to a key from those that make one.
func exists(ctx context.Context, r *logical.Request) (bool, error) {
	m, err := load(ctx, r.Storage, r.Params.Get("path"))
	return m != nil, err
}

// change runs fn with the metadata of a key, nil if there is no such key, in a transaction that stores what fn returns unless
// it is nil. fn may run more than once.
func change(ctx context.Context, r *logical.Request, fn func(storage.Tx, *metadata) (*metadata, error)) error {
	path := r.Params.Get("path")
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		m, err := logical.Get[metadata](ctx, tx, metaName(path))
		if err != nil {
			return err
		}
		if m, err = fn(tx, m); err != nil || m == nil {
			return err
		}
		return logical.Put(ctx, tx, metaName(path), m)
	})
}
