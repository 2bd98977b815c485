package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// RunDurable tests a backend whose stores outlive the process. open opens the store that belongs to folder dir, which
// is empty at first, and arranges for it to be closed when the test ends; closing it before that must be fine.
//
// It has to be called by a top-level test that does nothing else, as that test runs again in other processes, which
// are killed in the middle of writing. Not every platform can kill like that; it is tested where it can.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) storage.Backend) {
	switch part, dir := role(); part {
	case "":
	case "crash":
		crashChild(t, open(t, dir))
		return
	default:
		t.Fatalf("no part %q", part)
	}
	for _, part := range []struct {
		name string
		test func(*testing.T, func(*testing.T, string) storage.Backend)
	}{
		{"Reopen", testReopen},
		{"ReopenEmpty", testReopenEmpty},
		{"SnapshotHolds", testSnapshotHolds},
		{"Crash", testCrash},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, open)
		})
	}
}

// testReopen compares all that is stored before and after closing, several times.
func testReopen(t *testing.T, open func(*testing.T, string) storage.Backend) {
	dir := t.TempDir()
	stored := map[string]string{}
	for round := range 4 {
		b := open(t, dir)
		all, err := dump(t.Context(), b)
		if diff := cmp.Diff(stored, all); err != nil || diff != "" {
			t.Fatalf("opened for the %d. time: %v (-want +got):\n%s", round+1, err, diff)
		}
		var entries []string
		for i := range 50 {
			key, value := fmt.Sprintf("k/%d", i*(round+1)), strings.Repeat("v", i*i+round)
			entries = append(entries, key, value)
			stored[key] = value
		}
		put(t, b, entries...)
		drop := fmt.Sprintf("k/%d", round)
		err = b.Update(t.Context(), func(tx storage.Tx) error { return tx.Delete(t.Context(), drop) })
		if err != nil {
			t.Fatal(err)
		}
		delete(stored, drop)
		if err := b.Close(); err != nil {
			t.Fatalf("closing: %v", err)
		}
	}
}

// testReopenEmpty closes a store that nothing was ever put into.
func testReopenEmpty(t *testing.T, open func(*testing.T, string) storage.Backend) {
	dir := t.TempDir()
	for range 3 {
		b := open(t, dir)
		wantScan(t, b, "", "", 0)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, dir)
	putKeys(t, b, "k")
	wantScan(t, b, "", "", 0, "k")
}

// testSnapshotHolds keeps a View open over writes that end before it does.
func testSnapshotHolds(t *testing.T, open func(*testing.T, string) storage.Backend) {
	b := open(t, t.TempDir())
	putKeys(t, b, "a", "b")
	written := make(chan error)
	err := b.View(t.Context(), func(r storage.Reader) error {
		wantScan(t, r, "", "", 0, "a", "b")
		for i := range 3 {
			go func() {
				written <- b.Update(t.Context(), func(tx storage.Tx) error {
					spoil(t, tx)
					return tx.Put(t.Context(), fmt.Sprint("new", i), make([]byte, 1<<20))
				})
			}()
			if err := <-written; err != nil {
				return err
			}
			wantScan(t, r, "", "", 0, "a", "b")
			wantList(t, r, "", "", 0, "a", "b")
			wantNone(t, r, "c")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, b, "a", "x")
	wantNone(t, b, "b")
}
