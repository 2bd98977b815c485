package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Mount is a backend at a path.
type Mount struct {
	UUID        string            `json:"uuid"`
	Path        string            `json:"path"` // with "auth/" in front for auth methods, and a trailing slash
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Accessor    string            `json:"accessor"`
	Local       bool              `json:"local"`
	SealWrap    bool              `json:"seal_wrap"`
	Options     map[string]string `json:"options,omitempty"`
	Config      MountConfig       `json:"config"`
	Upgrading   bool              `json:"upgrading,omitempty"` // its data is not yet in the form of its version
}

// MountConfig is what tuning a mount changes.
type MountConfig struct {
	DefaultTTL          time.Duration `json:"default_ttl,omitempty"` // 0: the system's
	MaxTTL              time.Duration `json:"max_ttl,omitempty"`
	ForceNoCache        bool          `json:"force_no_cache,omitempty"`
	NonHMACRequestKeys  []string      `json:"non_hmac_request,omitempty"`
	NonHMACResponseKeys []string      `json:"non_hmac_response,omitempty"`
	ListingVisibility   string        `json:"listing_visibility,omitempty"`
	PassthroughHeaders  []string      `json:"passthrough_headers,omitempty"`
	AllowedHeaders      []string      `json:"allowed_headers,omitempty"`
	TokenType           string        `json:"token_type,omitempty"`
	Lockout             *Lockout      `json:"lockout,omitempty"`
}

// Lockout is when an auth method stops listening to somebody who gives wrong passwords.
type Lockout struct {
	Threshold    int           `json:"threshold"`
	Duration     time.Duration `json:"duration"`
	CounterReset time.Duration `json:"counter_reset"`
	Disable      bool          `json:"disable"`
}

// The system's own times, until a mount is tuned otherwise.
const (
	DefaultTTL = 32 * 24 * time.Hour
	MaxTTL     = 32 * 24 * time.Hour
)

// AuthPrefix starts the paths of auth methods.
const AuthPrefix = "auth/"

// Auth reports whether the mount is an auth method.
func (m *Mount) Auth() bool { return strings.HasPrefix(m.Path, AuthPrefix) }

// TTLs returns the mount's default and greatest time to live.
func (m *Mount) TTLs() (def, limit time.Duration) {
	def, limit = m.Config.DefaultTTL, m.Config.MaxTTL
	if def == 0 {
		def = DefaultTTL
	}
	if limit == 0 {
		limit = MaxTTL
	}
	return min(def, limit), limit
}

// Prefix is where the mount's entries are in the store.
func (m *Mount) Prefix() string {
	if m.Type == "identity" {
		return identityPrefix
	}
	return "mount/" + m.UUID + "/"
}

// identityPrefix is where the identity store is, which the core itself asks.
const identityPrefix = "identity/"

// Table is the mounts of a vault, by path. It is shared and not changed.
type Table struct {
	Mounts map[string]*Mount
}

const tableName = "mounts"

func decodeTable(raw []byte) (*Table, error) {
	t := &Table{Mounts: map[string]*Mount{}}
	var list []*Mount
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	for _, m := range list {
		t.Mounts[m.Path] = m
	}
	return t, nil
}

// Table returns the mounts.
func (c *Core) Table(ctx context.Context) (*Table, error) {
	t, err := logical.Decode(ctx, c.root, tableName, decodeTable)
	if err != nil {
		return nil, fmt.Errorf("reading the mounts: %w", err)
	}
	return t, nil
}

// Find returns the mount that a path lies in and the rest of the path, nil if there is none.
func (t *Table) Find(path string) (*Mount, string) {
	for end := len(path); end > 0; {
		i := strings.LastIndexByte(path[:end], '/')
		if i < 0 {
			return nil, ""
		}
		if m := t.Mounts[path[:i+1]]; m != nil {
			return m, path[i+1:]
		}
		end = i
	}
	return nil, ""
}

// ByAccessor returns the mount with an accessor, nil if there is none.
func (t *Table) ByAccessor(accessor string) *Mount {
	for _, m := range t.Mounts {
		if m.Accessor == accessor {
			return m
		}
	}
	return nil
}

// Sorted returns the mounts in the order of their paths.
func (t *Table) Sorted() []*Mount {
	return slices.SortedFunc(maps.Values(t.Mounts), func(a, b *Mount) int { return strings.Compare(a.Path, b.Path) })
}

// BackendOf returns the backend that serves a mount.
func (c *Core) BackendOf(m *Mount) *logical.Backend {
	if m.Auth() {
		return c.options.Auths[m.Type]
	}
	if m.Type == "kv" && m.Options["version"] == "2" {
		return c.options.Engines["kv-v2"]
	}
	return c.options.Engines[m.Type]
}

// NewMount fills what every new mount gets.
func NewMount(path, kind string) (*Mount, error) {
	accessor := make([]byte, 4)
	if _, err := rand.Read(accessor); err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	prefix := kind
	if strings.HasPrefix(path, AuthPrefix) {
		prefix = "auth_" + kind
	}
	return &Mount{UUID: id.String(), Path: path, Type: kind, Accessor: prefix + "_" + hex.EncodeToString(accessor)}, nil
}

// defaultMounts are there from the start and stay.
func defaultMounts() ([]*Mount, error) {
	var all []*Mount
	for _, d := range []struct{ path, kind, text string }{
		{"sys/", "system", "system endpoints used for control, policy and debugging"},
		{"cubbyhole/", "cubbyhole", "per-token private secret storage"},
		{"identity/", "identity", "identity store"},
		{AuthPrefix + "token/", "token", "token based credentials"},
	} {
		m, err := NewMount(d.path, d.kind)
		if err != nil {
			return nil, err
		}
		m.Description, m.Local, m.SealWrap = d.text, d.kind == "cubbyhole", d.kind == "system"
		if m.Auth() {
			m.Config.TokenType = "default-service"
		}
		all = append(all, m)
	}
	return all, nil
}

// ChangeMounts replaces the table in a transaction. change gets a copy that it may change, and the transaction of the whole
// store.
func (c *Core) ChangeMounts(ctx context.Context, change func(*Table, storage.Tx) error) error {
	return c.root.Update(ctx, func(tx storage.Tx) error {
		raw, err := tx.Get(ctx, tableName)
		if err != nil {
			return fmt.Errorf("reading the mounts: %w", err)
		}
		t, err := decodeTable(raw)
		if err != nil {
			return errors.Join(storage.ErrCorrupt, err)
		}
		if err := change(t, tx); err != nil {
			return err
		}
		return putTable(ctx, tx, t)
	})
}

func putTable(ctx context.Context, tx storage.Tx, t *Table) error {
	return logical.Put(ctx, tx, tableName, t.Sorted())
}
