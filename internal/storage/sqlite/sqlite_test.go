package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/sqlkv"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
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

// TestWrongDialect requires a clear refusal.
func TestWrongDialect(t *testing.T) {
	t.Parallel()
	db, err := sqldb.OpenPostgres(t.Context(), testpg.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := sqlite.New(t.Context(), db); err == nil || !strings.Contains(err.Error(), "PostgreSQL") {
		t.Errorf("New = %v, want an error that names the dialect", err)
	}
}

// TestSharedFile keeps other tables in the same file, through the same handle.
func TestSharedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s := open(t, path).(owner)
	_, err := s.db.SQL().ExecContext(t.Context(), `CREATE TABLE other (n BIGINT)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backend.Close(); err != nil { // leaves the database open
		t.Fatal(err)
	}
	if _, err := s.db.SQL().ExecContext(t.Context(), `INSERT INTO other VALUES (1)`); err != nil {
		t.Errorf("the database went with the store: %v", err)
	}
}
