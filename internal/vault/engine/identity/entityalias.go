package identity

import (
	"context"
	"maps"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (st *Store) entityAliasRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "id", Type: logical.String, Help: "The id of the alias to update."},
		{Name: "canonical_id", Type: logical.String, Help: "The id of the entity that it belongs to."},
		{Name: "entity_id", Type: logical.String, Help: "The older name of canonical_id."},
		{Name: "mount_accessor", Type: logical.String, Help: "The accessor of the auth method."},
		{Name: "name", Type: logical.String, Help: "What the auth method calls the entity."},
		{Name: "custom_metadata", Type: logical.KVPairs, Help: "Names and texts that are kept with it."},
	}
	return []*logical.Route{
		{Pattern: "entity-alias", Fields: fields, Synopsis: "Makes an alias of an entity, or updates one.", Ops: ops{logical.Update: st.writeEntityAlias}},
		{Pattern: "entity-alias/id", Synopsis: "Lists the aliases of entities.", Ops: ops{logical.List: st.listEntityAliases}},
		{Pattern: "entity-alias/id/:id", Fields: fields, Synopsis: "Reads, updates or deletes an alias of an entity.", Ops: ops{
			logical.Read: st.readEntityAlias, logical.Update: st.writeEntityAlias, logical.Delete: st.deleteEntityAlias,
		}},
	}
}

// aliasWish is what a write wants an alias to be.
type aliasWish struct {
	owner, accessor, name string
	custom                map[string]string
}

func (st *Store) writeEntityAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id := given(r, "id")
	w := aliasWish{r.Data.String("canonical_id"), r.Data.String("mount_accessor"), r.Data.String("name"), map[string]string{}}
	if w.owner == "" {
		w.owner = r.Data.String("entity_id")
	}
	if r.Data.Has("custom_metadata") {
		w.custom = r.Data.Pairs("custom_metadata")
	}
	if err := customMetadata(w.custom); err != nil {
		return nil, err
	}
	if id == "" && (w.accessor == "" || w.name == "") {
		return nil, logical.Invalid("'id' or 'mount_accessor' and 'name' must be provided")
	}
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" && at[w.accessor] == nil {
		return nil, logical.Invalid("invalid mount accessor %q", w.accessor)
	}
	var a *Alias
	err = r.Storage.Update(ctx, func(tx storage.Tx) (err error) {
		a, err = st.putEntityAlias(ctx, tx, r, id, w, at)
		return err
	})
	if err != nil || a == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"id": a.ID, "canonical_id": a.Owner}}, nil
}

// putEntityAlias makes or changes an alias; nil means that there was nothing to change.
func (st *Store) putEntityAlias(ctx context.Context, tx storage.Tx, r *logical.Request, id string, w aliasWish, at places) (*Alias, error) {
	if id == "" {
		e, err := entityAt(ctx, own{tx}, entityFactorFolder+digest(w.accessor, w.name))
		if err != nil {
			return nil, err
		}
		if e == nil {
			return st.addEntityAlias(ctx, tx, r, w)
		}
		return moveEntityAlias(ctx, tx, r, e, e.at(w.accessor), w, at)
	}
	e, err := entityAt(ctx, own{tx}, byAliasID(entityAliasFolder, id))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, logical.Invalid("invalid alias ID provided")
	}
	a := e.alias(id)
	if !r.Data.Has("custom_metadata") {
		w.custom = a.Custom
	}
	if w.name == "" {
		w.name = a.Name
	}
	if w.accessor == "" {
		w.accessor = a.Accessor
	}
	return moveEntityAlias(ctx, tx, r, e, a, w, at)
}

func (st *Store) addEntityAlias(ctx context.Context, tx storage.Tx, r *logical.Request, w aliasWish) (*Alias, error) {
	var e *Entity
	var before []string
	var err error
	if w.owner == "" {
		e, err = st.newEntity(ctx, own{tx}, r.Time)
	} else if e, err = (own{tx}).entity(ctx, w.owner); err == nil && e == nil {
		return nil, logical.Invalid("invalid canonical ID")
	} else if err == nil {
		before = e.leads()
	}
	if err != nil {
		return nil, err
	}
	if e.at(w.accessor) != nil {
		return nil, logical.Invalid("Alias already exists for requested entity and mount accessor")
	}
	a, err := st.newAlias(e.ID, w.accessor, w.name, r.Time)
	if err != nil {
		return nil, err
	}
	a.Custom = w.custom
	e.Aliases = append(e.Aliases, a)
	return a, save(ctx, tx, before, e)
}

