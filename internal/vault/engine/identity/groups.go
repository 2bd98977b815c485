package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (st *Store) groupRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "id", Type: logical.String, Help: "The id of the group to update."},
		{Name: "name", Type: logical.String, Help: "The name of the group."},
		{Name: "type", Type: logical.String, Help: "internal, or external: its members are set by an auth method."},
		{Name: "metadata", Type: logical.KVPairs, Help: "Names and texts that are kept with it."},
		{Name: "policies", Type: logical.CommaList, Help: "Policies that its members have."},
		{Name: "member_group_ids", Type: logical.CommaList, Help: "The ids of the groups in it."},
		{Name: "member_entity_ids", Type: logical.CommaList, Help: "The ids of the entities in it."},
	}
	one := ops{logical.Read: st.readGroup, logical.Update: st.writeGroup, logical.Delete: st.deleteGroup}
	return []*logical.Route{
		{Pattern: "group", Fields: fields, Synopsis: "Makes a group, or updates one.", Ops: ops{logical.Update: st.writeGroup}},
		{Pattern: "group/id", Synopsis: "Lists the groups by id.", Ops: ops{logical.List: st.listGroups(true)}},
		{Pattern: "group/id/:id", Fields: fields, Synopsis: "Reads, updates or deletes a group by id.", Ops: one},
		{Pattern: "group/name", Synopsis: "Lists the groups by name.", Ops: ops{logical.List: st.listGroups(false)}},
		{Pattern: "group/name/*name", Fields: fields, Synopsis: "Reads, writes or deletes a group by name.", Ops: one},
	}
}

func (st *Store) writeGroup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var made *Group
	err := r.Storage.Update(ctx, func(tx storage.Tx) error {
		made = nil
		g, err := wantedGroup(ctx, own{tx}, r)
		if err != nil {
			return err
		}
		var before []string
		if g != nil {
			before = g.leads()
			g.Updated = r.Time
		} else if g, err = st.newGroup(ctx, own{tx}, r); err != nil {
			return err
		} else {
			made = g
		}
		if err := g.set(ctx, own{tx}, r); err != nil {
			return err
		}
		if err := setMembers(ctx, tx, g, r); err != nil {
			return err
		}
		g.ModifyIndex++
		return save(ctx, tx, before, g)
	})
	if err != nil || made == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"id": made.ID, "name": made.Name}}, nil
}

// wantedGroup finds the group that a write is about by id, else by name; nil is one to be made.
func wantedGroup(ctx context.Context, s source, r *logical.Request) (*Group, error) {
	byName := r.Params.Get("name")
	if byName == "" && (r.Params.Get("id") != "" || r.Data.Has("id")) {
		id := given(r, "id")
		if id == "" {
			return nil, logical.Invalid("empty group ID")
		}
		g, err := s.group(ctx, id)
		if err == nil && g == nil {
			return nil, logical.Invalid("invalid group ID")
		}
		return g, err
	}
	name := given(r, "name")
	if name == "" && r.Data.Has("name") {
		return nil, logical.Invalid("empty group name")
	}
	if name == "" {
		return nil, nil
	}
	return groupAt(ctx, s, groupNameFolder+digest(name))
}

// newGroup makes a group, which is stored by its maker.
func (st *Store) newGroup(ctx context.Context, s source, r *logical.Request) (*Group, error) {
	id, err := st.newID()
	if err != nil {
		return nil, err
	}
	name, err := newName(ctx, s, groupNameFolder, "group", id)
	return &Group{ID: id, Name: name, Created: r.Time, Updated: r.Time}, err
}

// set takes over what was given, but for the members.
func (g *Group) set(ctx context.Context, s source, r *logical.Request) (err error) {
	if r.Data.Has("policies") {
		if g.Policies, err = policies(r.Data); err != nil {
			return err
		}
	}
	if r.Data.Has("type") {
		kind := r.Data.String("type")
		if g.Type != "" && kind != g.Type {
			return logical.Invalid("group type cannot be changed")
		}
		g.Type = kind
	}
	if g.Type == "" {
		g.Type = internal
	}
	if g.Type != internal && g.Type != external {
		return logical.Invalid("invalid group type %q", g.Type)
	}
	if name := given(r, "name"); name != "" {
		other, err := groupAt(ctx, s, groupNameFolder+digest(name))
		if err != nil {
			return err
		}
		if other != nil && other.ID != g.ID {
			return logical.Invalid("group name is already in use")
		}
		g.Name = name
	}
	if r.Data.Has("metadata") {
		g.Metadata = r.Data.Pairs("metadata")
	}
	return metadata("group", g.Metadata)
}

