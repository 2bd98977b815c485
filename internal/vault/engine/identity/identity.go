// Package identity is the engine at identity/: entities, which stand for people and machines whatever way they sign in, their
// aliases, one for each auth method, and groups of them.
//
// Start with New and Store.Manage. The core asks a Store who is behind a login and what policies somebody has (vault.Identity);
// all the rest are the routes of the backend.
//
// Records and the ways to them, below the mount's prefix:
//
//	entity/<id>                    Entity, with its aliases and the ids of its groups
//	group/<id>                     Group, with its alias and the ids of its parents
//	entity-name/<digest>           the id of the entity of that name, whatever its case
//	entity-alias/<id>              the id of the entity that the alias belongs to
//	entity-factor/<digest>         the same, by mount accessor and name
//	merged/<id>                    the id of the entity that another was merged into
//	member/<group>/<entity>        the entity is in the group
//	group-name/, group-alias/, group-factor/   as for entities
//	child/<parent>/<group>         the group is in the parent
//
// What leads to a record is made from the record alone (record.leads), and written and deleted with it in one transaction.
package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity/idtoken"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Mounts knows what is mounted. *vault.Core does.
type Mounts interface {
	Table(ctx context.Context) (*vault.Table, error)
}

// Store is the identity store: the backend, and what the core asks of it. It is safe for concurrent use and keeps nothing but
// what is in the storage that it is handed.
type Store struct {
	*logical.Backend
	mounts Mounts
	newID  func() (string, error)
}

var _ vault.Identity = (*Store)(nil)

type ops = map[logical.Operation]logical.Handler

// New returns the store. What is mounted is set with Manage before the first request.
func New() *Store {
	st := &Store{newID: randomID}
	st.Backend = &logical.Backend{
		Type: "identity",
		Help: "The identity engine knows who is behind the tokens: entities, their aliases in auth methods, and groups. It is always there.",
	}
	st.Routes = append(st.Routes, st.entityRoutes()...)
	st.Routes = append(st.Routes, st.entityAliasRoutes()...)
	st.Routes = append(st.Routes, st.groupRoutes()...)
	st.Routes = append(st.Routes, st.groupAliasRoutes()...)
	st.Routes = append(st.Routes, st.lookupRoutes()...)
	st.Routes = append(st.Routes, idtoken.Routes(st)...)
	st.Periodic = idtoken.Periodic
	return st
}

// Manage tells the store what is mounted.
func (st *Store) Manage(m Mounts) { st.mounts = m }

func randomID() (string, error) {
	id, err := uuid.NewRandom()
	return id.String(), err
}

// newName makes a name for what was given none: short if it is free.
func newName(ctx context.Context, s source, folder, kind, id string) (string, error) {
	id = strings.ReplaceAll(id, "-", "")
	name := kind + "_" + id[:8]
	taken, err := s.lead(ctx, folder+digest(name))
	if taken != "" {
		name = kind + "_" + id
	}
	return name, err
}

// digest names an index entry: names may be longer than a key, hold what a key cannot, and differ in case only.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return hex.EncodeToString(sum[:])
}

// places are the mounts by accessor.
type places map[string]*vault.Mount

func (st *Store) places(ctx context.Context) (places, error) {
	t, err := st.mounts.Table(ctx)
	if err != nil {
		return nil, err
	}
	p := make(places, len(t.Mounts))
	for _, m := range t.Mounts {
		p[m.Accessor] = m
	}
	return p, nil
}

// describe adds where an alias belongs, if that is still mounted.
func (p places) describe(out map[string]any, accessor string) map[string]any {
	if m := p[accessor]; m != nil {
		out["mount_path"], out["mount_type"] = m.Path, m.Type
	}
	return out
}

// given returns a field, as captured from the path if it is there.
func given(r *logical.Request, name string) string {
	if v := r.Params.Get(name); v != "" {
		return v
	}
	return r.Data.String(name)
}

// keysOf cuts what is listed as the request asks: what sorts after "after", at most "limit" of them.
func keysOf(r *logical.Request, sorted []string) []string {
	after, limit := r.Data.String("after"), r.Data.Int("limit")
	for len(sorted) > 0 && after != "" && sorted[0] <= after {
		sorted = sorted[1:]
	}
	if limit > 0 && len(sorted) > limit {
		sorted = sorted[:limit]
	}
	return sorted
}

// listed answers a list: nothing is not found.
func listed(keys []string, info map[string]any) (*logical.Response, error) {
	if len(keys) == 0 {
		return nil, logical.ErrNotFound
	}
	if len(info) <= len(keys) {
		return &logical.Response{Keys: keys, KeyInfo: info}, nil
	}
	shown := make(map[string]any, len(keys))
	for _, k := range keys {
		shown[k] = info[k]
	}
	return &logical.Response{Keys: keys, KeyInfo: shown}, nil
}
