package identity

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (st *Store) groupAliasRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "id", Type: logical.String, Help: "The id of the alias to update."},
		{Name: "name", Type: logical.String, Help: "What the auth method calls the group."},
		{Name: "mount_accessor", Type: logical.String, Help: "The accessor of the auth method."},
		{Name: "canonical_id", Type: logical.String, Help: "The id of the group that it belongs to."},
	}
	return []*logical.Route{
		{Pattern: "group-alias", Fields: fields, Synopsis: "Makes an alias of an external group, or updates one.", Ops: ops{logical.Update: st.writeGroupAlias}},
		{Pattern: "group-alias/id", Synopsis: "Lists the aliases of groups.", Ops: ops{logical.List: st.listGroupAliases}},
		{Pattern: "group-alias/id/:id", Fields: fields, Synopsis: "Reads, updates or deletes an alias of a group.", Ops: ops{
			logical.Read: st.readGroupAlias, logical.Update: st.writeGroupAlias, logical.Delete: st.deleteGroupAlias,
		}},
	}
}

func (st *Store) writeGroupAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	byID := r.Params.Get("id") != "" || r.Data.Has("id")
	w := aliasWish{owner: r.Data.String("canonical_id"), accessor: r.Data.String("mount_accessor"), name: r.Data.String("name")}
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	var a *Alias
	err = r.Storage.Update(ctx, func(tx storage.Tx) error {
		a = nil
		var was *Group
		if byID {
			id := given(r, "id")
			if id == "" {
				return logical.Invalid("empty group alias ID")
			}
			if was, err = groupAt(ctx, own{tx}, byAliasID(groupAliasFolder, id)); err != nil {
				return err
			}
			if was == nil {
				return logical.Invalid("invalid group alias ID")
			}
		}
		a, err = st.putGroupAlias(ctx, tx, r, was, w, at)
		return err
	})
	if err != nil || a == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"id": a.ID, "canonical_id": a.Owner}}, nil
}

// putGroupAlias makes an alias, or changes the one of the group was; nil means that there was nothing to change.
func (st *Store) putGroupAlias(ctx context.Context, tx storage.Tx, r *logical.Request, was *Group, w aliasWish, at places) (*Alias, error) {
	switch {
	case w.name == "":
		return nil, logical.Invalid("missing alias name")
	case w.accessor == "":
		return nil, logical.Invalid("missing mount_accessor")
	case was != nil && was.Alias.Name == w.name && was.Alias.Accessor == w.accessor && (w.owner == "" || w.owner == was.ID):
		return nil, nil
	}
	g, err := st.ownerOf(ctx, tx, r, was, w)
	if err != nil {
		return nil, err
	}
	if at[w.accessor] == nil {
		return nil, logical.Invalid("invalid mount accessor %q", w.accessor)
	}
	other, err := groupAt(ctx, own{tx}, groupFactorFolder+digest(w.accessor, w.name))
	if err != nil {
		return nil, err
	}
	if other != nil && (was == nil || other.ID != was.ID) {
		return nil, logical.Invalid("combination of mount and group alias name is already in use")
	}
	before := g.stored()
	var a *Alias
	if was == nil {
		if a, err = st.newAlias(g.ID, w.accessor, w.name, r.Time); err != nil {
			return nil, err
		}
	} else if a = was.Alias; was.ID != g.ID {
		old := was.leads()
		was.Alias = nil
		was.ModifyIndex++
		if err := save(ctx, tx, old, was); err != nil {
			return nil, err
		}
	}
	a.Owner, a.Name, a.Accessor, a.Updated = g.ID, w.name, w.accessor, r.Time
	g.Alias, g.Updated = a, r.Time
	g.ModifyIndex++
	return a, save(ctx, tx, before, g)
}

// stored is what leads to a group, nil for one that was not stored yet.
func (g *Group) stored() []string {
	if g.ModifyIndex == 0 {
		return nil
	}
	return g.leads()
}

// ownerOf finds the group that an alias shall belong to: the given one, else the one that it belongs to, else a new one.
func (st *Store) ownerOf(ctx context.Context, tx storage.Tx, r *logical.Request, was *Group, w aliasWish) (*Group, error) {
	switch {
	case was != nil && (w.owner == "" || w.owner == was.ID):
		return was, nil
	case w.owner == "":
		g, err := st.newGroup(ctx, own{tx}, r)
		if err == nil {
			g.Type = external
		}
		return g, err
	}
	g, err := own{tx}.group(ctx, w.owner)
	switch {
	case err != nil:
		return nil, err
	case g == nil:
		return nil, logical.Invalid("invalid group ID given in 'canonical_id'")
	case g.Type != external:
		return nil, logical.Invalid("alias can't be set on an internal group")
	}
	return g, nil
}

func (st *Store) readGroupAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	g, err := groupAt(ctx, own{r.Storage}, byAliasID(groupAliasFolder, r.Params.Get("id")))
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, logical.ErrNotFound
	}
	return st.shown(ctx, g.Alias)
}

func (st *Store) deleteGroupAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		g, err := groupAt(ctx, own{tx}, byAliasID(groupAliasFolder, r.Params.Get("id")))
		if err != nil || g == nil {
			return err
		}
		before := g.leads()
		g.Alias = nil
		g.ModifyIndex++
		return save(ctx, tx, before, g)
	})
}

func (st *Store) listGroupAliases(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	all, err := scan[Group](ctx, r.Storage, groupFolder)
	if err != nil {
		return nil, err
	}
	var aliases []*Alias
	for _, g := range all {
		if g.Alias != nil {
			aliases = append(aliases, g.Alias)
		}
	}
	return st.listAliases(ctx, r, aliases)
}
