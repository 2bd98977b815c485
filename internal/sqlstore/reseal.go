package sqlstore

import "context"

// StaleVersions lists up to limit values of a project that are sealed under an older generation than the given one,
// including those of deleted environments.
func (tx *Tx) StaleVersions(ctx context.Context, projectID string, generation uint32, limit int) ([]Version, error) {
	return queryAll(ctx, tx, "listing values to reseal", scanVersion, `SELECT v.environment_id, v.name, v.version, v.generation, v.sealed,
			v.fingerprint, v.created_at, v.created_by
		FROM versions AS v JOIN environments AS e ON e.id = v.environment_id
		WHERE e.project_id = $1 AND v.generation < $2 ORDER BY v.environment_id, v.name, v.version LIMIT $3`, projectID, int64(generation), limit)
}

// CountStale counts the values of a project that are sealed under an older generation than the given one.
func (tx *Tx) CountStale(ctx context.Context, projectID string, generation uint32) (int, error) {
	return queryOne(ctx, tx, "counting values to reseal", func(r scanner, n *int) error { return r.Scan(n) },
		`SELECT COUNT(*) FROM versions AS v JOIN environments AS e ON e.id = v.environment_id
		 WHERE e.project_id = $1 AND v.generation < $2`, projectID, int64(generation))
}

// ResealVersion stores a value under another generation, in the history and, where it is the current one, there.
func (tx *Tx) ResealVersion(ctx context.Context, v Version) error {
	if err := tx.exec(ctx, "resealing value", `UPDATE versions SET generation = $1, sealed = $2, fingerprint = $3
		WHERE environment_id = $4 AND name = $5 AND version = $6`, int64(v.Generation), v.Sealed, v.Fingerprint, v.EnvironmentID, v.Name, v.Version); err != nil {
		return err
	}
	return tx.exec(ctx, "resealing value", `UPDATE secrets SET sealed = $1 WHERE environment_id = $2 AND name = $3 AND version = $4`,
		v.Sealed, v.EnvironmentID, v.Name, v.Version)
}

// Comments lists the states of a project that have a comment, current and past, after a position; for resealing.
func (tx *Tx) Comments(ctx context.Context, projectID string, after State, limit int) ([]State, error) {
	return queryAll(ctx, tx, "listing comments to reseal", scanState, `SELECT c.environment_id, c.name, c.revision, c.version, c.type, c.pinned,
			c.tags, c.comment, c.deleted
		FROM changes AS c JOIN environments AS e ON e.id = c.environment_id
		WHERE e.project_id = $1 AND c.comment IS NOT NULL AND (c.environment_id, c.name, c.revision) > ($2, $3, $4)
		ORDER BY c.environment_id, c.name, c.revision LIMIT $5`, projectID, after.EnvironmentID, after.Name, after.Revision, limit)
}

// ResealComment stores a comment under another generation, in the history and, where it is the current one, there.
func (tx *Tx) ResealComment(ctx context.Context, s State) error {
	if err := tx.exec(ctx, "resealing comment", `UPDATE changes SET comment = $1 WHERE environment_id = $2 AND name = $3 AND revision = $4`,
		s.Comment, s.EnvironmentID, s.Name, s.Revision); err != nil {
		return err
	}
	return tx.exec(ctx, "resealing comment", `UPDATE secrets SET comment = $1 WHERE environment_id = $2 AND name = $3 AND revision = $4`,
		s.Comment, s.EnvironmentID, s.Name, s.Revision)
}
