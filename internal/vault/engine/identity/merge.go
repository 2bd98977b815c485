package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// clash is one of two aliases for one mount that merging would bring together.
type clash struct {
	Alias     string `json:"alias"`
	Entity    string `json:"entity"`
	EntityID  string `json:"entity_id"`
	Mount     string `json:"mount"`
	MountPath string `json:"mount_path"`
}

// merge makes one entity of several: aliases and groups go over to the one that stays, policies do not.
func (st *Store) merge(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	to, ids := r.Data.String("to_entity_id"), unique(r.Data.Strings("from_entity_ids"), same)
	keep := r.Data.Strings("conflicting_alias_ids_to_keep")
	switch {
	case to == "":
		return nil, logical.Invalid("missing entity id to merge to")
	case len(ids) == 0:
		return nil, logical.Invalid("missing entity ids to merge from")
	}
	at, err := st.places(ctx)
	if err != nil {
		return nil, err
	}
	var refused *logical.Response
	err = r.Storage.Update(ctx, func(tx storage.Tx) error {
		refused = nil
		e, from, err := mergeable(ctx, own{tx}, to, ids, keep)
		if err != nil {
			return err
		}
		if len(keep) == 0 {
			if refused, err = clashing(e, from, at); refused != nil || err != nil {
				return err
			}
		}
		before := e.leads()
		for _, f := range from {
			if err := drop(ctx, tx, f); err != nil {
				return err
			}
			if err := e.absorb(f, keep); err != nil {
				return err
			}
		}
		e.Updated = r.Time
		return save(ctx, tx, before, e)
	})
	return refused, err
}

// mergeable reads those that are to be merged.
func mergeable(ctx context.Context, s source, to string, ids, keep []string) (*Entity, []*Entity, error) {
	e, err := s.entity(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case e == nil:
		return nil, nil, logical.Invalid("entity id to merge to is invalid")
	case len(ids) > 1 && len(keep) > 1:
		return nil, nil, logical.Invalid("aliases conflicts cannot be resolved with multiple from entity ids - merge one entity at a time")
	}
	var from []*Entity
	for _, id := range ids {
		if id == to {
			return nil, nil, logical.Invalid("to_entity_id should not be present in from_entity_ids")
		}
		f, err := s.entity(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if f == nil {
			return nil, nil, logical.Invalid("entity id to merge from is invalid")
		}
		from = append(from, f)
	}
	return e, from, nil
}

// clashing refuses aliases for one mount of more than one entity. An answer lists them, as clients expect it: it is a refusal
// whose "data" is a list, which no Error has.
func clashing(to *Entity, from []*Entity, at places) (*logical.Response, error) {
	var texts []string
	var clashes []clash
	seen := map[string]string{}
	note := func(e *Entity, a *Alias) {
		c := clash{Alias: a.Name, Entity: e.Name, EntityID: e.ID}
		if m := at[a.Accessor]; m != nil {
			c.Mount, c.MountPath = m.Type, m.Path
		}
		clashes = append(clashes, c)
	}
	for _, f := range from {
		for _, a := range f.Aliases {
			if other, ok := seen[a.Accessor]; ok && other != f.ID {
				return nil, logical.Invalid("mount accessor %s found in multiple fromEntities, merge should be done with one fromEntity at a time", a.Accessor)
			}
			seen[a.Accessor] = f.ID
			b := to.at(a.Accessor)
			if b == nil {
				continue
			}
			if texts == nil {
				texts = []string{"toEntity and at least one fromEntity have aliases with the same mount accessor, " +
					"repeat the merge request specifying exactly one fromEntity, clashes: "}
			}
			texts = append(texts, fmt.Sprintf("mountAccessor: %s, toEntity ID: %s, fromEntity ID: %s, conflicting toEntity alias ID: %s, "+
				"conflicting fromEntity alias ID: %s", a.Accessor, to.ID, f.ID, b.ID, a.ID))
			note(to, b)
			note(f, a)
		}
	}
	if texts == nil {
		return nil, nil
	}
	body, err := json.Marshal(map[string]any{"errors": []string{severalErrors(texts)}, "data": clashes})
	if err != nil {
		return nil, err
	}
	return &logical.Response{Status: http.StatusBadRequest, Raw: append(body, '\n'), ContentType: "application/json"}, nil
}

// severalErrors joins texts in the form that Vault's clients know.
func severalErrors(texts []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d errors occurred:\n", len(texts))
	for _, t := range texts {
		fmt.Fprintf(&b, "\t* %s\n", t)
	}
	return b.String() + "\n"
}

// absorb takes over the aliases and the groups of an entity that ends. Of two aliases for one mount it keeps the one in keep.
func (e *Entity) absorb(f *Entity, keep []string) error {
	for _, a := range f.Aliases {
		if b := e.at(a.Accessor); b != nil {
			switch {
			case contains(keep, b.ID):
				continue
			case !contains(keep, a.ID):
				return logical.Invalid("conflicting mount accessors in following alias IDs and neither were present in conflicting_alias_ids_to_keep: %s, %s",
					a.ID, b.ID)
			}
			e.remove(b.ID)
		}
		a.Owner = e.ID
		a.MergedFrom = append(a.MergedFrom, f.ID)
		e.Aliases = append(e.Aliases, a)
	}
	for _, g := range f.Groups {
		if !contains(e.Groups, g) {
			e.Groups = append(e.Groups, g)
		}
	}
	e.Merged = append(append(e.Merged, f.Merged...), f.ID)
	return nil
}
