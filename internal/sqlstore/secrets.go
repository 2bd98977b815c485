package sqlstore

import "context"

// State is what is known of a secret from a revision on. Tags is JSON; Comment is sealed or nil.
type State struct {
	EnvironmentID, Name string
	Revision, Version   int64
	Type                string
	Pinned              bool
	Tags                string
	Comment             []byte
	Deleted             bool
}

// Secret is the current state of a secret with its value, sealed.
type Secret struct {
	State
	Sealed []byte
}

// Version is one value of a secret, sealed under a generation of the project's key.
type Version struct {
	EnvironmentID, Name string
	Version             int64
	Generation          uint32
	Sealed, Fingerprint []byte
	CreatedAt           int64
	CreatedBy           string
}

// Edge says that a secret's value refers to another secret. TargetEnv is empty for "the same environment".
type Edge struct {
	EnvironmentID, Name                  string
	TargetProject, TargetEnv, TargetName string
}

const secretColumns = `environment_id, name, revision, version, type, pinned, tags, comment, sealed`

func scanSecret(r scanner, s *Secret) error {
	return r.Scan(&s.EnvironmentID, &s.Name, &s.Revision, &s.Version, &s.Type, &s.Pinned, &s.Tags, &s.Comment, &s.Sealed)
}

const stateColumns = `environment_id, name, revision, version, type, pinned, tags, comment, deleted`

func scanState(r scanner, s *State) error {
	return r.Scan(&s.EnvironmentID, &s.Name, &s.Revision, &s.Version, &s.Type, &s.Pinned, &s.Tags, &s.Comment, &s.Deleted)
}

const versionColumns = `environment_id, name, version, generation, sealed, fingerprint, created_at, created_by`

func scanVersion(r scanner, v *Version) error {
	var generation int64
	err := r.Scan(&v.EnvironmentID, &v.Name, &v.Version, &generation, &v.Sealed, &v.Fingerprint, &v.CreatedAt, &v.CreatedBy)
	v.Generation = uint32(generation) //nolint:gosec // written from a uint32
	return err
}

// Secrets lists the secrets of an environment as they are now, by name.
func (tx *Tx) Secrets(ctx context.Context, environmentID string) ([]Secret, error) {
	return queryAll(ctx, tx, "reading secrets", scanSecret,
		`SELECT `+secretColumns+` FROM secrets WHERE environment_id = $1 ORDER BY name`, environmentID)
}

// Secret finds one secret as it is now.
func (tx *Tx) Secret(ctx context.Context, environmentID, name string) (Secret, error) {
	return queryOne(ctx, tx, "reading secret", scanSecret,
		`SELECT `+secretColumns+` FROM secrets WHERE environment_id = $1 AND name = $2`, environmentID, name)
}

// StatesAt lists the secrets that an environment had at a revision, by name; those deleted by then are left out.
func (tx *Tx) StatesAt(ctx context.Context, environmentID string, revision int64) ([]State, error) {
	return queryAll(ctx, tx, "reading past secrets", scanState, `SELECT `+stateColumns+` FROM changes AS c
		WHERE c.environment_id = $1 AND NOT c.deleted AND c.revision = (
			SELECT MAX(m.revision) FROM changes AS m WHERE m.environment_id = $1 AND m.name = c.name AND m.revision <= $2)
		ORDER BY c.name`, environmentID, revision)
}

// ChangedIn lists the states that a revision set.
func (tx *Tx) ChangedIn(ctx context.Context, environmentID string, revision int64) ([]State, error) {
	return queryAll(ctx, tx, "reading changes", scanState,
		`SELECT `+stateColumns+` FROM changes WHERE environment_id = $1 AND revision = $2 ORDER BY name`, environmentID, revision)
}

// History lists the states that a secret went through, newest first.
func (tx *Tx) History(ctx context.Context, environmentID, name string) ([]State, error) {
	return queryAll(ctx, tx, "reading history", scanState,
		`SELECT `+stateColumns+` FROM changes WHERE environment_id = $1 AND name = $2 ORDER BY revision DESC`, environmentID, name)
}

