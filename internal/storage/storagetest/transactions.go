package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

func testReadsItsWrites(t *testing.T, b storage.Backend) {
	ctx := t.Context()
	putKeys(t, b, "a", "b", "d/1", "d/2")
	err := b.Update(ctx, func(tx storage.Tx) error {
		for _, do := range []error{
			tx.Put(ctx, "a", []byte("new")), tx.Delete(ctx, "b"), tx.Put(ctx, "c", []byte("c")),
			tx.Delete(ctx, "d/1"), tx.Put(ctx, "d/1", []byte("d/1")), tx.Delete(ctx, "d/2"), tx.Put(ctx, "d/3/x", []byte("d/3/x")),
		} {
			if do != nil {
				return do
			}
		}
		want(t, tx, "a", "new")
		wantNone(t, tx, "b")
		wantScan(t, tx, "", "a", 0, "c", "d/1", "d/3/x")
		wantScan(t, tx, "d/", "d/1", 1, "d/3/x")
		wantList(t, tx, "", "", 0, "a", "c", "d/")
		wantList(t, tx, "d/", "", 0, "1", "3/")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, b, "a", "new")
	wantNone(t, b, "b")
	wantScan(t, b, "", "a", 0, "c", "d/1", "d/3/x")
}

func testRollbackOnError(t *testing.T, b storage.Backend) {
	putKeys(t, b, "a", "b")
	mine := errors.New("mine")
	for _, wrap := range []error{mine, fmt.Errorf("wrapped: %w", mine)} {
		err := b.Update(t.Context(), func(tx storage.Tx) error {
			spoil(t, tx)
			return wrap
		})
		if !errors.Is(err, mine) {
			t.Fatalf("Update = %v, want what the function returned", err)
		}
		wantScan(t, b, "", "", 0, "a", "b")
	}
	if err := b.View(t.Context(), func(storage.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Fatalf("View = %v, want what the function returned", err)
	}
}

func testRollbackOnPanic(t *testing.T, b storage.Backend) {
	putKeys(t, b, "a", "b")
	for _, call := range []func(){
		func() {
			_ = b.Update(t.Context(), func(tx storage.Tx) error { spoil(t, tx); panic("mine") })
		},
		func() {
			_ = b.View(t.Context(), func(storage.Reader) error { panic("mine") })
		},
	} {
		if got := panicOf(call); got != "mine" {
			t.Fatalf("panic value %v, want the function's own", got)
		}
		wantScan(t, b, "", "", 0, "a", "b")
	}
	putKeys(t, b, "c") // nothing stays locked
	wantScan(t, b, "", "", 0, "a", "b", "c")
}

// spoil changes what must come back.
func spoil(t *testing.T, tx storage.Tx) {
	t.Helper()
	ctx := t.Context()
	if err := errors.Join(tx.Put(ctx, "a", []byte("x")), tx.Delete(ctx, "b"), tx.Put(ctx, "c", []byte("c"))); err != nil {
		t.Fatal(err)
	}
}

func panicOf(call func()) (value any) {
	defer func() { value = recover() }()
	call()
	return nil
}

// testConcurrentWriters counts up from many goroutines; a lost update would leave the count short.
func testConcurrentWriters(t *testing.T, b storage.Backend) {
	const writers = 8
	rounds := soak(10, 100)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				if err := increment(t, b); err != nil {
					t.Errorf("incrementing: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	want(t, b, "counter", strconv.Itoa(writers*rounds))
}

func increment(t *testing.T, b storage.Backend) error {
	return b.Update(t.Context(), func(tx storage.Tx) error {
		n := 0
		value, err := tx.Get(t.Context(), "counter")
		if err == nil {
			n, err = strconv.Atoi(string(value))
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return tx.Put(t.Context(), "counter", []byte(strconv.Itoa(n+1)))
	})
}

// testViewsAreConsistent reads three entries again and again while a writer changes all of them together.
func testViewsAreConsistent(t *testing.T, b storage.Backend) {
	put(t, b, "x", "0", "y", "0", "z", "0")
	rounds := soak(30, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rounds {
			n := strconv.Itoa(i)
			if err := tryPut(t.Context(), b, "x", n, "y", n, "z", n); err != nil {
				t.Errorf("writing: %v", err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		viewThrice(t, b)
	}
}

func viewThrice(t *testing.T, b storage.Backend) {
	t.Helper()
	err := b.View(t.Context(), func(r storage.Reader) error {
		first, err := r.Get(t.Context(), "z")
		if err != nil {
			return err
		}
		for range 2 {
			entries, err := r.Scan(t.Context(), "", "", 0)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if string(e.Value) != string(first) {
					t.Errorf("%q is %q and z is %q within one view", e.Key, e.Value, first)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("viewing: %v", err)
	}
}
