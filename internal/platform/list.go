package platform

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Secret describes a secret without its value.
type Secret struct {
	Name    string            `json:"name"`
	Version int64             `json:"version"`
	Type    string            `json:"type"`
	Pinned  bool              `json:"pinned,omitempty"`
	Comment string            `json:"comment,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Revision is the one of its environment that changed it last.
	Revision int64 `json:"revision"`
}

// Moment is a point of an environment's past: a revision, or a time, or, as the zero Moment, now.
type Moment struct {
	Revision int64
	Time     time.Time
}

// revisionOf turns a moment into a revision of an environment; -1 is now.
func revisionOf(ctx context.Context, tx *sqlstore.Tx, e sqlstore.Environment, at Moment) (int64, error) {
	switch {
	case at.Revision > e.Revision:
		return 0, notFound("environment %q has no revision %d yet, the newest is %d", e.Slug, at.Revision, e.Revision)
	case at.Revision < 0:
		return 0, invalid("revision %d: revisions start at 1", at.Revision)
	case at.Revision > 0:
		return at.Revision, nil
	case at.Time.IsZero():
		return -1, nil
	}
	return tx.RevisionAt(ctx, e.ID, at.Time.UnixMicro())
}

// List describes the secrets of one environment, by name, without what it inherits.
func (s *Service) List(ctx context.Context, c Caller, e Env, at Moment) ([]Secret, error) {
	if err := s.permit(ctx, c, actList, e.target()); err != nil {
		return nil, err
	}
	var out []Secret
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		row, err := s.environment(ctx, tx, c, e)
		if err != nil {
			return err
		}
		b, err := s.openingBox(ctx, tx, row)
		if err != nil {
			return err
		}
		states, err := statesAt(ctx, tx, row, at)
		if err != nil {
			return err
		}
		out, err = b.describe(states)
		return err
	})
	return out, failure("listing secrets", err)
}

// Describe is List for one secret.
func (s *Service) Describe(ctx context.Context, c Caller, e Env, name string) (Secret, error) {
	all, err := s.List(ctx, c, e, Moment{})
	if err != nil {
		return Secret{}, err
	}
	i := slices.IndexFunc(all, func(x Secret) bool { return x.Name == name })
	if i < 0 {
		return Secret{}, notSet(name, e, all)
	}
	return all[i], nil
}

// notSet says that a name is not there, and which one it may have been meant to be.
func notSet(name string, e Env, all []Secret) error {
	for _, x := range all {
		if strings.EqualFold(x.Name, name) {
			return notFound("%s is not set in %s/%s; did you mean %s?", name, e.Project, e.Slug, x.Name)
		}
	}
	return notFound("%s is not set in %s/%s", name, e.Project, e.Slug)
}

// statesAt reads the states of an environment at a moment, by name.
func statesAt(ctx context.Context, tx *sqlstore.Tx, row sqlstore.Environment, at Moment) ([]sqlstore.State, error) {
	revision, err := revisionOf(ctx, tx, row, at)
	if err != nil {
		return nil, err
	}
	if revision >= 0 {
		return tx.StatesAt(ctx, row.ID, revision)
	}
	secrets, err := tx.Secrets(ctx, row.ID)
	states := make([]sqlstore.State, len(secrets))
	for i, sec := range secrets {
		states[i] = sec.State
	}
	return states, err
}

func (b box) describe(states []sqlstore.State) ([]Secret, error) {
	out := make([]Secret, 0, len(states))
	for _, st := range states {
		comment, err := b.openComment(st.Name, st.Comment)
		if err != nil {
			return nil, err
		}
		tags, err := decodeTags(st.Tags)
		if err != nil {
			return nil, err
		}
		out = append(out, Secret{
			Name: st.Name, Version: st.Version, Type: st.Type, Pinned: st.Pinned, Comment: comment, Tags: tags, Revision: st.Revision,
		})
	}
	slices.SortFunc(out, func(a, b Secret) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Stamp returns a text that changes whenever a secret, an environment or a project does.
func (s *Service) Stamp(ctx context.Context, c Caller) (string, error) {
	if err := s.permit(ctx, c, actList, target{}); err != nil {
		return "", err
	}
	var stamp string
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		stamp, err = tx.Stamp(ctx, s.org.ID)
		return err
	})
	return stamp, failure("looking for changes", err)
}