// askedGroup finds the group that the path names.
func askedGroup(ctx context.Context, s source, r *logical.Request) (*Group, error) {
	if id := r.Params.Get("id"); id != "" {
		return s.group(ctx, id)
	}
	return groupAt(ctx, s, groupNameFolder+digest(r.Params.Get("name")))
}

func (st *Store) readGroup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	data, err := st.describedGroup(ctx, r, func(s source) (*Group, error) { return askedGroup(ctx, s, r) })
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Data: data}, nil
}

// describedGroup is the group that find finds as clients see it, nil if there is none.
func (st *Store) describedGroup(ctx context.Context, r *logical.Request, find func(source) (*Group, error)) (map[string]any, error) {
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	err = r.Storage.View(ctx, func(v storage.Reader) error {
		g, err := find(own{v})
		if err != nil || g == nil {
			return err
		}
		entities, err := v.List(ctx, memberFolder+g.ID+"/", "", 0)
		if err != nil {
			return err
		}
		children, err := v.List(ctx, childFolder+g.ID+"/", "", 0)
		if err != nil {
			return err
		}
		if len(children) == 0 {
			children = nil
		}
		data = g.describe(at, filled(entities), children)
		return nil
	})
	return data, err
}

// describe is a group as clients see it.
func (g *Group) describe(at places, entities, children []string) map[string]any {
	alias := map[string]any{}
	if a := g.Alias; a != nil {
		alias = at.describe(a.describe(), a.Accessor)
		delete(alias, "local")
		delete(alias, "custom_metadata")
	}
	return map[string]any{
		"id": g.ID, "name": g.Name, "policies": g.Policies, "member_entity_ids": entities, "member_group_ids": children, "parent_group_ids": g.Parents,
		"metadata": g.Metadata, "creation_time": stamp(g.Created), "last_update_time": stamp(g.Updated), "modify_index": g.ModifyIndex,
		"type": g.Type, "namespace_id": "root", "alias": alias,
	}
}

func (st *Store) deleteGroup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		g, err := askedGroup(ctx, own{tx}, r)
		if err != nil || g == nil {
			return err
		}
		if err := changeMembers(ctx, tx, g.ID, nil); err != nil {
			return err
		}
		if err := changeChildren(ctx, tx, g, nil); err != nil {
			return err
		}
		return drop(ctx, tx, g)
	})
}

func (st *Store) listGroups(byID bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		all, err := scan[Group](ctx, r.Storage, groupFolder)
		if err != nil {
			return nil, err
		}
		if !byID {
			names := make([]string, len(all))
			for i, g := range all {
				names[i] = g.Name
			}
			slices.Sort(names)
			return listed(keysOf(r, names), nil)
		}
		at, err := st.places(ctx)
		if err != nil {
			return nil, err
		}
		counts, err := countMembers(ctx, r.Storage)
		if err != nil {
			return nil, err
		}
		keys, info := make([]string, 0, len(all)), map[string]any{}
		for _, g := range all {
			keys = append(keys, g.ID)
			about := map[string]any{"name": g.Name, "num_member_entities": counts[g.ID], "num_parent_groups": len(g.Parents)}
			if a := g.Alias; a != nil {
				about["alias"] = at.describe(map[string]any{"id": a.ID, "name": a.Name, "mount_accessor": a.Accessor}, a.Accessor)
			}
			info[g.ID] = about
		}
		slices.Sort(keys)
		return listed(keysOf(r, keys), info)
	}
}

// countMembers counts the entities in each group.
func countMembers(ctx context.Context, s storage.Reader) (map[string]int, error) {
	entries, err := s.Scan(ctx, memberFolder, "", 0)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, e := range entries {
		group, _, _ := strings.Cut(strings.TrimPrefix(e.Key, memberFolder), "/")
		counts[group]++
	}
	return counts, nil
}
