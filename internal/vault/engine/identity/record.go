package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Entity is somebody.
type Entity struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata"`
	Policies []string          `json:"policies"`
	Disabled bool              `json:"disabled,omitempty"`
	Merged   []string          `json:"merged,omitempty"` // the ids of those that were merged into this one
	Aliases  []*Alias          `json:"aliases,omitempty"`
	Groups   []string          `json:"groups,omitempty"` // the ids of those that it is in itself
	Created  time.Time         `json:"created"`
	Updated  time.Time         `json:"updated"`

	known atomic.Pointer[resolved] // what was worked out of it while it did not change
}

// Alias is the name that an auth method knows an entity or a group by.
type Alias struct {
	ID         string            `json:"id"`
	Owner      string            `json:"owner"` // the id of the entity or the group
	Accessor   string            `json:"accessor"`
	Name       string            `json:"name"`
	Metadata   map[string]string `json:"metadata"` // from the auth method
	Custom     map[string]string `json:"custom"`   // from people
	MergedFrom []string          `json:"merged_from,omitempty"`
	Created    time.Time         `json:"created"`
	Updated    time.Time         `json:"updated"`
}

// Group gives its policies to the entities and groups in it.
type Group struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Metadata    map[string]string `json:"metadata"`
	Policies    []string          `json:"policies"`
	Parents     []string          `json:"parents,omitempty"` // the ids of the groups that it is in
	Alias       *Alias            `json:"alias,omitempty"`   // of an external group
	ModifyIndex int               `json:"modify_index"`
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
}

// Types of groups: the members of an external one are set by its auth method when they sign in.
const (
	internal = "internal"
	external = "external"
)

const (
	entityFolder       = "entity/"
	entityNameFolder   = "entity-name/"
	entityAliasFolder  = "entity-alias/"
	entityFactorFolder = "entity-factor/"
	mergedFolder       = "merged/"
	memberFolder       = "member/"
	groupFolder        = "group/"
	groupNameFolder    = "group-name/"
	groupAliasFolder   = "group-alias/"
	groupFactorFolder  = "group-factor/"
	childFolder        = "child/"
)

// lead is an index entry: the id of what it leads to.
type lead struct {
	ID string `json:"id"`
}

// record is an Entity or a Group.
type record interface {
	key() string
	// leads are the index entries that lead to the record; they are all made from it.
	leads() []string
	id() string
}

func (e *Entity) id() string  { return e.ID }
func (e *Entity) key() string { return entityFolder + e.ID }
func (e *Entity) leads() []string {
	all := []string{entityNameFolder + digest(e.Name)}
	for _, a := range e.Aliases {
		all = append(all, entityAliasFolder+a.ID, entityFactorFolder+digest(a.Accessor, a.Name))
	}
	for _, m := range e.Merged {
		all = append(all, mergedFolder+m)
	}
	for _, g := range e.Groups {
		all = append(all, memberFolder+g+"/"+e.ID)
	}
	return all
}

