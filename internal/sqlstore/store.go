// Package sqlstore keeps the platform's tables in SQLite or PostgreSQL: the same statements on both.
//
// It stores and finds rows. Sealing what must not be readable, deciding who may do what and writing the audit log
// belong to the platform above. Every query that touches a tenant's rows takes the id of its organisation, project or
// environment and filters by it in the statement.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

var (
	// ErrNotFound is returned when no such row exists for this tenant.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned when a unique name is taken.
	ErrExists = errors.New("already exists")
)

// Store gives transactions over the platform's tables. It is safe for concurrent use.
type Store struct {
	db *sqldb.DB
}

// Tx is a transaction; View's may only read.
type Tx struct {
	q sqldb.Querier
}

// Open returns a Store on db, with the tables brought to this build's version. A database of a newer version is
// ErrNewer and left alone.
func Open(ctx context.Context, db *sqldb.DB) (*Store, error) {
	if err := migrate(ctx, db); err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// View calls fn with one consistent state.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.db.View(ctx, func(q sqldb.Querier) error { return fn(&Tx{q: q}) })
}

// Update calls fn in a serializable transaction and commits durably when fn returns nil. A conflict with another
// writer is retried, so fn may be called more than once.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error { return fn(&Tx{q: tx}) })
}

func (tx *Tx) exec(ctx context.Context, doing, query string, args ...any) error {
	_, err := tx.q.ExecContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
	}
	return nil
}

// insert is exec that tells a name that is taken from other failures.
func (tx *Tx) insert(ctx context.Context, doing, query string, args ...any) error {
	_, err := tx.q.ExecContext(ctx, query, args...)
	if sqldb.IsUniqueViolation(err) {
		return fmt.Errorf("%s: %w", doing, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
	}
	return nil
}

// scanner is one row, of *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func queryOne[T any](ctx context.Context, tx *Tx, doing string, scan func(scanner, *T) error, query string, args ...any) (T, error) {
	var v T
	err := scan(tx.q.QueryRowContext(ctx, query, args...), &v)
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNotFound
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
	}
	return v, nil
}

func queryAll[T any](ctx context.Context, tx *Tx, doing string, scan func(scanner, *T) error, query string, args ...any) ([]T, error) {
	rows, err := tx.q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
	}
	defer func() { _ = rows.Close() }() // Err below tells of any failure
	var all []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, sqldb.Classify(err))
	}
	return all, nil
}
