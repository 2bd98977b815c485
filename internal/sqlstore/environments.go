package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// Environment holds secrets. Owner is empty for a shared one; BaseID is empty when it inherits from none.
type Environment struct {
	ID, ProjectID, Slug, Owner, BaseID string
	Revision, CreatedAt, DeletedAt     int64
}

// Commit is one change of an environment.
type Commit struct {
	EnvironmentID                  string
	Revision, At                   int64
	Actor, Client, Action, Message string
}

const environmentColumns = `id, project_id, slug, owner, base_id, revision, created_at, deleted_at`

func scanEnvironment(r scanner, e *Environment) error {
	var base sql.NullString
	var deleted sql.NullInt64
	err := r.Scan(&e.ID, &e.ProjectID, &e.Slug, &e.Owner, &base, &e.Revision, &e.CreatedAt, &deleted)
	e.BaseID, e.DeletedAt = base.String, deleted.Int64
	return err
}

// InsertEnvironment adds an environment; a taken slug is ErrExists.
func (tx *Tx) InsertEnvironment(ctx context.Context, e Environment) error {
	return tx.insert(ctx, "adding environment",
		`INSERT INTO environments (id, project_id, slug, owner, base_id, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, e.ProjectID, e.Slug, e.Owner, sql.NullString{String: e.BaseID, Valid: e.BaseID != ""}, e.Revision, e.CreatedAt)
}

// Environments lists the living environments of a project, shared and personal, oldest first.
func (tx *Tx) Environments(ctx context.Context, projectID string) ([]Environment, error) {
	return queryAll(ctx, tx, "listing environments", scanEnvironment,
		`SELECT `+environmentColumns+` FROM environments WHERE project_id = $1 AND deleted_at IS NULL ORDER BY created_at, id`, projectID)
}

// DeletedEnvironment finds the shared environment of this slug that was deleted last.
func (tx *Tx) DeletedEnvironment(ctx context.Context, projectID, slug string) (Environment, error) {
	return queryOne(ctx, tx, "reading environment", scanEnvironment,
		`SELECT `+environmentColumns+` FROM environments WHERE project_id = $1 AND slug = $2 AND owner = '' AND deleted_at IS NOT NULL
		 ORDER BY deleted_at DESC LIMIT 1`, projectID, slug)
}

// UpdateEnvironment stores base and deletion of an environment; a living one of the same slug is ErrExists.
func (tx *Tx) UpdateEnvironment(ctx context.Context, e Environment) error {
	return tx.insert(ctx, "changing environment", `UPDATE environments SET base_id = $1, deleted_at = $2 WHERE id = $3 AND project_id = $4`,
		sql.NullString{String: e.BaseID, Valid: e.BaseID != ""}, nullable(e.DeletedAt), e.ID, e.ProjectID)
}

// NextRevision advances the revision of an environment and returns it; the row stays locked until the transaction ends.
func (tx *Tx) NextRevision(ctx context.Context, environmentID string) (int64, error) {
	return queryOne(ctx, tx, "advancing revision", func(r scanner, revision *int64) error { return r.Scan(revision) },
		`UPDATE environments SET revision = revision + 1 WHERE id = $1 RETURNING revision`, environmentID)
}

// InsertCommit records what made a revision.
func (tx *Tx) InsertCommit(ctx context.Context, c Commit) error {
	return tx.insert(ctx, "adding commit",
		`INSERT INTO commits (environment_id, revision, at, actor, client, action, message) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.EnvironmentID, c.Revision, c.At, c.Actor, c.Client, c.Action, c.Message)
}

// Commits lists the commits of an environment, newest first, those before a revision (0: from the newest), at most limit (0: all).
func (tx *Tx) Commits(ctx context.Context, environmentID string, before int64, limit int) ([]Commit, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	if limit == 0 {
		limit = 1<<31 - 1
	}
	return queryAll(ctx, tx, "listing commits", func(r scanner, c *Commit) error {
		return r.Scan(&c.EnvironmentID, &c.Revision, &c.At, &c.Actor, &c.Client, &c.Action, &c.Message)
	}, `SELECT environment_id, revision, at, actor, client, action, message FROM commits
	    WHERE environment_id = $1 AND revision < $2 ORDER BY revision DESC LIMIT $3`, environmentID, before, limit)
}

// RevisionAt returns the last revision of an environment at a time, 0 when it had none yet.
func (tx *Tx) RevisionAt(ctx context.Context, environmentID string, at int64) (int64, error) {
	return queryOne(ctx, tx, "finding revision", func(r scanner, revision *int64) error { return r.Scan(revision) },
		`SELECT COALESCE(MAX(revision), 0) FROM commits WHERE environment_id = $1 AND at <= $2`, environmentID, at)
}

// Stamp returns a text that changes with every commit of an organisation and with every environment or project that comes or
// goes.
func (tx *Tx) Stamp(ctx context.Context, orgID string) (string, error) {
	return queryOne(ctx, tx, "looking for changes", func(r scanner, stamp *string) error {
		var n, revisions int64
		err := r.Scan(&n, &revisions)
		*stamp = fmt.Sprintf("%d/%d", n, revisions)
		return err
	}, `SELECT COUNT(*), COALESCE(SUM(e.revision), 0) FROM environments AS e JOIN projects AS p ON p.id = e.project_id
		WHERE p.org_id = $1 AND e.deleted_at IS NULL AND p.deleted_at IS NULL`, orgID)
}
