package bolt_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/bolt"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
)

func open(t *testing.T, dir string) storage.Backend {
	t.Helper()
	s, err := bolt.Open(t.Context(), filepath.Join(dir, "vault.bolt"))
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

func TestStore(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Backend { return open(t, t.TempDir()) })
}

func TestDurable(t *testing.T) {
	t.Parallel()
	storagetest.RunDurable(t, open)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	storagetest.RunFiles(t, storagetest.Files{
		Open: func(ctx context.Context, dir string) (storage.Backend, error) {
			s, err := bolt.Open(ctx, filepath.Join(dir, "vault.bolt"))
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Damage:    []string{"vault.bolt"},
		Exclusive: true,
	})
}
