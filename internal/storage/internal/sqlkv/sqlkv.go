// Package sqlkv keeps a store in a table of a SQL database. It is what the backends sqlite and postgres share: the
// statements are the same, and keys are binary on both, so that they sort by bytes.
//
//	kv(k BYTEA PRIMARY KEY, v BYTEA NOT NULL)
package sqlkv

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/direct"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/gate"
)

// Store is a storage.Backend over a database that belongs to the caller.
type Store struct {
	reader
	gate gate.Gate
	db   *sqldb.DB
}

type reader = direct.Reader

var _ storage.Backend = (*Store)(nil)

// New returns a store in db. It makes the table if that is missing; when it is there, that costs one query.
func New(ctx context.Context, db *sqldb.DB) (*Store, error) {
	err := probe(ctx, db)
	if sqldb.IsNoTable(err) {
		err = create(ctx, db)
	}
	if err != nil {
		return nil, ToStorage(fmt.Errorf("opening table kv: %w", err))
	}
	s := &Store{db: db}
	s.Through = s.View
	return s, nil
}

// probe reads nothing, but fails without the table.
func probe(ctx context.Context, db *sqldb.DB) error {
	return db.View(ctx, func(q sqldb.Querier) error {
		var n int64
		return q.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT k FROM kv LIMIT 1) AS probe`).Scan(&n)
	})
}

// create makes the table. On PostgreSQL two who do that at once collide in its catalogue, whatever IF NOT EXISTS says,
// with one of several errors; the one who loses finds the table there.
func create(ctx context.Context, db *sqldb.DB) error {
	err := db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS kv (k BYTEA NOT NULL PRIMARY KEY, v BYTEA NOT NULL)`)
		return err
	})
	if err != nil && probe(ctx, db) == nil {
		return nil
	}
	return err
}

// Close implements storage.Backend. The database stays open, as it is the caller's.
func (s *Store) Close() error {
	s.gate.Close()
	return nil
}

// View implements storage.Backend.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	return ToStorage(s.db.View(ctx, func(q sqldb.Querier) error { return fn(&tx{q}) }))
}

// Update implements storage.Backend.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	return ToStorage(s.db.Update(ctx, func(q *sql.Tx) error { return fn(&tx{q}) }))
}
