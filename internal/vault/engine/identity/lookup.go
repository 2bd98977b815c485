package identity

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (st *Store) lookupRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "name", Type: logical.String, Help: "Its name."},
		{Name: "id", Type: logical.String, Help: "Its id."},
		{Name: "alias_id", Type: logical.String, Help: "The id of an alias of it."},
		{Name: "alias_name", Type: logical.String, Help: "The name of an alias of it, with alias_mount_accessor."},
		{Name: "alias_mount_accessor", Type: logical.String, Help: "The mount accessor of an alias of it, with alias_name."},
	}
	return []*logical.Route{
		{Pattern: "lookup/entity", Fields: fields, Synopsis: "Finds an entity by what is known of it.", Ops: ops{logical.Update: st.lookupEntity}},
		{Pattern: "lookup/group", Fields: fields, Synopsis: "Finds a group by what is known of it.", Ops: ops{logical.Update: st.lookupGroup}},
	}
}

// indexes are the folders that lead to one kind of record.
type indexes struct{ names, aliases, factors string }

// wayTo is the index entry that a lookup names, or the id itself.
func wayTo(r *logical.Request, in indexes) (name, id string, err error) {
	d := r.Data
	n := 0
	for _, field := range []string{"id", "name", "alias_id", "alias_name", "alias_mount_accessor"} {
		if d.Has(field) {
			n++
		}
	}
	byFactors := d.String("alias_name") != "" && d.String("alias_mount_accessor") != ""
	switch {
	case n == 0:
		return "", "", logical.Invalid("query parameter not supplied")
	case n == 2 && byFactors:
		return in.factors + digest(d.String("alias_mount_accessor"), d.String("alias_name")), "", nil
	case n > 1:
		return "", "", logical.Invalid("query parameter conflict; please supply distinct set of query parameters")
	case d.Has("alias_name") || d.Has("alias_mount_accessor"):
		return "", "", logical.Invalid("both 'alias_name' and 'alias_mount_accessor' needs to be set")
	case d.Has("id"):
		return "", d.String("id"), nil
	case d.Has("name"):
		return in.names + digest(d.String("name")), "", nil
	}
	return byAliasID(in.aliases, d.String("alias_id")), "", nil
}

// lookupEntity answers nothing at all, not "not found", if there is none.
func (st *Store) lookupEntity(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name, id, err := wayTo(r, indexes{entityNameFolder, entityAliasFolder, entityFactorFolder})
	if err != nil {
		return nil, err
	}
	data, err := st.describedEntity(ctx, r, func(s source) (*Entity, error) {
		if id != "" || name == "" {
			return s.entity(ctx, id)
		}
		return entityAt(ctx, s, name)
	})
	if err != nil || data == nil {
		return nil, err
	}
	return &logical.Response{Data: data}, nil
}

func (st *Store) lookupGroup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name, id, err := wayTo(r, indexes{groupNameFolder, groupAliasFolder, groupFactorFolder})
	if err != nil {
		return nil, err
	}
	data, err := st.describedGroup(ctx, r, func(s source) (*Group, error) {
		if id != "" || name == "" {
			return s.group(ctx, id)
		}
		return groupAt(ctx, s, name)
	})
	if err != nil || data == nil {
		return nil, err
	}
	return &logical.Response{Data: data}, nil
}
