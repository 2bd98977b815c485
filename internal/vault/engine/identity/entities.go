package identity

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (st *Store) entityRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "id", Type: logical.String, Help: "The id of the entity to update."},
		{Name: "name", Type: logical.String, Help: "The name of the entity."},
		{Name: "metadata", Type: logical.KVPairs, Help: "Names and texts that are kept with it."},
		{Name: "policies", Type: logical.CommaList, Help: "Policies that its tokens have besides their own."},
		{Name: "disabled", Type: logical.Bool, Help: "Refuse its tokens, without revoking them."},
	}
	one := ops{logical.Read: st.readEntity, logical.Update: st.writeEntity, logical.Delete: st.deleteEntity}
	return []*logical.Route{
		{Pattern: "entity", Fields: fields, Synopsis: "Makes an entity, or updates one.", Ops: ops{logical.Update: st.writeEntity}},
		{Pattern: "entity/id", Synopsis: "Lists the entities by id.", Ops: ops{logical.List: st.listEntities(true)}},
		{Pattern: "entity/id/:id", Fields: fields, Synopsis: "Reads, updates or deletes an entity by id.", Ops: one},
		{Pattern: "entity/name", Synopsis: "Lists the entities by name.", Ops: ops{logical.List: st.listEntities(false)}},
		{Pattern: "entity/name/*name", Fields: fields, Synopsis: "Reads, writes or deletes an entity by name.", Ops: one},
		{Pattern: "entity/batch-delete", Synopsis: "Deletes several entities.", Ops: ops{logical.Update: st.deleteEntities}, Fields: []logical.Field{
			{Name: "entity_ids", Type: logical.CommaList, Help: "The ids of the entities."},
		}},
		{Pattern: "entity/merge", Synopsis: "Merges entities into one.", Ops: ops{logical.Update: st.merge}, Fields: []logical.Field{
			{Name: "from_entity_ids", Type: logical.CommaList, Help: "The ids of those that end."},
			{Name: "to_entity_id", Type: logical.String, Help: "The id of the one that stays."},
			{Name: "conflicting_alias_ids_to_keep", Type: logical.CommaList, Help: "Of two aliases for one mount, the one to keep."},
			{Name: "force", Type: logical.Bool, Help: "Kept for clients that send it."},
		}},
	}
}

func (st *Store) writeEntity(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var made *Entity
	err := r.Storage.Update(ctx, func(tx storage.Tx) error {
		made = nil
		e, err := wantedEntity(ctx, own{tx}, given(r, "id"), given(r, "name"))
		if err != nil {
			return err
		}
		var before []string
		if e != nil {
			before = e.leads()
			e.Updated = r.Time
		} else if e, err = st.newEntity(ctx, own{tx}, r.Time); err != nil {
			return err
		} else {
			made = e
		}
		if err := e.set(r); err != nil {
			return err
		}
		return save(ctx, tx, before, e)
	})
	if err != nil || made == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"id": made.ID, "name": made.Name, "aliases": nil}}, nil
}

// wantedEntity finds the entity that a write is about by id, else by name; nil is one to be made.
func wantedEntity(ctx context.Context, s source, id, name string) (*Entity, error) {
	var e *Entity
	var err error
	if id != "" {
		if e, err = s.entity(ctx, id); err != nil {
			return nil, err
		}
		if e == nil {
			return nil, logical.Invalid("entity not found from id")
		}
	}
	if name == "" {
		return e, nil
	}
	named, err := entityAt(ctx, s, entityNameFolder+digest(name))
	switch {
	case err != nil || named == nil:
		return e, err
	case e != nil && e.ID != named.ID:
		return nil, logical.Invalid("entity name is already in use")
	}
	return named, nil
}

// set takes over what was given.
func (e *Entity) set(r *logical.Request) (err error) {
	if name := given(r, "name"); name != "" {
		e.Name = name
	}
	if r.Data.Has("policies") {
		if e.Policies, err = policies(r.Data); err != nil {
			return err
		}
	}
	if r.Data.Has("disabled") {
		e.Disabled = r.Data.Bool("disabled")
	}
	if r.Data.Has("metadata") {
		e.Metadata = r.Data.Pairs("metadata")
	}
	return metadata("entity", e.Metadata)
}

