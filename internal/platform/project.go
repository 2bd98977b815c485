package platform

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Project is a set of environments.
type Project struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

func projectOf(p sqlstore.Project) Project {
	return Project{ID: p.ID, Slug: p.Slug, Name: p.Name, CreatedAt: timeOf(p.CreatedAt)}
}

// CreateProject makes a project with the standard environments. An empty name is the slug.
func (s *Service) CreateProject(ctx context.Context, c Caller, slug, name string) (Project, error) {
	if err := s.permit(ctx, c, actProjectCreate, target{project: slug}); err != nil {
		return Project{}, err
	}
	if err := ref.ValidProject(slug); err != nil {
		return Project{}, invalid("project %q: %v", slug, err)
	}
	if name == "" {
		name = slug
	}
	row := sqlstore.Project{ID: newID(), OrgID: s.org.ID, Slug: slug, Name: name, CreatedAt: s.now()}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		if err := tx.InsertProject(ctx, row); err != nil {
			return taken(err, "project %q exists already", slug)
		}
		if err := s.addProjectKey(ctx, tx, row.ID, 1); err != nil {
			return err
		}
		for _, env := range StandardEnvironments {
			e := sqlstore.Environment{ID: newID(), ProjectID: row.ID, Slug: env, CreatedAt: row.CreatedAt}
			if err := tx.InsertEnvironment(ctx, e); err != nil {
				return err
			}
		}
		return s.record(ctx, c, actProjectCreate, target{project: slug}, audit.OK)
	})
	return projectOf(row), failure("creating project", err)
}

// taken turns ErrExists into a message for people.
func taken(err error, format string, args ...any) error {
	if isExists(err) {
		return newError(Exists, format, args...)
	}
	return err
}

// Projects lists the projects by slug.
func (s *Service) Projects(ctx context.Context, c Caller) ([]Project, error) {
	if err := s.permit(ctx, c, actProjectList, target{}); err != nil {
		return nil, err
	}
	var all []Project
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		rows, err := tx.Projects(ctx, s.org.ID)
		for _, p := range rows {
			all = append(all, projectOf(p))
		}
		return err
	})
	return all, failure("listing projects", err)
}

// Project finds a project by its slug.
func (s *Service) Project(ctx context.Context, c Caller, slug string) (Project, error) {
	if err := s.permit(ctx, c, actProjectList, target{project: slug}); err != nil {
		return Project{}, err
	}
	var row sqlstore.Project
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		row, err = s.project(ctx, tx, slug)
		return err
	})
	return projectOf(row), failure("reading project", err)
}

func (s *Service) project(ctx context.Context, tx *sqlstore.Tx, slug string) (sqlstore.Project, error) {
	p, err := tx.Project(ctx, s.org.ID, slug)
	if isNotFound(err) {
		return p, notFound("there is no project %q", slug)
	}
	return p, err
}

// RenameProject changes the slug of a project. References in values that name the old one are not changed: see Referrers.
func (s *Service) RenameProject(ctx context.Context, c Caller, slug, newSlug string) error {
	if err := s.permit(ctx, c, actProjectRename, target{project: slug}); err != nil {
		return err
	}
	if err := ref.ValidProject(newSlug); err != nil {
		return invalid("project %q: %v", newSlug, err)
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, slug)
		if err != nil {
			return err
		}
		if p.Name == p.Slug {
			p.Name = newSlug
		}
		p.Slug = newSlug
		if err := tx.UpdateProject(ctx, p); err != nil {
			return taken(err, "project %q exists already", newSlug)
		}
		return s.record(ctx, c, actProjectRename, target{project: slug, names: []string{newSlug}}, audit.OK)
	})
	return failure("renaming project", err)
}

// DeleteProject hides a project with all its environments; RestoreProject brings it back.
func (s *Service) DeleteProject(ctx context.Context, c Caller, slug string) error {
	if err := s.permit(ctx, c, actProjectDelete, target{project: slug}); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, slug)
		if err != nil {
			return err
		}
		p.DeletedAt = s.now()
		if err := tx.UpdateProject(ctx, p); err != nil {
			return err
		}
		return s.record(ctx, c, actProjectDelete, target{project: slug}, audit.OK)
	})
	return failure("deleting project", err)
}

// RestoreProject brings back the project of this slug that was deleted last.
func (s *Service) RestoreProject(ctx context.Context, c Caller, slug string) error {
	if err := s.permit(ctx, c, actProjectRestore, target{project: slug}); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := tx.DeletedProject(ctx, s.org.ID, slug)
		if isNotFound(err) {
			return notFound("there is no deleted project %q", slug)
		}
		if err != nil {
			return err
		}
		p.DeletedAt = 0
		if err := tx.UpdateProject(ctx, p); err != nil {
			return taken(err, "project %q exists again already", slug)
		}
		return s.record(ctx, c, actProjectRestore, target{project: slug}, audit.OK)
	})
	return failure("restoring project", err)
}