// alias returns the alias with an id, nil if there is none.
func (e *Entity) alias(id string) *Alias {
	i := slices.IndexFunc(e.Aliases, func(a *Alias) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return e.Aliases[i]
}

// at returns the alias for a mount, nil if there is none. There is at most one.
func (e *Entity) at(accessor string) *Alias {
	i := slices.IndexFunc(e.Aliases, func(a *Alias) bool { return a.Accessor == accessor })
	if i < 0 {
		return nil
	}
	return e.Aliases[i]
}

// remove takes an alias away.
func (e *Entity) remove(id string) {
	e.Aliases = slices.DeleteFunc(e.Aliases, func(a *Alias) bool { return a.ID == id })
}

func (g *Group) id() string  { return g.ID }
func (g *Group) key() string { return groupFolder + g.ID }
func (g *Group) leads() []string {
	all := []string{groupNameFolder + digest(g.Name)}
	if a := g.Alias; a != nil {
		all = append(all, groupAliasFolder+a.ID, groupFactorFolder+digest(a.Accessor, a.Name))
	}
	for _, p := range g.Parents {
		all = append(all, childFolder+p+"/"+g.ID)
	}
	return all
}

// save writes a record and makes what leads to it as it is now. before is what led to it when it was read, nil for a new one.
func save(ctx context.Context, tx storage.Tx, before []string, r record) error {
	after := r.leads()
	for _, name := range before {
		if !slices.Contains(after, name) {
			if err := tx.Delete(ctx, name); err != nil {
				return err
			}
		}
	}
	for _, name := range after {
		if !slices.Contains(before, name) {
			if err := logical.Put(ctx, tx, name, lead{r.id()}); err != nil {
				return err
			}
		}
	}
	return logical.Put(ctx, tx, r.key(), r)
}

// drop deletes a record, as it was read, and what leads to it.
func drop(ctx context.Context, tx storage.Tx, r record) error {
	for _, name := range append(r.leads(), r.key()) {
		if err := tx.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// source is where records are read: kept and shared, or one's own to be changed. nil is returned for what is not there.
type source interface {
	entity(ctx context.Context, id string) (*Entity, error)
	group(ctx context.Context, id string) (*Group, error)
	lead(ctx context.Context, name string) (id string, err error)
}

// shared reads what is kept in memory: nobody may change it.
type shared struct{ logical.Storage }

func (s shared) entity(ctx context.Context, id string) (*Entity, error) {
	return keptAt[Entity](ctx, s.Storage, entityFolder+id, decodeEntity)
}

func (s shared) group(ctx context.Context, id string) (*Group, error) {
	return keptAt[Group](ctx, s.Storage, groupFolder+id, decodeGroup)
}

func (s shared) lead(ctx context.Context, name string) (string, error) {
	l, err := keptAt[lead](ctx, s.Storage, name, decodeLead)
	if err != nil || l == nil {
		return "", err
	}
	return l.ID, nil
}

// keptAt is logical.Load with a decoder that is made once: every request of somebody comes by here.
func keptAt[T any](ctx context.Context, s logical.Storage, name string, decode func([]byte) (any, error)) (*T, error) {
	v, err := s.Decoded(ctx, name, decode)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kept, ok := v.(*T)
	if !ok {
		return nil, fmt.Errorf("reading the identity store: %w: an entry was decoded as %T", storage.ErrCorrupt, v)
	}
	return kept, nil
}

func decodeEntity(raw []byte) (any, error) { return decodeInto(raw, &Entity{}) }
func decodeGroup(raw []byte) (any, error)  { return decodeInto(raw, &Group{}) }
func decodeLead(raw []byte) (any, error)   { return decodeInto(raw, &lead{}) }

func decodeInto(raw []byte, v any) (any, error) { return v, json.Unmarshal(raw, v) }

// own reads copies, within a transaction or a view. Ids may be whatever a client has sent.
type own struct{ storage.Reader }

func (o own) entity(ctx context.Context, id string) (*Entity, error) {
	if uuid.Validate(id) != nil {
		return nil, nil //nolint:nilerr // nobody has such an id
	}
	return logical.Get[Entity](ctx, o.Reader, entityFolder+id)
}

func (o own) group(ctx context.Context, id string) (*Group, error) {
	if uuid.Validate(id) != nil {
		return nil, nil //nolint:nilerr // nobody has such an id
	}
	return logical.Get[Group](ctx, o.Reader, groupFolder+id)
}

func (o own) lead(ctx context.Context, name string) (string, error) {
	l, err := logical.Get[lead](ctx, o.Reader, name)
	if err != nil || l == nil {
		return "", err
	}
	return l.ID, nil
}

// entityAt and groupAt return the record that an index entry leads to, nil if there is none.
func entityAt(ctx context.Context, s source, name string) (*Entity, error) {
	id, err := s.lead(ctx, name)
	if err != nil || id == "" {
		return nil, err
	}
	return s.entity(ctx, id)
}

func groupAt(ctx context.Context, s source, name string) (*Group, error) {
	id, err := s.lead(ctx, name)
	if err != nil || id == "" {
		return nil, err
	}
	return s.group(ctx, id)
}

// byAliasID is the index entry of an alias id that a client has sent, which may be anything.
func byAliasID(folder, id string) string {
	if uuid.Validate(id) != nil {
		return folder + "none"
	}
	return folder + id
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// groupsOf returns the groups that ids name, then those that they are in, and so on up, each once.
func groupsOf(ctx context.Context, s source, ids []string) (direct, inherited []*Group, err error) {
	seen := map[string]bool{}
	next := ids
	for level := 0; len(next) > 0; level++ {
		var above []string
		for _, id := range next {
			if seen[id] {
				continue
			}
			seen[id] = true
			g, err := s.group(ctx, id)
			if err != nil {
				return nil, nil, err
			}
			if g == nil {
				continue
			}
			above = append(above, g.Parents...)
			if level == 0 {
				direct = append(direct, g)
			} else {
				inherited = append(inherited, g)
			}
		}
		next = above
	}
	return direct, inherited, nil
}
