package identity

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Login implements vault.Identity. A login of somebody who is known and unchanged writes nothing.
func (st *Store) Login(ctx context.Context, s logical.Storage, m *vault.Mount, by vault.LoginBy, now time.Time) (string, error) {
	if by.Alias.Name == "" {
		return "", logical.Invalid("missing name in alias")
	}
	e, groups, err := find(ctx, shared{s}, m.Accessor, by)
	if err != nil {
		return "", err
	}
	if e == nil || !settled(e, groups, m.Accessor, by) {
		if err := metadata("alias", by.Alias.Metadata); err != nil {
			return "", err
		}
		err := s.Update(ctx, func(tx storage.Tx) (err error) {
			e, err = st.settle(ctx, tx, m.Accessor, by, now)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	if e.Disabled {
		return "", logical.ErrPermissionDenied
	}
	return e.ID, nil
}

// find returns the entity behind a login, nil if there is none, and the groups that it belongs in.
func find(ctx context.Context, s source, accessor string, by vault.LoginBy) (*Entity, []string, error) {
	e, err := entityAt(ctx, s, entityFactorFolder+digest(accessor, by.Alias.Name))
	if err != nil {
		return nil, nil, err
	}
	var groups []string
	if e != nil {
		groups, err = kept(ctx, s, e.Groups, accessor)
		if err != nil {
			return nil, nil, err
		}
	}
	for _, a := range by.Groups {
		id, err := s.lead(ctx, groupFactorFolder+digest(accessor, a.Name))
		if err != nil {
			return nil, nil, err
		}
		if id != "" && !contains(groups, id) {
			groups = append(groups, id)
		}
	}
	return e, groups, nil
}

// kept are those of an entity's groups that a login through a mount leaves alone: internal ones, and those of other mounts.
func kept(ctx context.Context, s source, ids []string, accessor string) ([]string, error) {
	var out []string
	for _, id := range ids {
		g, err := s.group(ctx, id)
		if err != nil {
			return nil, err
		}
		if g != nil && (g.Type == internal || g.Alias != nil && g.Alias.Accessor != accessor) {
			out = append(out, id)
		}
	}
	return out, nil
}

// settled reports whether a login changes nothing.
func settled(e *Entity, groups []string, accessor string, by vault.LoginBy) bool {
	a := e.at(accessor)
	return a != nil && maps.Equal(a.Metadata, by.Alias.Metadata) && sameSet(e.Groups, groups)
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s string) bool { return !contains(b, s) })
}

// settle makes the entity behind a login if there is none, and brings it up to date.
func (st *Store) settle(ctx context.Context, tx storage.Tx, accessor string, by vault.LoginBy, now time.Time) (*Entity, error) {
	e, groups, err := find(ctx, own{tx}, accessor, by)
	if err != nil {
		return nil, err
	}
	var before []string
	if e != nil {
		before = e.leads()
	} else if e, err = st.newEntity(ctx, own{tx}, now); err != nil {
		return nil, err
	}
	a := e.at(accessor)
	if a == nil {
		if a, err = st.newAlias(e.ID, accessor, by.Alias.Name, now); err != nil {
			return nil, err
		}
		e.Aliases = append(e.Aliases, a)
	}
	if !maps.Equal(a.Metadata, by.Alias.Metadata) {
		a.Metadata, a.Updated = by.Alias.Metadata, now
	}
	e.Groups = groups
	return e, save(ctx, tx, before, e)
}

// newEntity makes an entity, which is stored by its maker.
func (st *Store) newEntity(ctx context.Context, s source, now time.Time) (*Entity, error) {
	id, err := st.newID()
	if err != nil {
		return nil, err
	}
	name, err := newName(ctx, s, entityNameFolder, "entity", id)
	return &Entity{ID: id, Name: name, Created: now, Updated: now}, err
}

// newAlias makes an alias, which is stored with its owner.
func (st *Store) newAlias(owner, accessor, name string, now time.Time) (*Alias, error) {
	id, err := st.newID()
	return &Alias{ID: id, Owner: owner, Accessor: accessor, Name: name, Created: now, Updated: now}, err
}
