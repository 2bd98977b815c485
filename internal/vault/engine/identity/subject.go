package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// resolved is what was worked out of an entity and its groups. It is kept with the decoded entity, so it goes when the entity
// changes; it holds as long as the groups are the same objects as then, which the store replaces when they change.
type resolved struct {
	subject *vault.Subject
	groups  []*Group
}

// Subject implements vault.Identity.
func (st *Store) Subject(ctx context.Context, s logical.Storage, entityID string) (*vault.Subject, error) {
	kept := shared{s}
	e, err := kept.entity(ctx, entityID)
	if err == nil && e == nil {
		e, err = entityAt(ctx, kept, mergedFolder+entityID)
	}
	if err != nil || e == nil {
		return nil, err
	}
	if known := e.known.Load(); known != nil {
		fresh, err := known.fresh(ctx, kept)
		if err != nil {
			return nil, err
		}
		if fresh {
			return known.subject, nil
		}
	}
	direct, inherited, err := groupsOf(ctx, kept, e.Groups)
	if err != nil {
		return nil, err
	}
	known := resolve(e, append(direct, inherited...))
	e.known.Store(known)
	return known.subject, nil
}

// fresh reports whether the groups are the same as they were.
func (r *resolved) fresh(ctx context.Context, s source) (bool, error) {
	for _, was := range r.groups {
		is, err := s.group(ctx, was.ID)
		if err != nil || is != was {
			return false, err
		}
	}
	return true, nil
}

func resolve(e *Entity, groups []*Group) *resolved {
	policies := slices.Clone(e.Policies)
	for _, g := range groups {
		policies = append(policies, g.Policies...)
	}
	slices.Sort(policies)
	return &resolved{groups: groups, subject: &vault.Subject{
		ID: e.ID, Disabled: e.Disabled, Policies: slices.Compact(policies),
		Fill: func(expression string) (string, bool) { return fill(e, groups, expression) },
	}}
}

// fill gives the value of an expression in a policy's path, as in "identity.entity.metadata.team".
func fill(e *Entity, groups []*Group, expression string) (string, bool) {
	if rest, ok := strings.CutPrefix(expression, "identity.groups."); ok {
		return fillGroup(groups, rest)
	}
	rest, ok := strings.CutPrefix(expression, "identity.entity.")
	if !ok {
		return "", false
	}
	alias, ok := strings.CutPrefix(rest, "aliases.")
	if !ok {
		return property(e.ID, e.Name, e.Metadata, rest)
	}
	accessor, rest, _ := strings.Cut(alias, ".")
	a := e.at(accessor)
	if a == nil {
		return "", false
	}
	if k, ok := strings.CutPrefix(rest, "custom_metadata."); ok {
		v, ok := a.Custom[k]
		return v, ok
	}
	return property(a.ID, a.Name, a.Metadata, rest)
}

// fillGroup is fill for a group that the entity is in, by "ids.<id>.name" or "names.<name>.id". A name may hold full stops.
func fillGroup(groups []*Group, rest string) (string, bool) {
	by, rest, _ := strings.Cut(rest, ".")
	for _, g := range groups {
		of := g.ID
		if by == "names" {
			of = g.Name
		}
		if what, ok := strings.CutPrefix(rest, of+"."); ok {
			if v, ok := property(g.ID, g.Name, g.Metadata, what); ok {
				return v, true
			}
		}
	}
	return "", false
}

func property(id, name string, metadata map[string]string, what string) (string, bool) {
	switch what {
	case "id":
		return id, true
	case "name":
		return name, true
	}
	k, ok := strings.CutPrefix(what, "metadata.")
	if !ok {
		return "", false
	}
	v, ok := metadata[k]
	return v, ok
}
