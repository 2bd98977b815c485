package unversioned_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/unversioned"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func put(t *testing.T, s logical.Storage, path, value string) error {
	t.Helper()
	return unversioned.Change(t.Context(), s, func(tx storage.Tx) error {
		return tx.Put(context.Background(), unversioned.Prefix+path, []byte(value))
	})
}

// TestLeave requires that every secret leaves once, and that nothing is written after the first has left: nobody would take it.
func TestLeave(t *testing.T) {
	t.Parallel()
	s := logicaltest.NewStorage()
	for i := range 5 {
		if err := put(t, s, fmt.Sprintf("a/%d", i), fmt.Sprintf(`{"n":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	left := map[string]string{}
	for step := 0; ; step++ {
		var entries []storage.Entry
		err := s.Update(t.Context(), func(tx storage.Tx) (err error) {
			entries, err = unversioned.Leave(context.Background(), tx, 2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := put(t, s, "a/late", `{"n":9}`); !errors.Is(err, unversioned.ErrLeft) {
			t.Fatalf("a late write: %v", err)
		}
		if len(entries) == 0 {
			if step != 3 {
				t.Errorf("%d steps, want 3", step)
			}
			break
		}
		for _, e := range entries {
			left[e.Key] += string(e.Value)
		}
	}
	for i := range 5 {
		if got, want := left[fmt.Sprintf("a/%d", i)], fmt.Sprintf(`{"n":%d}`, i); got != want {
			t.Errorf("a/%d: %q, want %q", i, got, want)
		}
	}
	if len(left) != 5 {
		t.Errorf("%d have left, want 5", len(left))
	}
}