// asked finds the entity that the path names.
func asked(ctx context.Context, s source, r *logical.Request) (*Entity, error) {
	if id := r.Params.Get("id"); id != "" {
		return s.entity(ctx, id)
	}
	return entityAt(ctx, s, entityNameFolder+digest(r.Params.Get("name")))
}

func (st *Store) readEntity(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	data, err := st.describedEntity(ctx, r, func(s source) (*Entity, error) { return asked(ctx, s, r) })
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Data: data}, nil
}

// describedEntity is the entity that find finds as clients see it, nil if there is none.
func (st *Store) describedEntity(ctx context.Context, r *logical.Request, find func(source) (*Entity, error)) (map[string]any, error) {
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	err = r.Storage.View(ctx, func(v storage.Reader) error {
		e, err := find(own{v})
		if err != nil || e == nil {
			return err
		}
		direct, inherited, err := groupsOf(ctx, own{v}, e.Groups)
		data = e.describe(at, idsOf(direct), idsOf(inherited))
		return err
	})
	return data, err
}

func idsOf(groups []*Group) []string {
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids
}

// describe is an entity as clients see it.
func (e *Entity) describe(at places, direct, inherited []string) map[string]any {
	aliases := make([]any, len(e.Aliases))
	for i, a := range e.Aliases {
		aliases[i] = at.describe(a.describe(), a.Accessor)
	}
	return map[string]any{
		"id": e.ID, "name": e.Name, "metadata": e.Metadata, "merged_entity_ids": e.Merged, "policies": filled(e.Policies),
		"disabled": e.Disabled, "namespace_id": "root", "creation_time": stamp(e.Created), "last_update_time": stamp(e.Updated),
		"aliases": aliases, "direct_group_ids": direct, "inherited_group_ids": inherited, "group_ids": filled(slices.Concat(direct, inherited)),
	}
}

func (st *Store) deleteEntity(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		e, err := asked(ctx, own{tx}, r)
		if err != nil || e == nil {
			return err
		}
		return drop(ctx, tx, e)
	})
}

// deleteBatch is how many entities are deleted in one transaction.
const deleteBatch = 200

func (st *Store) deleteEntities(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	ids := unique(r.Data.Strings("entity_ids"), same)
	if len(ids) == 0 {
		return nil, logical.Invalid("missing entity ids to delete")
	}
	for part := range slices.Chunk(ids, deleteBatch) {
		err := r.Storage.Update(ctx, func(tx storage.Tx) error {
			for _, id := range part {
				e, err := own{tx}.entity(ctx, id)
				if err != nil {
					return err
				}
				if e == nil {
					continue
				}
				if err := drop(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (st *Store) listEntities(byID bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		at, err := st.places(ctx)
		if err != nil {
			return nil, err
		}
		all, err := scan[Entity](ctx, r.Storage, entityFolder)
		if err != nil {
			return nil, err
		}
		keys, info := make([]string, 0, len(all)), map[string]any{}
		for _, e := range all {
			if !byID {
				keys = append(keys, e.Name)
				continue
			}
			keys = append(keys, e.ID)
			info[e.ID] = e.brief(at)
		}
		slices.Sort(keys)
		if !byID {
			return listed(keysOf(r, keys), nil)
		}
		return listed(keysOf(r, keys), info)
	}
}

// brief is what a list tells of an entity.
func (e *Entity) brief(at places) map[string]any {
	out := map[string]any{"name": e.Name}
	var aliases []any
	for _, a := range e.Aliases {
		aliases = append(aliases, at.describe(map[string]any{"id": a.ID, "name": a.Name, "mount_accessor": a.Accessor}, a.Accessor))
	}
	if aliases != nil {
		out["aliases"] = aliases
	}
	return out
}

// scan reads all records of a folder.
func scan[T any](ctx context.Context, s storage.Reader, folder string) ([]*T, error) {
	entries, err := s.Scan(ctx, folder, "", 0)
	if err != nil {
		return nil, err
	}
	all := make([]*T, len(entries))
	for i, entry := range entries {
		all[i] = new(T)
		if err := json.Unmarshal(entry.Value, all[i]); err != nil {
			return nil, storage.ErrCorrupt
		}
	}
	return all, nil
}
