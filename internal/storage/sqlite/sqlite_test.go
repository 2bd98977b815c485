package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
)

// owner closes the database with the store.
type owner struct {
	storage.Backend
	db *sqldb.DB
}

func (o owner) Close() error { return errors.Join(o.Backend.Close(), o.db.Close()) }

func open(t *testing.T, path string) storage.Backend {
	t.Helper()
	db, err := sqldb.OpenSQLite(t.Context(), path, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.New(t.Context(), db)
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

func openIn(t *testing.T, dir string) storage.Backend {
	t.Helper()
	return open(t, filepath.Join(dir, "vault.db"))
}

func TestStore(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Backend { return openIn(t, t.TempDir()) })
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Backend { return open(t, "") })
}

func TestDurable(t *testing.T) {
	t.Parallel()
	storagetest.RunDurable(t, openIn)
}

func TestShared(t *testing.T) {
	t.Parallel()
	storagetest.RunShared(t, nil, openIn)
}
