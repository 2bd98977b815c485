package identity

import (
	"context"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity/idtoken"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

var _ idtoken.People = (*Store)(nil)

// Person implements idtoken.People.
func (st *Store) Person(ctx context.Context, s logical.Storage, id string) (*idtoken.Person, error) {
	if uuid.Validate(id) != nil {
		return nil, nil //nolint:nilerr // nobody has such an id
	}
	kept := shared{s}
	e, err := kept.entity(ctx, id)
	if err == nil && e == nil {
		e, err = entityAt(ctx, kept, mergedFolder+id)
	}
	if err != nil || e == nil {
		return nil, err
	}
	direct, inherited, err := groupsOf(ctx, kept, e.Groups)
	if err != nil {
		return nil, err
	}
	p := &idtoken.Person{ID: e.ID, Name: e.Name, Disabled: e.Disabled, Metadata: e.Metadata}
	for _, a := range e.Aliases {
		p.Aliases = append(p.Aliases, idtoken.Alias{Accessor: a.Accessor, ID: a.ID, Name: a.Name, Metadata: a.Metadata, Custom: a.Custom})
	}
	for _, g := range append(direct, inherited...) {
		p.Groups = append(p.Groups, idtoken.Group{ID: g.ID, Name: g.Name})
	}
	return p, nil
}
