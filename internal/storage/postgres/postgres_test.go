package postgres_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func TestDurable(t *testing.T) {
	t.Parallel()
	storagetest.RunDurable(t, openIn)
}

func TestShared(t *testing.T) {
	t.Parallel()
	storagetest.RunShared(t, prepare, openIn)
}
