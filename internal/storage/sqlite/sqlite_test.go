package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/sqlkv"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
)

// owner closes the database with the store.
type owner struct {
	storage.Backend
	db *sqldb.DB
}

func (o owner) Close() error { return errors.Join(o.Backend.Close(), o.db.Close()) }

func tryOpen(ctx context.Context, path string) (storage.Backend, error) {
	db, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{})
	if err != nil {
		return nil, sqlkv.ToStorage(err)
	}
	s, err := sqlite.New(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return owner{s, db}, nil
}

func open(t *testing.T, path string) storage.Backend {
	t.Helper()
	s, err := tryOpen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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

func TestFiles(t *testing.T) {
	t.Parallel()
	storagetest.RunFiles(t, storagetest.Files{
		Open: func(ctx context.Context, dir string) (storage.Backend, error) {
			return tryOpen(ctx, filepath.Join(dir, "vault.db"))
		},
		Damage: []string{"vault.db"},
	})
}
