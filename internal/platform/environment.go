package platform

import (
	"context"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Env addresses an environment. Personal means the caller's own overrides of it.
type Env struct {
	Project, Slug string
	Personal      bool
}

func (e Env) target(names ...string) target {
	slug := e.Slug
	if e.Personal {
		slug += " (personal)"
	}
	return target{project: e.Project, env: slug, names: names}
}

// Environment describes an environment. Revision counts its changes; Base is the slug of the one it inherits from.
type Environment struct {
	Slug      string    `json:"slug"`
	Base      string    `json:"base,omitempty"`
	Revision  int64     `json:"revision"`
	Personal  bool      `json:"personal,omitempty"`
	Secrets   int       `json:"secrets"`
	CreatedAt time.Time `json:"created_at"`
}

// environments finds a project and its living environments.
func (s *Service) environments(ctx context.Context, tx *sqlstore.Tx, project string) (sqlstore.Project, []sqlstore.Environment, error) {
	p, err := s.project(ctx, tx, project)
	if err != nil {
		return p, nil, err
	}
	all, err := tx.Environments(ctx, p.ID)
	return p, all, err
}

func find(all []sqlstore.Environment, slug, owner string) (sqlstore.Environment, bool) {
	i := slices.IndexFunc(all, func(e sqlstore.Environment) bool { return e.Slug == slug && e.Owner == owner })
	if i < 0 {
		return sqlstore.Environment{}, false
	}
	return all[i], true
}

func findID(all []sqlstore.Environment, id string) (sqlstore.Environment, bool) {
	i := slices.IndexFunc(all, func(e sqlstore.Environment) bool { return e.ID == id })
	if i < 0 {
		return sqlstore.Environment{}, false
	}
	return all[i], true
}

// environment finds one environment for reading. Personal overrides that were never written are an ErrNotFound.
func (s *Service) environment(ctx context.Context, tx *sqlstore.Tx, c Caller, e Env) (sqlstore.Environment, error) {
	_, all, err := s.environments(ctx, tx, e.Project)
	if err != nil {
		return sqlstore.Environment{}, err
	}
	return pick(all, c, e)
}

func pick(all []sqlstore.Environment, c Caller, e Env) (sqlstore.Environment, error) {
	shared, ok := find(all, e.Slug, "")
	if !ok {
		return shared, notFound("project %q has no environment %q", e.Project, e.Slug)
	}
	if !e.Personal {
		return shared, nil
	}
	own, ok := find(all, e.Slug, c.Actor.ID)
	if !ok {
		return own, notFound("you have no overrides in %s/%s", e.Project, e.Slug)
	}
	return own, nil
}

// environmentToChange is environment, but makes the caller's overrides when they are written first.
func (s *Service) environmentToChange(ctx context.Context, tx *sqlstore.Tx, c Caller, e Env) (sqlstore.Environment, error) {
	p, all, err := s.environments(ctx, tx, e.Project)
	if err != nil {
		return sqlstore.Environment{}, err
	}
	row, err := pick(all, c, e)
	if KindOf(err) != NotFound || !e.Personal {
		return row, err
	}
	if _, ok := find(all, e.Slug, ""); !ok {
		return row, err
	}
	row = sqlstore.Environment{ID: newID(), ProjectID: p.ID, Slug: e.Slug, Owner: c.Actor.ID, CreatedAt: s.now()}
	return row, tx.InsertEnvironment(ctx, row)
}

// Environments lists the shared environments of a project and the caller's overrides, oldest first.
func (s *Service) Environments(ctx context.Context, c Caller, project string) ([]Environment, error) {
	if err := s.permit(ctx, c, actEnvironmentList, target{project: project}); err != nil {
		return nil, err
	}
	var out []Environment
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		out = nil
		_, all, err := s.environments(ctx, tx, project)
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.Owner != "" && e.Owner != c.Actor.ID {
				continue
			}
			n, err := tx.CountSecrets(ctx, e.ID)
			if err != nil {
				return err
			}
			base, _ := findID(all, e.BaseID)
			out = append(out, Environment{Slug: e.Slug, Base: base.Slug, Revision: e.Revision, Personal: e.Owner != "", Secrets: n, CreatedAt: timeOf(e.CreatedAt)})
		}
		return nil
	})
	return out, failure("listing environments", err)
}

