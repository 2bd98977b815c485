package sqlstore

import "context"

// Organisation is a tenant.
type Organisation struct {
	ID, Slug, Name string
	CreatedAt      int64
}

// ScopeKey is one generation of the key of an organisation or a project, wrapped by the level above.
type ScopeKey struct {
	ScopeID    string
	Generation uint32
	Wrapped    []byte
	Uses       int64
	CreatedAt  int64
}

// InsertOrganisation adds an organisation; a taken slug is ErrExists.
func (tx *Tx) InsertOrganisation(ctx context.Context, o Organisation) error {
	return tx.insert(ctx, "adding organisation", `INSERT INTO organisations (id, slug, name, created_at) VALUES ($1, $2, $3, $4)`,
		o.ID, o.Slug, o.Name, o.CreatedAt)
}

// Organisation finds an organisation by its slug.
func (tx *Tx) Organisation(ctx context.Context, slug string) (Organisation, error) {
	return queryOne(ctx, tx, "reading organisation", func(r scanner, o *Organisation) error {
		return r.Scan(&o.ID, &o.Slug, &o.Name, &o.CreatedAt)
	}, `SELECT id, slug, name, created_at FROM organisations WHERE slug = $1`, slug)
}

// InsertScopeKey adds a generation of a scope's key.
func (tx *Tx) InsertScopeKey(ctx context.Context, k ScopeKey) error {
	return tx.insert(ctx, "adding key", `INSERT INTO scope_keys (scope_id, generation, wrapped, uses, created_at) VALUES ($1, $2, $3, $4, $5)`,
		k.ScopeID, int64(k.Generation), k.Wrapped, k.Uses, k.CreatedAt)
}

// ScopeKeys lists the generations of a scope's key, oldest first.
func (tx *Tx) ScopeKeys(ctx context.Context, scopeID string) ([]ScopeKey, error) {
	return queryAll(ctx, tx, "reading keys", func(r scanner, k *ScopeKey) error {
		var generation int64
		err := r.Scan(&k.ScopeID, &generation, &k.Wrapped, &k.Uses, &k.CreatedAt)
		k.Generation = uint32(generation) //nolint:gosec // written from a uint32
		return err
	}, `SELECT scope_id, generation, wrapped, uses, created_at FROM scope_keys WHERE scope_id = $1 ORDER BY generation`, scopeID)
}

// RewrapScopeKey replaces the envelope of one generation.
func (tx *Tx) RewrapScopeKey(ctx context.Context, k ScopeKey) error {
	return tx.exec(ctx, "rewrapping key", `UPDATE scope_keys SET wrapped = $1 WHERE scope_id = $2 AND generation = $3`,
		k.Wrapped, k.ScopeID, int64(k.Generation))
}

// AddUses counts n more uses of a key and returns the new count.
func (tx *Tx) AddUses(ctx context.Context, scopeID string, generation uint32, n int64) (int64, error) {
	return queryOne(ctx, tx, "counting key uses", func(r scanner, uses *int64) error { return r.Scan(uses) },
		`UPDATE scope_keys SET uses = uses + $1 WHERE scope_id = $2 AND generation = $3 RETURNING uses`, n, scopeID, int64(generation))
}

// DeleteScopeKey removes one generation: what it sealed can never be opened again.
func (tx *Tx) DeleteScopeKey(ctx context.Context, scopeID string, generation uint32) error {
	return tx.exec(ctx, "deleting key", `DELETE FROM scope_keys WHERE scope_id = $1 AND generation = $2`, scopeID, int64(generation))
}
