package sqldb_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

// TestSettings asks every connection of the pool for the settings that count.
func TestSettings(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	for _, c := range []struct {
		opts sqldb.Options
		sync int64
		wait int64
	}{
		{sqldb.Options{}, 2, 10000},
		{sqldb.Options{NormalSync: true, LockWait: 7 * time.Second, Connections: 3}, 1, 7000},
		{sqldb.Options{LockWait: time.Minute}, 2, 10000},
	} {
		db := closed(t)(sqldb.OpenSQLite(t.Context(), path, c.opts))
		for range 3 { // held, so that each is another one
			conn, err := db.SQL().Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			for pragma, want := range map[string]int64{
				"synchronous": c.sync, "busy_timeout": c.wait, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0,
				"cell_size_check": 1, "temp_store": 2, "application_id": 0x5a564c54,
			} {
				var got int64
				if err := conn.QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %d, %v; want %d", pragma, got, err, want)
				}
			}
			var mode string
			if err := conn.QueryRowContext(t.Context(), "pragma journal_mode").Scan(&mode); err != nil || mode != "wal" {
				t.Errorf("journal_mode is %q, %v; want wal", mode, err)
			}
		}
	}
}

// TestFileModes requires all files to be the owner's alone, whatever the process would allow.
func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := closed(t)(sqldb.OpenSQLite(t.Context(), filepath.Join(dir, "vault.db"), sqldb.Options{}))
	run(t, db, `CREATE TABLE t (n BIGINT)`)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 {
		t.Errorf("%d files, want 3: the database, its log and the log's index", len(files))
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), info.Mode())
		}
	}
}

// TestOddPaths opens files with names that mean something in a URI.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "a%20b.db", "a?mode=memory.db", "a#b.db", "\u00e9\U0001f600.db", "file:x.db", ":memory:", "a&b+c.db"} {
		if os.PathSeparator != '/' && strings.ContainsAny(name, "?:") {
			continue // no file can be called that there
		}
		dir := t.TempDir()
		db := closed(t)(sqldb.OpenSQLite(t.Context(), filepath.Join(dir, name), sqldb.Options{}))
		run(t, db, `CREATE TABLE t (n BIGINT)`)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != 1 || files[0].Name() != name {
			t.Errorf("%q: the folder holds %v, %v", name, files, err)
		}
	}
	if db, err := sqldb.OpenSQLite(t.Context(), "a\x00b", sqldb.Options{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("NUL in the path: %v, %v", db, err)
	}
}

func TestMustExist(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	if db, err := sqldb.OpenSQLite(t.Context(), path, sqldb.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v, %v; want fs.ErrNotExist", db, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file was made: %v", err)
	}
	if db, err := sqldb.OpenSQLite(t.Context(), filepath.Join(path, "none"), sqldb.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v; want fs.ErrNotExist for a missing folder", db, err)
	}
}

// TestMemory requires databases in memory to be separate and to outlive their connections.
func TestMemory(t *testing.T) {
	t.Parallel()
	a := closed(t)(sqldb.OpenSQLite(t.Context(), "", sqldb.Options{}))
	b := closed(t)(sqldb.OpenSQLite(t.Context(), "", sqldb.Options{}))
	run(t, a, `CREATE TABLE t (n BIGINT)`)
	a.SQL().SetMaxIdleConns(-1) // closes all
	run(t, a, `INSERT INTO t VALUES (1)`)
	if n := readInt(t, a, `SELECT count(*) FROM t`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	if err := tryRun(t.Context(), b, `INSERT INTO t VALUES (1)`); !sqldb.IsNoTable(err) {
		t.Errorf("writing to the other database: %v, want no such table", err)
	}
}

// TestForeignDatabase refuses other programs' SQLite files and leaves them as they are.
func TestForeignDatabase(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"with tables":         "CREATE TABLE cookies (name TEXT)",
		"with an application": "PRAGMA application_id = 42",
	} {
		path := filepath.Join(t.TempDir(), "other.db")
		other, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.ExecContext(t.Context(), script); err != nil {
			t.Fatal(err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		db, err := sqldb.OpenSQLite(t.Context(), path, sqldb.Options{})
		if !errors.Is(err, sqldb.ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v; want ErrCorrupt that names the file", name, db, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the file has changed: %v", name, err)
		}
	}
}

// TestLocked has another process's stand-in, a second handle, hold the write lock.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	other := closed(t)(sqldb.OpenSQLite(t.Context(), path, sqldb.Options{}))
	run(t, other, `CREATE TABLE t (n BIGINT)`)
	db := closed(t)(sqldb.OpenSQLite(t.Context(), path, sqldb.Options{LockWait: 30 * time.Millisecond}))
	err := other.Update(t.Context(), func(*sql.Tx) error {
		start := time.Now()
		err := tryRun(t.Context(), db, `INSERT INTO t VALUES (1)`)
		if !errors.Is(err, sqldb.ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("Update = %v, want ErrLocked that names the file", err)
		}
		if waited := time.Since(start); waited < 20*time.Millisecond {
			t.Errorf("gave up after %v", waited)
		}
		if n := readInt(t, db, `SELECT count(*) FROM t`); n != 0 {
			t.Errorf("reading beside a writer: %d rows", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if err := tryRun(ctx, db, `INSERT INTO t VALUES (1)`); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Update = %v, want context.DeadlineExceeded", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, db, `INSERT INTO t VALUES (1)`)
}

// TestCreatedAtOnce has many handles create the file and write to it at the same time.
func TestCreatedAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	const handles = 12
	var wg sync.WaitGroup
	for range handles {
		wg.Go(func() {
			db, err := sqldb.OpenSQLite(t.Context(), path, sqldb.Options{})
			if err != nil {
				t.Errorf("opening: %v", err)
				return
			}
			err = tryRun(t.Context(), db, `CREATE TABLE IF NOT EXISTS t (n BIGINT)`)
			err = errors.Join(err, tryRun(t.Context(), db, `INSERT INTO t VALUES (1)`), db.Close())
			if err != nil {
				t.Errorf("writing: %v", err)
			}
		})
	}
	wg.Wait()
	db := closed(t)(sqldb.OpenSQLite(t.Context(), path, sqldb.Options{MustExist: true}))
	if n := readInt(t, db, `SELECT count(*) FROM t`); n != handles {
		t.Errorf("%d rows, want %d", n, handles)
	}
}

// TestDeletedIsOverwritten looks for a deleted value in the file.
func TestDeletedIsOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	db := closed(t)(sqldb.OpenSQLite(t.Context(), path, sqldb.Options{}))
	value := bytes.Repeat([]byte("needle"), 2000)
	run(t, db, `CREATE TABLE t (v BYTEA)`)
	run(t, db, `INSERT INTO t VALUES ($1)`, value)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if count := occurrences(t, path); count == 0 {
		t.Fatal("the value is not in the file: this test sees nothing")
	}
	db = closed(t)(sqldb.OpenSQLite(t.Context(), path, sqldb.Options{}))
	run(t, db, `DELETE FROM t`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if count := occurrences(t, path); count != 0 {
		t.Errorf("a deleted value is in the file %d times", count)
	}
}

func occurrences(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("needle"))
}
