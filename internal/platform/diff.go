package platform

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Status says how two states of a secret compare.
type Status string

// The statuses of a Difference.
const (
	Added    Status = "added"    // only on the right
	Removed  Status = "removed"  // only on the left
	Changed  Status = "changed"  // another value
	Metadata Status = "metadata" // the same value, another comment, tags or type
)

// Difference is one secret that differs between two environments or two moments. It holds no value.
type Difference struct {
	Name   string  `json:"name"`
	Status Status  `json:"status"`
	Left   *Secret `json:"left,omitempty"`
	Right  *Secret `json:"right,omitempty"`
}

// Side is one side of a comparison.
type Side struct {
	Env
	At Moment
}

// Diff compares the secrets that two environments themselves hold, without what they inherit. Equal secrets are left out.
func (s *Service) Diff(ctx context.Context, c Caller, left, right Side) ([]Difference, error) {
	for _, side := range []Side{left, right} {
		if err := s.permit(ctx, c, actEnvironmentDiff, side.target()); err != nil {
			return nil, err
		}
	}
	var out []Difference
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		l, err := s.contents(ctx, tx, c, left)
		if err != nil {
			return err
		}
		r, err := s.contents(ctx, tx, c, right)
		if err != nil {
			return err
		}
		out = compare(l, r)
		return nil
	})
	return out, failure("comparing environments", err)
}

// content is a secret with its value, in memory.
type content struct {
	Secret
	value secret.Value
}

// change makes the change that gives a secret this content. Tags that old has and this has not are removed.
func (x content) change(old content) Change {
	tags := maps.Clone(x.Tags)
	for k := range old.Tags {
		if _, ok := tags[k]; !ok {
			tags[k] = ""
		}
	}
	return Change{Name: x.Name, Value: &x.value, Type: &x.Type, Comment: &x.Comment, Tags: tags}
}

func (s *Service) contents(ctx context.Context, tx *sqlstore.Tx, c Caller, side Side) (map[string]content, error) {
	row, err := s.environment(ctx, tx, c, side.Env)
	if err != nil {
		return nil, err
	}
	return s.contentsOf(ctx, tx, row, side.At)
}

func (s *Service) contentsOf(ctx context.Context, tx *sqlstore.Tx, row sqlstore.Environment, at Moment) (map[string]content, error) {
	b, err := s.openingBox(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	states, err := statesAt(ctx, tx, row, at)
	if err != nil {
		return nil, err
	}
	described, err := b.describe(states)
	if err != nil {
		return nil, err
	}
	out := make(map[string]content, len(states))
	for _, d := range described {
		v, err := b.version(ctx, tx, d.Name, d.Version)
		if err != nil {
			return nil, err
		}
		out[d.Name] = content{Secret: d, value: v}
	}
	return out, nil
}

func compare(left, right map[string]content) []Difference {
	var out []Difference
	for name, l := range left {
		r, ok := right[name]
		switch {
		case !ok:
			out = append(out, Difference{Name: name, Status: Removed, Left: &l.Secret})
		case !l.value.Equal(r.value):
			out = append(out, Difference{Name: name, Status: Changed, Left: &l.Secret, Right: &r.Secret})
		case l.Comment != r.Comment || l.Type != r.Type || !maps.Equal(l.Tags, r.Tags):
			out = append(out, Difference{Name: name, Status: Metadata, Left: &l.Secret, Right: &r.Secret})
		}
	}
	for name, r := range right {
		if _, ok := left[name]; !ok {
			out = append(out, Difference{Name: name, Status: Added, Right: &r.Secret})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Name, b.Name) })
	return out
}
