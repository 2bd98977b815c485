package tree_test

import (
	"slices"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/tree"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func TestWalk(t *testing.T) {
	s := logicaltest.NewStorage()
	err := s.Update(t.Context(), func(tx storage.Tx) error {
		for _, name := range []string{"p/a", "p/f", "p/f g/é/x", "p/f/g", "p/f/h/i", "p/m", "q/no", "po"} {
			if err := tx.Put(t.Context(), name, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"p/", []string{"a", "f", "m", "f/g", "f/h/i", "f g/é/x"}},
		{"p/f/", []string{"g", "h/i"}},
		{"none/", nil},
	} {
		got, err := tree.Walk(t.Context(), s, c.prefix)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.prefix, got, err, c.want)
		}
	}
}

func TestFolder(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a/", "a/": "a/", "a/b": "a/b/"} {
		if got := tree.Folder(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
