// Package sqldb opens the databases that ZVault keeps its tables in and runs transactions on them: SQLite in one file
// (modernc.org/sqlite, no cgo) and PostgreSQL (pgx).
//
// Start with OpenSQLite or OpenPostgres, then DB.View and DB.Update. One statement text serves both: placeholders are
// $1, $2 and so on, and columns are BYTEA, BIGINT, TEXT and BOOLEAN, which SQLite takes as well. Binary data is passed
// and scanned as []byte, never as string.
//
// Errors of either driver are told apart by the sentinels here, see Classify; what View and Update return names the
// database. Nothing is opened or computed at import.
package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Dialect is the kind of database behind a DB.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// String returns the dialect's name.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	}
	return fmt.Sprintf("Dialect(%d)", int(d))
}

// Querier runs statements in a transaction. In a View, ExecContext is refused with ErrReadOnly.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database. It is safe for concurrent use.
//
// A transaction must not be started from within another one's function on the same DB: two writers would wait for
// each other until the lock wait is over.
type DB struct {
	sql     *sql.DB
	dialect Dialect
	name    string        // for messages: the file, or host and database; never a password
	wait    time.Duration // how long Update tries to get through
	writer  chan struct{} // SQLite: one token, so that writers of this process queue here and do not poll for the file
	anchor  driver.Conn   // keeps a database in memory alive while the pool is empty
	closed  atomic.Bool

	readOnly bool // the medium refuses writes; found out while opening
}

// Dialect returns the kind of database.
func (db *DB) Dialect() Dialect { return db.dialect }

// SQL returns the pool beneath, for what View and Update do not cover, such as a migration library. On SQLite a
// transaction begun there takes the write lock at once unless it is marked read-only.
func (db *DB) SQL() *sql.DB { return db.sql }

// Name says which database this is, for messages: the file's path, or host, port and database name.
func (db *DB) Name() string { return db.name }

// ReadOnly reports that the medium refused writing when the database was opened, so every Update will fail with
// ErrReadOnly.
func (db *DB) ReadOnly() bool { return db.readOnly }

// Close closes all connections; one that is in a transaction follows when that ends, which Close does not wait for.
// Calls after Close get ErrClosed; closing again does nothing.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	err := db.sql.Close()
	if db.anchor != nil {
		err = errors.Join(err, db.anchor.Close())
	}
	if err != nil {
		return db.describe(fmt.Errorf("closing: %w", err))
	}
	return nil
}

// View calls fn in a read-only transaction: everything it reads is of one moment, whatever others write meanwhile.
func (db *DB) View(ctx context.Context, fn func(Querier) error) error {
	if db.closed.Load() {
		return db.describe(ErrClosed)
	}
	opts := sql.TxOptions{ReadOnly: true}
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelRepeatableRead // a snapshot, which never has to be retried
	}
	tx, err := db.begin(ctx, &opts)
	if err != nil {
		return db.describe(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written; a broken connection leaves the pool by itself
	return db.describe(orContext(ctx, fn(viewTx{tx})))
}

// begin begins a transaction. Connections of the pool that broke meanwhile, as all do when a server is restarted, are found out
// here and left behind; that a server is gone shows when a new one cannot be made.
func (db *DB) begin(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error) {
	for left := db.sql.Stats().Idle; ; left-- {
		tx, err := db.sql.BeginTx(ctx, opts)
		if err == nil || left <= 0 || ctx.Err() != nil || db.dialect != PostgreSQL || !isConnection(err) {
			return tx, err
		}
	}
}

// viewTx refuses to write: SQLite would let a read-only transaction do it.
type viewTx struct{ *sql.Tx }

func (viewTx) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, fmt.Errorf("writing in a view: %w", ErrReadOnly)
}

// Update calls fn in a serializable transaction and commits when fn returns nil. It is durable when Update returns nil
// and undone when fn returns an error or panics. A transaction that loses against another writer is run again, so fn
// may be called more than once; when the other does not let go, the error is ErrLocked. When the connection breaks
// during the commit, the error is ErrUnavailable and whether it came through is open.
func (db *DB) Update(ctx context.Context, fn func(*sql.Tx) error) error {
	if db.closed.Load() {
		return db.describe(ErrClosed)
	}
	deadline := time.Now().Add(db.wait)
	release, err := db.queue(ctx, deadline)
	if err != nil {
		return db.describe(err)
	}
	defer release()
	return db.describe(retry(ctx, deadline, func() error { return db.update(ctx, fn) }))
}

// queue waits for the turn among this process's writers.
func (db *DB) queue(ctx context.Context, deadline time.Time) (release func(), err error) {
	if db.writer == nil {
		return func() {}, nil
	}
	release = func() { <-db.writer }
	select {
	case db.writer <- struct{}{}:
		return release, nil
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case db.writer <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fmt.Errorf("%w by another writer of this process", ErrLocked)
	}
}

// update is one try.
func (db *DB) update(ctx context.Context, fn func(*sql.Tx) error) error {
	var opts sql.TxOptions
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelSerializable
	}
	tx, err := db.begin(ctx, &opts)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended {
			_ = tx.Rollback() // fn failed or panics, and that is what the caller has to hear
		}
	}()
	if err := fn(tx); err != nil {
		return orContext(ctx, err)
	}
	ended = true
	return orContext(ctx, tx.Commit())
}

// orContext replaces the complaint about a transaction that database/sql has rolled back because ctx ended.
func orContext(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