// PutSecret stores the current state of a secret and adds it to the history. A deleted state removes the current one.
func (tx *Tx) PutSecret(ctx context.Context, s Secret) error {
	if err := tx.insert(ctx, "adding change", `INSERT INTO changes (`+stateColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.EnvironmentID, s.Name, s.Revision, s.Version, s.Type, s.Pinned, s.Tags, s.Comment, s.Deleted); err != nil {
		return err
	}
	if s.Deleted {
		return tx.exec(ctx, "deleting secret", `DELETE FROM secrets WHERE environment_id = $1 AND name = $2`, s.EnvironmentID, s.Name)
	}
	return tx.exec(ctx, "storing secret", `INSERT INTO secrets (`+secretColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (environment_id, name) DO UPDATE SET revision = excluded.revision, version = excluded.version, type = excluded.type,
			pinned = excluded.pinned, tags = excluded.tags, comment = excluded.comment, sealed = excluded.sealed`,
		s.EnvironmentID, s.Name, s.Revision, s.Version, s.Type, s.Pinned, s.Tags, s.Comment, s.Sealed)
}

// InsertVersion adds a value of a secret.
func (tx *Tx) InsertVersion(ctx context.Context, v Version) error {
	return tx.insert(ctx, "adding version", `INSERT INTO versions (`+versionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.EnvironmentID, v.Name, v.Version, int64(v.Generation), v.Sealed, v.Fingerprint, v.CreatedAt, v.CreatedBy)
}

// Version finds one value of a secret.
func (tx *Tx) Version(ctx context.Context, environmentID, name string, version int64) (Version, error) {
	return queryOne(ctx, tx, "reading version", scanVersion,
		`SELECT `+versionColumns+` FROM versions WHERE environment_id = $1 AND name = $2 AND version = $3`, environmentID, name, version)
}

// Versions lists the values of a secret, newest first.
func (tx *Tx) Versions(ctx context.Context, environmentID, name string) ([]Version, error) {
	return queryAll(ctx, tx, "reading versions", scanVersion,
		`SELECT `+versionColumns+` FROM versions WHERE environment_id = $1 AND name = $2 ORDER BY version DESC`, environmentID, name)
}

// LastVersion returns the highest version number a secret ever had, 0 for none.
func (tx *Tx) LastVersion(ctx context.Context, environmentID, name string) (int64, error) {
	return queryOne(ctx, tx, "reading versions", func(r scanner, version *int64) error { return r.Scan(version) },
		`SELECT COALESCE(MAX(version), 0) FROM versions WHERE environment_id = $1 AND name = $2`, environmentID, name)
}

// SetEdges replaces what a secret refers to.
func (tx *Tx) SetEdges(ctx context.Context, environmentID, name string, edges []Edge) error {
	if err := tx.exec(ctx, "clearing references", `DELETE FROM edges WHERE environment_id = $1 AND name = $2`, environmentID, name); err != nil {
		return err
	}
	for _, e := range edges {
		if err := tx.exec(ctx, "storing reference", `INSERT INTO edges (environment_id, name, target_project, target_env, target_name)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, environmentID, name, e.TargetProject, e.TargetEnv, e.TargetName); err != nil {
			return err
		}
	}
	return nil
}

// Referrer is a secret that refers to another.
type Referrer struct {
	Project, Env, Owner, Name string
	TargetEnv                 string
}

// Referrers lists the secrets of an organisation whose values refer to a secret of a project, in any environment.
func (tx *Tx) Referrers(ctx context.Context, orgID, targetProject, targetName string) ([]Referrer, error) {
	return queryAll(ctx, tx, "reading references", func(r scanner, f *Referrer) error {
		return r.Scan(&f.Project, &f.Env, &f.Owner, &f.Name, &f.TargetEnv)
	}, `SELECT p.slug, e.slug, e.owner, d.name, d.target_env FROM edges AS d
		JOIN environments AS e ON e.id = d.environment_id AND e.deleted_at IS NULL
		JOIN projects AS p ON p.id = e.project_id AND p.deleted_at IS NULL
		WHERE d.target_name = $1 AND d.target_project = $2 AND p.org_id = $3
		ORDER BY p.slug, e.slug, e.owner, d.name`, targetName, targetProject, orgID)
}

// CountSecrets counts the secrets of an environment as they are now.
func (tx *Tx) CountSecrets(ctx context.Context, environmentID string) (int, error) {
	return queryOne(ctx, tx, "counting secrets", func(r scanner, n *int) error { return r.Scan(n) },
		`SELECT COUNT(*) FROM secrets WHERE environment_id = $1`, environmentID)
}

// Print is the sealed fingerprint of one version of a secret.
type Print struct {
	Project, Env, Name       string
	ProjectID, EnvironmentID string
	Version                  int64
	Sealed                   []byte
}

// Fingerprints lists the fingerprints of all values that an organisation's living environments ever held.
func (tx *Tx) Fingerprints(ctx context.Context, orgID string) ([]Print, error) {
	return queryAll(ctx, tx, "reading fingerprints", func(r scanner, p *Print) error {
		return r.Scan(&p.Project, &p.Env, &p.Name, &p.ProjectID, &p.EnvironmentID, &p.Version, &p.Sealed)
	}, `SELECT p.slug, e.slug, v.name, p.id, e.id, v.version, v.fingerprint FROM versions AS v
		JOIN environments AS e ON e.id = v.environment_id AND e.deleted_at IS NULL
		JOIN projects AS p ON p.id = e.project_id AND p.deleted_at IS NULL
		WHERE p.org_id = $1 AND v.fingerprint IS NOT NULL ORDER BY p.slug, e.slug, v.name, v.version`, orgID)
}
