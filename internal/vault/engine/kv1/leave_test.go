package kv1_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv1"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// TestLeave requires that every secret leaves once, and that nothing is written after the first has left: nobody would take it.
func TestLeave(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, kv1.New(), nil)
	for i := range 5 {
		m.Must(t, logical.Update, fmt.Sprintf("a/%d", i), fmt.Sprintf(`{"n":%d}`, i))
	}
	left := map[string]string{}
	for step := 0; ; step++ {
		var entries []storage.Entry
		err := m.Storage.Update(t.Context(), func(tx storage.Tx) (err error) {
			entries, err = kv1.Leave(context.Background(), tx, 2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		m.Refused(t, logical.Update, "a/late", `{"n":9}`, http.StatusBadRequest, "Upgrading from non-versioned to versioned data.")
		m.Refused(t, logical.Delete, "a/0", "", http.StatusBadRequest, "Upgrading from non-versioned to versioned data.")
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
