package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// eachDatabase runs a test on every kind of database, empty.
func eachDatabase(t *testing.T, test func(*testing.T, *sqldb.DB)) {
	for name, open := range map[string]func(*testing.T) (*sqldb.DB, error){
		"file": func(t *testing.T) (*sqldb.DB, error) {
			return sqldb.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "vault.db"), sqldb.Options{})
		},
		"memory":   func(t *testing.T) (*sqldb.DB, error) { return sqldb.OpenSQLite(t.Context(), "", sqldb.Options{}) },
		"postgres": func(t *testing.T) (*sqldb.DB, error) { return sqldb.OpenPostgres(t.Context(), testpg.URL(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, closed(t)(open(t)))
		})
	}
}

// closed makes sure that an opened database is closed when the test ends.
func closed(t *testing.T) func(*sqldb.DB, error) *sqldb.DB {
	return func(db *sqldb.DB, err error) *sqldb.DB {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		})
		return db
	}
}

func run(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	if err := tryRun(t.Context(), db, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func tryRun(ctx context.Context, db *sqldb.DB, query string, args ...any) error {
	return db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

func readInt(t *testing.T, db *sqldb.DB, query string) (n int64) {
	t.Helper()
	err := db.View(t.Context(), func(q sqldb.Querier) error { return q.QueryRowContext(t.Context(), query).Scan(&n) })
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (n BIGINT NOT NULL)`)
		run(t, db, `INSERT INTO t VALUES ($1)`, 1)
		mine := errors.New("mine")
		err := db.Update(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES (2)`); err != nil {
				return err
			}
			return fmt.Errorf("wrapped: %w", mine)
		})
		if !errors.Is(err, mine) || strings.Contains(err.Error(), "database") {
			t.Errorf("Update = %v, want the function's error as it was", err)
		}
		if n := readInt(t, db, `SELECT count(*) FROM t`); n != 1 {
			t.Errorf("%d rows after an error, want 1", n)
		}
	})
}

func TestUpdatePanic(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (n BIGINT NOT NULL)`)
		func() {
			defer func() {
				if p := recover(); p != "mine" {
					t.Errorf("panic value %v, want the function's", p)
				}
			}()
			_ = db.Update(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`); err != nil {
					return err
				}
				panic("mine")
			})
		}()
		if n := readInt(t, db, `SELECT count(*) FROM t`); n != 0 {
			t.Errorf("%d rows after a panic, want 0", n)
		}
		run(t, db, `INSERT INTO t VALUES (2)`) // nothing stays locked
	})
}

// TestView requires that a view cannot write and tells so.
func TestView(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (n BIGINT NOT NULL)`)
		err := db.View(t.Context(), func(q sqldb.Querier) error {
			_, err := q.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`)
			return err
		})
		if !errors.Is(err, sqldb.ErrReadOnly) {
			t.Errorf("writing in a view: %v, want ErrReadOnly", err)
		}
		if n := readInt(t, db, `SELECT count(*) FROM t`); n != 0 {
			t.Errorf("%d rows, want 0", n)
		}
	})
}

// TestSerializable has transactions that each read what the other writes: with less than full isolation both would
// commit, and the sum would pass the limit.
func TestSerializable(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (who BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)`)
		run(t, db, `INSERT INTO t VALUES (0, 0), (1, 0)`)
		const limit = 10
		var wg sync.WaitGroup
		for who := range 2 {
			wg.Go(func() {
				for range limit {
					if err := addBelow(t.Context(), db, who, limit); err != nil {
						t.Errorf("adding: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if n := readInt(t, db, `SELECT CAST(sum(n) AS BIGINT) FROM t`); n != limit {
			t.Errorf("sum %d, want %d", n, limit)
		}
	})
}

// addBelow adds one to its own row if the sum of all rows is below the limit.
func addBelow(ctx context.Context, db *sqldb.DB, who, limit int) error {
	return db.Update(ctx, func(tx *sql.Tx) error {
		var sum int
		if err := tx.QueryRowContext(ctx, `SELECT CAST(sum(n) AS BIGINT) FROM t`).Scan(&sum); err != nil || sum >= limit {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE t SET n = n + 1 WHERE who = $1`, who)
		return err
	})
}

func TestClosed(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		for range 2 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for name, err := range map[string]error{
			"Update": tryRun(t.Context(), db, `CREATE TABLE t (n BIGINT)`),
			"View":   db.View(t.Context(), func(sqldb.Querier) error { return nil }),
		} {
			if !errors.Is(err, sqldb.ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", name, err)
			}
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (n BIGINT NOT NULL)`)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Update(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO t VALUES (1)`); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, sqldb.ErrUnavailable) {
			t.Errorf("Update = %v, want context.Canceled", err)
		}
		if err := tryRun(ctx, db, `INSERT INTO t VALUES (2)`); !errors.Is(err, context.Canceled) {
			t.Errorf("Update = %v, want context.Canceled", err)
		}
		if n := readInt(t, db, `SELECT count(*) FROM t`); n != 0 {
			t.Errorf("%d rows, want 0", n)
		}
	})
}

// TestQueueForWriter requires a writer that waits for another one of its process to give up when its context ends.
func TestQueueForWriter(t *testing.T) {
	t.Parallel()
	db := closed(t)(sqldb.OpenSQLite(t.Context(), "", sqldb.Options{LockWait: 50 * time.Millisecond}))
	err := db.Update(t.Context(), func(*sql.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if err := tryRun(ctx, db, `CREATE TABLE t (n BIGINT)`); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Update within Update, with a deadline: %v", err)
		}
		if err := tryRun(t.Context(), db, `CREATE TABLE t (n BIGINT)`); !errors.Is(err, sqldb.ErrLocked) {
			t.Errorf("Update within Update: %v, want ErrLocked", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