// CreateEnvironment makes an environment; base, if not empty, is the one it inherits from.
func (s *Service) CreateEnvironment(ctx context.Context, c Caller, project, slug, base string) error {
	t := target{project: project, env: slug}
	if err := s.permit(ctx, c, actEnvironmentCreate, t); err != nil {
		return err
	}
	if err := ref.ValidEnvironment(slug); err != nil {
		return invalid("environment %q: %v", slug, err)
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, all, err := s.environments(ctx, tx, project)
		if err != nil {
			return err
		}
		row := sqlstore.Environment{ID: newID(), ProjectID: p.ID, Slug: slug, CreatedAt: s.now()}
		if base != "" {
			from, ok := find(all, base, "")
			if !ok {
				return notFound("project %q has no environment %q to inherit from", project, base)
			}
			row.BaseID = from.ID
		}
		if err := tx.InsertEnvironment(ctx, row); err != nil {
			return taken(err, "environment %q exists already in project %q", slug, project)
		}
		return s.record(ctx, c, actEnvironmentCreate, t, audit.OK)
	})
	return failure("creating environment", err)
}

// SetBase makes an environment inherit from another of its project; an empty base ends it.
func (s *Service) SetBase(ctx context.Context, c Caller, e Env, base string) error {
	if err := s.permit(ctx, c, actEnvironmentBase, e.target(base)); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		_, all, err := s.environments(ctx, tx, e.Project)
		if err != nil {
			return err
		}
		row, err := pick(all, c, Env{Project: e.Project, Slug: e.Slug})
		if err != nil {
			return err
		}
		row.BaseID = ""
		if base != "" {
			from, err := pick(all, c, Env{Project: e.Project, Slug: base})
			if err != nil {
				return err
			}
			if err := noLoop(all, row, from); err != nil {
				return err
			}
			row.BaseID = from.ID
		}
		if err := tx.UpdateEnvironment(ctx, row); err != nil {
			return err
		}
		return s.record(ctx, c, actEnvironmentBase, e.target(base), audit.OK)
	})
	return failure("changing the base of an environment", err)
}

// noLoop refuses a base that inherits from the environment itself.
func noLoop(all []sqlstore.Environment, row, base sqlstore.Environment) error {
	for at, ok := base, true; ok; at, ok = findID(all, at.BaseID) {
		if at.ID == row.ID {
			return invalid("%q would inherit from itself through %q", row.Slug, base.Slug)
		}
	}
	return nil
}

// DeleteEnvironment hides an environment with its secrets; RestoreEnvironment brings it back. One that others inherit
// from is refused.
func (s *Service) DeleteEnvironment(ctx context.Context, c Caller, e Env) error {
	if err := s.permit(ctx, c, actEnvironmentDelete, e.target()); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		_, all, err := s.environments(ctx, tx, e.Project)
		if err != nil {
			return err
		}
		row, err := pick(all, c, e)
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.BaseID == row.ID {
				return newError(Conflict, "environment %q inherits from %q; give it another base first", other.Slug, row.Slug)
			}
		}
		row.DeletedAt = s.now()
		if err := tx.UpdateEnvironment(ctx, row); err != nil {
			return err
		}
		return s.record(ctx, c, actEnvironmentDelete, e.target(), audit.OK)
	})
	return failure("deleting environment", err)
}

// RestoreEnvironment brings back the environment of this slug that was deleted last.
func (s *Service) RestoreEnvironment(ctx context.Context, c Caller, project, slug string) error {
	t := target{project: project, env: slug}
	if err := s.permit(ctx, c, actRestore, t); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, project)
		if err != nil {
			return err
		}
		row, err := tx.DeletedEnvironment(ctx, p.ID, slug)
		if isNotFound(err) {
			return notFound("project %q has no deleted environment %q", project, slug)
		}
		if err != nil {
			return err
		}
		row.DeletedAt = 0
		if err := tx.UpdateEnvironment(ctx, row); err != nil {
			return taken(err, "environment %q exists again already", slug)
		}
		return s.record(ctx, c, actRestore, t, audit.OK)
	})
	return failure("restoring environment", err)
}
