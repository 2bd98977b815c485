package identity

import (
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// setMembers makes the members of a group those that were given, if any were.
func setMembers(ctx context.Context, tx storage.Tx, g *Group, r *logical.Request) error {
	if r.Data.Has("member_entity_ids") {
		if g.Type == external {
			return logical.Invalid("member entities can't be set manually for external groups")
		}
		if err := changeMembers(ctx, tx, g.ID, unique(r.Data.Strings("member_entity_ids"), same)); err != nil {
			return err
		}
	}
	if r.Data.Has("member_group_ids") {
		if g.Type == external {
			return logical.Invalid("member groups can't be set for external groups")
		}
		return changeChildren(ctx, tx, g, unique(r.Data.Strings("member_group_ids"), same))
	}
	return nil
}

// changeMembers makes the entities in a group those of want.
func changeMembers(ctx context.Context, tx storage.Tx, group string, want []string) error {
	have, err := tx.List(ctx, memberFolder+group+"/", "", 0)
	if err != nil {
		return err
	}
	return differ(have, want, func(id string, in bool) error {
		e, err := own{tx}.entity(ctx, id)
		if err != nil {
			return err
		}
		if e == nil {
			return logical.Invalid("invalid entity ID %q", id)
		}
		before := e.leads()
		e.Groups = with(e.Groups, group, in)
		return save(ctx, tx, before, e)
	})
}

// changeChildren makes the groups in a group those of want. No group may come to be in itself.
func changeChildren(ctx context.Context, tx storage.Tx, g *Group, want []string) error {
	have, err := tx.List(ctx, childFolder+g.ID+"/", "", 0)
	if err != nil {
		return err
	}
	_, above, err := groupsOf(ctx, withGroup{own{tx}, g}, []string{g.ID})
	if err != nil {
		return err
	}
	return differ(have, want, func(id string, in bool) error {
		switch {
		case id == g.ID:
			return logical.Invalid("member group ID %q is same as the ID of the group", id)
		case in && slices.ContainsFunc(above, func(a *Group) bool { return a.ID == id }):
			return logical.Invalid("cyclic relationship detected for member group ID %q", id)
		}
		child, err := own{tx}.group(ctx, id)
		if err != nil {
			return err
		}
		if child == nil {
			return logical.Invalid("invalid member group ID %q", id)
		}
		before := child.leads()
		child.Parents = with(child.Parents, g.ID, in)
		child.ModifyIndex++
		return save(ctx, tx, before, child)
	})
}

// withGroup is a source that knows a group before it is stored.
type withGroup struct {
	own
	g *Group
}

func (w withGroup) group(ctx context.Context, id string) (*Group, error) {
	if id == w.g.ID {
		return w.g, nil
	}
	return w.own.group(ctx, id)
}

// differ calls change for each item that is in one of two lists: in says that it is in the second.
func differ(have, want []string, change func(item string, in bool) error) error {
	for _, item := range have {
		if !contains(want, item) {
			if err := change(item, false); err != nil {
				return err
			}
		}
	}
	for _, item := range want {
		if !contains(have, item) {
			if err := change(item, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// with is a list with an item, or without it.
func with(list []string, item string, in bool) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == item })
	if in {
		list = append(list, item)
	}
	return list
}
