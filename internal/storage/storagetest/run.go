// Package storagetest is the suite that every storage backend passes. A backend's own tests call Run, and RunDurable
// if what it stores outlives the process, and RunShared if several processes may use it at once.
package storagetest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Run tests what holds for every backend. open returns an empty store and arranges for it to be closed when the test
// ends; it is called for each part, in parallel. A layer above a store, which promises something else in a part, leaves that
// part out by name and tests it itself.
func Run(t *testing.T, open func(t *testing.T) storage.Backend, without ...string) {
	for _, part := range []struct {
		name string
		test func(*testing.T, storage.Backend)
	}{
		{"Entries", testEntries},
		{"EmptyValue", testEmptyValue},
		{"ByteOrder", testByteOrder},
		{"Prefixes", testPrefixes},
		{"ScanPages", testScanPages},
		{"List", testList},
		{"ListPages", testListPages},
		{"ListLeaps", testListLeaps},
		{"InvalidKeys", testInvalidKeys},
		{"Limits", testLimits},
		{"ValuesBelongToCaller", testValuesBelongToCaller},
		{"TransactionReadsItsWrites", testReadsItsWrites},
		{"RollbackOnError", testRollbackOnError},
		{"RollbackOnPanic", testRollbackOnPanic},
		{"ConcurrentWriters", testConcurrentWriters},
		{"WriteSkew", testWriteSkew},
		{"ViewsAreConsistent", testViewsAreConsistent},
		{"Cancelled", testCancelled},
		{"CancelledInside", testCancelledInside},
		{"Closed", testClosed},
		{"CloseWaits", testCloseWaits},
		{"Model", testModel},
	} {
		if slices.Contains(without, part.name) {
			continue
		}
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, open(t))
		})
	}
}

// soak returns how often to repeat something: few by default, many with ZVAULT_SOAK=1, or the number set there.
func soak(few, many int) int {
	switch s := os.Getenv("ZVAULT_SOAK"); s {
	case "", "0":
		return few
	case "1":
		return many
	default:
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		return many
	}
}

// put stores entries, given as key, value, key, value and so on, in one transaction.
func put(t *testing.T, b storage.Backend, entries ...string) {
	t.Helper()
	if err := tryPut(t.Context(), b, entries...); err != nil {
		t.Fatalf("storing %d entries: %v", len(entries)/2, err)
	}
}

// tryPut is put for goroutines that must not end the test, and for stores that refuse.
func tryPut(ctx context.Context, b storage.Backend, entries ...string) error {
	return b.Update(ctx, func(tx storage.Tx) error {
		for pair := range slices.Chunk(entries, 2) {
			if err := tx.Put(ctx, pair[0], []byte(pair[1])); err != nil {
				return err
			}
		}
		return nil
	})
}

// putKeys stores each key with itself as value.
func putKeys(t *testing.T, b storage.Backend, keys ...string) {
	t.Helper()
	var entries []string
	for _, key := range keys {
		entries = append(entries, key, key)
	}
	put(t, b, entries...)
}

// want requires value under key.
func want(t *testing.T, r storage.Reader, key, value string) {
	t.Helper()
	got, err := r.Get(t.Context(), key)
	if err != nil || string(got) != value {
		t.Fatalf("Get(%q) = %q, %v; want %q", key, got, err, value)
	}
}

// wantNone requires that key holds nothing.
func wantNone(t *testing.T, r storage.Reader, key string) {
	t.Helper()
	if got, err := r.Get(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("Get(%q) = %q, %v; want ErrNotFound", key, got, err)
	}
}

// wantScan requires that a scan finds exactly keys, in this order, each with itself as value.
func wantScan(t *testing.T, r storage.Reader, prefix, after string, limit int, keys ...string) {
	t.Helper()
	entries, err := r.Scan(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatalf("Scan(%q, %q, %d): %v", prefix, after, limit, err)
	}
	var got []string
	for _, e := range entries {
		if e.Key != string(e.Value) {
			t.Fatalf("Scan(%q, %q, %d) has %q under %q", prefix, after, limit, e.Value, e.Key)
		}
		got = append(got, e.Key)
	}
	if diff := cmp.Diff(keys, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("Scan(%q, %q, %d) (-want +got):\n%s", prefix, after, limit, diff)
	}
}

// wantList requires that a listing finds exactly names, in this order.
func wantList(t *testing.T, r storage.Reader, prefix, after string, limit int, names ...string) {
	t.Helper()
	got, err := r.List(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatalf("List(%q, %q, %d): %v", prefix, after, limit, err)
	}
	if diff := cmp.Diff(names, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("List(%q, %q, %d) (-want +got):\n%s", prefix, after, limit, diff)
	}
}

// dump returns all that is stored.
func dump(ctx context.Context, r storage.Reader) (map[string]string, error) {
	entries, err := r.Scan(ctx, "", "", 0)
	all := make(map[string]string, len(entries))
	for _, e := range entries {
		all[e.Key] = string(e.Value)
	}
	return all, err
}
