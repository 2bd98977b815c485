package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// owner closes the connections with the store.
type owner struct {
	storage.Backend
	db *sqldb.DB
}

func (o owner) Close() error { return errors.Join(o.Backend.Close(), o.db.Close()) }

func open(t *testing.T, url string) storage.Backend {
	t.Helper()
	db, err := sqldb.OpenPostgres(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	o := owner{s, db}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

const urlFile = "url"

// prepare gives a folder a database, whose URL lies there for all processes.
func prepare(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, urlFile), []byte(testpg.URL(t)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func openIn(t *testing.T, dir string) storage.Backend {
	t.Helper()
	url, err := os.ReadFile(filepath.Join(dir, urlFile))
	if errors.Is(err, fs.ErrNotExist) {
		prepare(t, dir)
		url, err = os.ReadFile(filepath.Join(dir, urlFile))
	}
	if err != nil {
		t.Fatal(err)
	}
	return open(t, string(url))
}

func TestStore(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Backend { return open(t, testpg.URL(t)) })
}

func TestInterleaved(t *testing.T) {
	t.Parallel()
	storagetest.RunInterleaved(t, func(t *testing.T) storage.Backend { return open(t, testpg.URL(t)) })
}

func TestDurable(t *testing.T) {
	t.Parallel()
	storagetest.RunDurable(t, openIn)
}

func TestShared(t *testing.T) {
	t.Parallel()
	storagetest.RunShared(t, prepare, openIn)
}

// TestServerGone stops and kills the server under a store: what was acknowledged is there when it comes back, and
// without it the error says so.
func TestServerGone(t *testing.T) {
	t.Parallel()
	server := testpg.Start(t)
	s := open(t, server.URL())
	for round, end := range []func(){server.Stop, server.Kill} {
		key := fmt.Sprint("key", round)
		if err := store(t, s, key); err != nil {
			t.Fatal(err)
		}
		end()
		for name, err := range map[string]error{
			"Update": store(t, s, "lost"),
			"View":   s.View(t.Context(), func(r storage.Reader) error { _, err := r.Get(t.Context(), key); return err }),
		} {
			if !errors.Is(err, storage.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s without a server: %v, want ErrUnavailable on one line", name, err)
			}
		}
		server.Start()
		if value, err := s.Get(t.Context(), key); err != nil || string(value) != key {
			t.Errorf("Get = %q, %v after the server came back", value, err)
		}
		if _, err := s.Get(t.Context(), "lost"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a write that was refused is there: %v", err)
		}
	}
}

// TestServerKilledInTransaction ends the server between a write and the commit. The process that serves the connection may live
// a moment longer and commit, so both outcomes are right; but success must not be reported for what is not there.
func TestServerKilledInTransaction(t *testing.T) {
	t.Parallel()
	server := testpg.Start(t)
	s := open(t, server.URL())
	err := s.Update(t.Context(), func(tx storage.Tx) error {
		if err := tx.Put(t.Context(), "lost", nil); err != nil {
			return err
		}
		server.Kill()
		return nil
	})
	if err != nil && !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Update = %v, want ErrUnavailable", err)
	}
	server.Start()
	_, got := s.Get(t.Context(), "lost")
	if got != nil && !errors.Is(got, storage.ErrNotFound) {
		t.Errorf("after the server came back: %v", got)
	}
	if err == nil && got != nil {
		t.Errorf("a transaction that was reported as committed is not there: %v", got)
	}
}

func store(t *testing.T, s storage.Backend, key string) error {
	return s.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), key, []byte(key)) })
}

// TestWrongDialect requires a clear refusal.
func TestWrongDialect(t *testing.T) {
	t.Parallel()
	db, err := sqldb.OpenSQLite(t.Context(), "", sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := postgres.New(t.Context(), db); err == nil || !strings.Contains(err.Error(), "SQLite") {
		t.Errorf("New = %v, want an error that names the dialect", err)
	}
}
