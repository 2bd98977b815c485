package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// TestPostgresErrors has the server itself raise the states that matter.
func TestPostgresErrors(t *testing.T) {
	t.Parallel()
	db := closed(t)(sqldb.OpenPostgres(t.Context(), testpg.URL(t)))
	for state, want := range map[string]error{
		"53100": sqldb.ErrFull,
		"25006": sqldb.ErrReadOnly,
		"XX001": sqldb.ErrCorrupt,
		"XX002": sqldb.ErrCorrupt,
		"55P03": sqldb.ErrLocked,
		"53300": sqldb.ErrUnavailable,
		"57P01": sqldb.ErrUnavailable,
		"57P03": sqldb.ErrUnavailable,
		"08006": sqldb.ErrUnavailable,
		"58030": sqldb.ErrUnavailable,
		"22012": nil,
		"P0001": nil,
	} {
		raise := fmt.Sprintf(`DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = 'first' || chr(10) || 'second', ERRCODE = '%s'; END $$`, state)
		err := db.View(t.Context(), func(q sqldb.Querier) error { return q.QueryRowContext(t.Context(), raise).Scan() })
		if want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %q", state, err, want)
		}
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), db.Name()) {
			t.Errorf("%s: %v, want one line that names the database", state, err)
		}
		if want == nil && sqldb.Classify(err) != err {
			t.Errorf("%s is classified as %v", state, sqldb.Classify(err))
		}
	}
}

// TestPostgresRetries has transactions that fail as those that lose do, until the third try.
func TestPostgresRetries(t *testing.T) {
	t.Parallel()
	db := closed(t)(sqldb.OpenPostgres(t.Context(), testpg.URL(t)))
	for _, state := range []string{"40001", "40P01"} {
		tries := 0
		err := db.Update(t.Context(), func(tx *sql.Tx) error {
			if tries++; tries == 3 {
				return nil
			}
			_, err := tx.ExecContext(t.Context(), fmt.Sprintf(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '%s'; END $$`, state))
			return fmt.Errorf("wrapped: %w", err)
		})
		if err != nil || tries != 3 {
			t.Errorf("%s: %v after %d tries, want success after 3", state, err, tries)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = db.Update(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '%s'; END $$`, state))
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, sqldb.ErrLocked) {
			t.Errorf("%s: %v, want both that the context ended and why it waited", state, err)
		}
	}
}

// TestPostgresPreparesNothing requires that no statement stays on the server, where a pooler's next client would meet
// it.
func TestPostgresPreparesNothing(t *testing.T) {
	t.Parallel()
	db := closed(t)(sqldb.OpenPostgres(t.Context(), testpg.URL(t)))
	db.SQL().SetMaxOpenConns(1)
	run(t, db, `CREATE TABLE t (k TEXT, v BYTEA)`)
	for range 10 {
		run(t, db, `INSERT INTO t VALUES ($1, $2)`, "k", []byte("v"))
		if n := readInt(t, db, `SELECT count(*) FROM pg_prepared_statements`); n != 0 {
			t.Fatalf("%d prepared statements", n)
		}
	}
	if n := readInt(t, db, `SELECT count(*) FROM t`); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
}

// TestPostgresReadOnly meets a database that refuses writes, as a standby does.
func TestPostgresReadOnly(t *testing.T) {
	t.Parallel()
	url := testpg.URL(t)
	db := closed(t)(sqldb.OpenPostgres(t.Context(), url))
	run(t, db, `CREATE TABLE t (n BIGINT)`)
	var name string
	if err := db.SQL().QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SQL().ExecContext(t.Context(), `ALTER DATABASE `+name+` SET default_transaction_read_only = on`); err != nil {
		t.Fatal(err)
	}
	again := closed(t)(sqldb.OpenPostgres(t.Context(), url))
	if err := tryRun(t.Context(), again, `INSERT INTO t VALUES (1)`); !errors.Is(err, sqldb.ErrReadOnly) {
		t.Errorf("Update = %v, want ErrReadOnly", err)
	}
	if n := readInt(t, again, `SELECT count(*) FROM t`); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

// TestPostgresPassword requires errors to keep the password to themselves.
func TestPostgresPassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2-sesame"
	for _, url := range []string{
		"postgres://me:" + password + "@127.0.0.1:1/db",
		"postgres://me:" + password + "@127.0.0.1:port/db",
		"postgres://me:" + password + "@127.0.0.1:1/db?sslmode=sometimes",
		"postgres://me:" + password + "%zz@127.0.0.1:1/db",
		"host=127.0.0.1 port=1 user=me password=" + password + " dbname=db",
		"host=127.0.0.1 port=x user=me password=" + password + " dbname=db",
		password,
		"",
	} {
		db, err := sqldb.OpenPostgres(t.Context(), url)
		if err == nil {
			t.Fatal(errors.Join(errors.New("connected"), db.Close()))
		}
		if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error shows too much")
		}
	}
	_, err := sqldb.OpenPostgres(t.Context(), "postgres://me@127.0.0.1:1/db")
	if !errors.Is(err, sqldb.ErrUnavailable) || !strings.Contains(err.Error(), "127.0.0.1:1/db") {
		t.Errorf("%v, want ErrUnavailable that names the server", err)
	}
}
