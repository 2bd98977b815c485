package sqlstore

import (
	"context"
	"database/sql"
)

// Project is a set of environments. DeletedAt is zero while it lives.
type Project struct {
	ID, OrgID, Slug, Name string
	CreatedAt, DeletedAt  int64
}

const projectColumns = `id, org_id, slug, name, created_at, deleted_at`

func scanProject(r scanner, p *Project) error {
	var deleted sql.NullInt64
	err := r.Scan(&p.ID, &p.OrgID, &p.Slug, &p.Name, &p.CreatedAt, &deleted)
	p.DeletedAt = deleted.Int64
	return err
}

// InsertProject adds a project; a taken slug is ErrExists.
func (tx *Tx) InsertProject(ctx context.Context, p Project) error {
	return tx.insert(ctx, "adding project", `INSERT INTO projects (id, org_id, slug, name, created_at) VALUES ($1, $2, $3, $4, $5)`,
		p.ID, p.OrgID, p.Slug, p.Name, p.CreatedAt)
}

// Project finds a living project of an organisation by its slug.
func (tx *Tx) Project(ctx context.Context, orgID, slug string) (Project, error) {
	return queryOne(ctx, tx, "reading project", scanProject,
		`SELECT `+projectColumns+` FROM projects WHERE org_id = $1 AND slug = $2 AND deleted_at IS NULL`, orgID, slug)
}

// DeletedProject finds the project of this slug that was deleted last.
func (tx *Tx) DeletedProject(ctx context.Context, orgID, slug string) (Project, error) {
	return queryOne(ctx, tx, "reading project", scanProject,
		`SELECT `+projectColumns+` FROM projects WHERE org_id = $1 AND slug = $2 AND deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1`, orgID, slug)
}

// Projects lists the living projects of an organisation by slug.
func (tx *Tx) Projects(ctx context.Context, orgID string) ([]Project, error) {
	return queryAll(ctx, tx, "listing projects", scanProject,
		`SELECT `+projectColumns+` FROM projects WHERE org_id = $1 AND deleted_at IS NULL ORDER BY slug`, orgID)
}

// UpdateProject stores slug, name and deletion of a project; a taken slug is ErrExists.
func (tx *Tx) UpdateProject(ctx context.Context, p Project) error {
	return tx.insert(ctx, "changing project", `UPDATE projects SET slug = $1, name = $2, deleted_at = $3 WHERE id = $4 AND org_id = $5`,
		p.Slug, p.Name, nullable(p.DeletedAt), p.ID, p.OrgID)
}

// Schema is one revision of what a project expects of its environments.
type Schema struct {
	ProjectID string
	Revision  int64
	Body      string
	CreatedAt int64
	CreatedBy string
}

// Schema returns the newest schema of a project.
func (tx *Tx) Schema(ctx context.Context, projectID string) (Schema, error) {
	return queryOne(ctx, tx, "reading schema", func(r scanner, s *Schema) error {
		return r.Scan(&s.ProjectID, &s.Revision, &s.Body, &s.CreatedAt, &s.CreatedBy)
	}, `SELECT project_id, revision, body, created_at, created_by FROM schemas WHERE project_id = $1 ORDER BY revision DESC LIMIT 1`, projectID)
}

// InsertSchema adds a revision of a project's schema.
func (tx *Tx) InsertSchema(ctx context.Context, s Schema) error {
	return tx.insert(ctx, "adding schema", `INSERT INTO schemas (project_id, revision, body, created_at, created_by) VALUES ($1, $2, $3, $4, $5)`,
		s.ProjectID, s.Revision, s.Body, s.CreatedAt, s.CreatedBy)
}

// nullable stores a zero time as NULL.
func nullable(at int64) sql.NullInt64 { return sql.NullInt64{Int64: at, Valid: at != 0} }

// AllProjectIDs lists the ids of an organisation's projects, deleted ones included.
func (tx *Tx) AllProjectIDs(ctx context.Context, orgID string) ([]string, error) {
	return queryAll(ctx, tx, "listing projects", func(r scanner, id *string) error { return r.Scan(id) },
		`SELECT id FROM projects WHERE org_id = $1 ORDER BY id`, orgID)
}