// moveEntityAlias changes an alias of e, and gives it to another entity if that is wanted.
func moveEntityAlias(ctx context.Context, tx storage.Tx, r *logical.Request, e *Entity, a *Alias, w aliasWish, at places) (*Alias, error) {
	moves := w.owner != "" && w.owner != e.ID
	changes := w.name != a.Name || w.accessor != a.Accessor || !maps.Equal(w.custom, a.Custom)
	if !moves && !changes {
		return nil, nil
	}
	if !moves && w.accessor != a.Accessor && e.at(w.accessor) != nil {
		return nil, logical.Invalid("Alias cannot be updated as the entity already has an alias for the given 'mount_accessor'")
	}
	if changes {
		if at[w.accessor] == nil {
			return nil, logical.Invalid("invalid mount accessor %q", w.accessor)
		}
		other, err := entityAt(ctx, own{tx}, entityFactorFolder+digest(w.accessor, w.name))
		if err != nil {
			return nil, err
		}
		if other != nil && other.at(w.accessor).ID != a.ID {
			return nil, logical.Invalid("alias with combination of mount accessor and name already exists")
		}
	}
	before := e.leads()
	if !moves {
		a.change(w, r)
		return a, save(ctx, tx, before, e)
	}
	next, err := own{tx}.entity(ctx, w.owner)
	switch {
	case err != nil:
		return nil, err
	case next == nil:
		return nil, logical.Invalid("given 'canonical_id' is not associated with an entity")
	case next.at(w.accessor) != nil:
		return nil, logical.Invalid("Alias cannot be updated as the given entity already has an alias for this mount")
	}
	e.remove(a.ID)
	if err := save(ctx, tx, before, e); err != nil {
		return nil, err
	}
	before = next.leads()
	a.change(w, r)
	a.Owner = next.ID
	next.Aliases = append(next.Aliases, a)
	return a, save(ctx, tx, before, next)
}

func (a *Alias) change(w aliasWish, r *logical.Request) {
	a.Name, a.Accessor, a.Custom, a.Updated = w.name, w.accessor, w.custom, r.Time
}

// describe is an alias as clients see it.
func (a *Alias) describe() map[string]any {
	return map[string]any{
		"id": a.ID, "canonical_id": a.Owner, "mount_accessor": a.Accessor, "metadata": a.Metadata, "custom_metadata": a.Custom, "name": a.Name,
		"merged_from_canonical_ids": a.MergedFrom, "local": false, "creation_time": stamp(a.Created), "last_update_time": stamp(a.Updated),
	}
}

// brief is what a list tells of an alias.
func (a *Alias) brief() map[string]any {
	return map[string]any{
		"name": a.Name, "canonical_id": a.Owner, "mount_accessor": a.Accessor, "custom_metadata": a.Custom, "metadata": a.Metadata, "local": false,
	}
}

// shown answers with an alias.
func (st *Store) shown(ctx context.Context, a *Alias) (*logical.Response, error) {
	if a == nil {
		return nil, logical.ErrNotFound
	}
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	data := at.describe(a.describe(), a.Accessor)
	data["namespace_id"] = "root"
	return &logical.Response{Data: data}, nil
}

func (st *Store) readEntityAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var a *Alias
	err := r.Storage.View(ctx, func(v storage.Reader) error {
		e, err := entityAt(ctx, own{v}, byAliasID(entityAliasFolder, r.Params.Get("id")))
		if err == nil && e != nil {
			a = e.alias(r.Params.Get("id"))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return st.shown(ctx, a)
}

func (st *Store) deleteEntityAlias(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id := r.Params.Get("id")
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		e, err := entityAt(ctx, own{tx}, byAliasID(entityAliasFolder, id))
		if err != nil || e == nil {
			return err
		}
		before := e.leads()
		e.remove(id)
		return save(ctx, tx, before, e)
	})
}

func (st *Store) listEntityAliases(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	all, err := scan[Entity](ctx, r.Storage, entityFolder)
	if err != nil {
		return nil, err
	}
	var aliases []*Alias
	for _, e := range all {
		aliases = append(aliases, e.Aliases...)
	}
	return st.listAliases(ctx, r, aliases)
}

func (st *Store) listAliases(ctx context.Context, r *logical.Request, aliases []*Alias) (*logical.Response, error) {
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	keys, info := make([]string, 0, len(aliases)), map[string]any{}
	for _, a := range aliases {
		keys = append(keys, a.ID)
		info[a.ID] = at.describe(a.brief(), a.Accessor)
	}
	slices.Sort(keys)
	return listed(keysOf(r, keys), info)
}
