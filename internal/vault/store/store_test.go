package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/vault/store"
)

// counting counts commits and reads of a backend, and can hold a commit up.
type counting struct {
	storage.Backend
	commits, gets atomic.Int64
	hold          chan struct{} // if not nil, a commit waits for it
	entered       chan struct{}
	fail          error
}

func (c *counting) Get(ctx context.Context, key string) ([]byte, error) {
	c.gets.Add(1)
	return c.Backend.Get(ctx, key)
}

func (c *counting) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if c.hold != nil {
		c.entered <- struct{}{}
		<-c.hold
	}
	if c.fail != nil {
		_ = c.Backend.Update(ctx, func(tx storage.Tx) error { return errors.Join(fn(tx), errors.New("rolled back")) })
		return c.fail
	}
	c.commits.Add(1)
	return c.Backend.Update(ctx, fn)
}

func put(name, value string) func(storage.Tx) error {
	return func(tx storage.Tx) error { return tx.Put(context.Background(), name, []byte(value)) }
}

func decodeString(raw []byte) (any, error) { s := string(raw); return &s, nil }

// TestDecoded requires that an entry is read and decoded once, and anew after it has changed.
func TestDecoded(t *testing.T) {
	t.Parallel()
	b := &counting{Backend: memory.New()}
	s := store.New(b, store.Options{}).At("mount/")
	if err := s.Update(t.Context(), put("a", "1")); err != nil {
		t.Fatal(err)
	}
	first, err := s.Decoded(t.Context(), "a", decodeString)
	if err != nil || *first.(*string) != "1" {
		t.Fatal(first, err)
	}
	again, err := s.Decoded(t.Context(), "a", decodeString)
	if err != nil || again != first {
		t.Errorf("decoded twice: %p and %p, %v", first, again, err)
	}
	if err := s.Update(t.Context(), put("a", "2")); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Decoded(t.Context(), "a", decodeString); err != nil || *v.(*string) != "2" {
		t.Errorf("after a change: %v, %v", v, err)
	}
	if b.gets.Load() != 0 {
		t.Errorf("%d reads of what this store wrote itself", b.gets.Load())
	}
	for range 2 {
		if _, err := s.Decoded(t.Context(), "none", decodeString); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("an entry that is not there: %v", err)
		}
	}
	if b.gets.Load() != 1 {
		t.Errorf("%d reads of an entry that is not there, want 1", b.gets.Load())
	}
}

// TestUpdate_Group requires that transactions that wait together share a commit, see each other in turn, and fail alone.
func TestUpdate_Group(t *testing.T) {
	t.Parallel()
	b := &counting{Backend: memory.New(), hold: make(chan struct{}), entered: make(chan struct{})}
	s := store.New(b, store.Options{}).At("m/")
	first := make(chan error, 1)
	go func() { first <- s.Update(t.Context(), put("n", "0")) }()
	<-b.entered // one commit is under way; what comes now shares the next
	const n = 50
	results := make(chan error, 2*n)
	ready := make(chan struct{}, 2*n)
	for i := range 2 * n {
		go func() {
			ready <- struct{}{}
			results <- s.Update(t.Context(), func(tx storage.Tx) error {
				raw, err := tx.Get(t.Context(), "n")
				if err != nil {
					return err
				}
				count, err := strconv.Atoi(string(raw))
				if err != nil {
					return err
				}
				if err := tx.Put(t.Context(), "n", []byte(strconv.Itoa(count+1))); err != nil {
					return err
				}
				if i%2 == 1 {
					return errOdd
				}
				return tx.Put(t.Context(), fmt.Sprintf("list/%03d", i), nil)
			})
		}()
	}
	for range 2 * n {
		<-ready
	}
	close(b.hold)
	go func() {
		for range b.entered { // lets every later commit in
		}
	}()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	odd := 0
	for range 2 * n {
		if err := <-results; errors.Is(err, errOdd) {
			odd++
		} else if err != nil {
			t.Error(err)
		}
	}
	if raw, err := s.Get(t.Context(), "n"); err != nil || string(raw) != strconv.Itoa(n) || odd != n {
		t.Errorf("n = %q, %v, with %d of %d refused", raw, err, odd, n)
	}
	if names, err := s.List(t.Context(), "list/", "", 0); err != nil || len(names) != n {
		t.Errorf("%d names, %v", len(names), err)
	}
	if c := b.commits.Load(); c >= n {
		t.Errorf("%d commits for %d transactions", c, 2*n+1)
	}
}

var errOdd = errors.New("odd")

// TestUpdate_Failed requires that a failed commit fails everybody in it and leaves nothing in memory.
func TestUpdate_Failed(t *testing.T) {
	t.Parallel()
	b := &counting{Backend: memory.New()}
	s := store.New(b, store.Options{}).At("")
	if err := s.Update(t.Context(), put("a", "old")); err != nil {
		t.Fatal(err)
	}
	b.fail = storage.ErrFull
	if err := s.Update(t.Context(), put("a", "new")); !errors.Is(err, storage.ErrFull) {
		t.Errorf("Update = %v", err)
	}
	if raw, err := s.Get(t.Context(), "a"); err != nil || string(raw) != "old" {
		t.Errorf("after a failed commit: %q, %v", raw, err)
	}
}

// TestUpdate_NoBackend requires that a transaction fails that the backend has not even begun.
func TestUpdate_NoBackend(t *testing.T) {
	t.Parallel()
	b := memory.New()
	s := store.New(b, store.Options{}).At("")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	called := false
	err := s.Update(t.Context(), func(tx storage.Tx) error { called = true; return tx.Put(t.Context(), "a", nil) })
	if !errors.Is(err, storage.ErrClosed) || called {
		t.Errorf("Update = %v (called: %v)", err, called)
	}
}

// TestUpdate_Panic requires that a transaction that panics fails alone.
func TestUpdate_Panic(t *testing.T) {
	t.Parallel()
	s := store.New(memory.New(), store.Options{}).At("")
	if err := s.Update(t.Context(), func(storage.Tx) error { panic("boom") }); err == nil {
		t.Error("no error")
	}
	if err := s.Update(t.Context(), put("a", "1")); err != nil {
		t.Error(err)
	}
}

// TestUpdate_Refused requires that what no backend would store fails alone and stores nothing.
func TestUpdate_Refused(t *testing.T) {
	t.Parallel()
	s := store.New(memory.New(), store.Options{}).At("")
	for name, want := range map[string]error{
		"":                                       storage.ErrInvalidKey,
		"a\x00b":                                 storage.ErrInvalidKey,
		string(bytes.Repeat([]byte("a"), 900)):   storage.ErrTooLarge,
		string(bytes.Repeat([]byte("a/b"), 200)): storage.ErrTooLarge,
	} {
		if err := s.Update(t.Context(), put(name, "x")); !errors.Is(err, want) {
			t.Errorf("a name of %d bytes: %v, want %v", len(name), err, want)
		}
	}
}

// TestOverlay requires that lists and scans within a transaction show what it has written itself.
func TestOverlay(t *testing.T) {
	t.Parallel()
	s := store.New(memory.New(), store.Options{}).At("p/")
	if err := s.Update(t.Context(), func(tx storage.Tx) error {
		return errors.Join(tx.Put(t.Context(), "a", nil), tx.Put(t.Context(), "d/x", nil), tx.Put(t.Context(), "e/y", nil))
	}); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx storage.Tx) error {
		if err := errors.Join(tx.Put(t.Context(), "b", nil), tx.Delete(t.Context(), "e/y"), tx.Put(t.Context(), "d/z", nil)); err != nil {
			return err
		}
		names, err := tx.List(t.Context(), "", "", 0)
		if want := []string{"a", "b", "d/"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("List = %q, %v, want %q", names, err, want)
		}
		names, err = tx.List(t.Context(), "", "a", 1)
		if want := []string{"b"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("List after a = %q, %v, want %q", names, err, want)
		}
		entries, err := tx.Scan(t.Context(), "d/", "d/x", 0)
		if err != nil || len(entries) != 1 || entries[0].Key != "d/z" {
			t.Errorf("Scan = %v, %v", entries, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRefresh requires that of two stores on one backend each sees after Refresh what the other has acknowledged.
func TestRefresh(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	a := store.New(backend, store.Options{Shared: true})
	b := store.New(backend, store.Options{Shared: true})
	for i := range 20 {
		want := strconv.Itoa(i)
		if err := a.At("m/").Update(t.Context(), put("k", want)); err != nil {
			t.Fatal(err)
		}
		if i == 7 {
			b.Drop()
		}
		if err := b.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := b.At("m/").Decoded(t.Context(), "k", decodeString); err != nil || *v.(*string) != want {
			t.Fatalf("round %d: %v, %v", i, v, err)
		}
		a, b = b, a
	}
}

// TestRefresh_Old requires that a store that has missed more changes than are written down forgets everything.
func TestRefresh_Old(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	a := store.New(backend, store.Options{Shared: true})
	b := store.New(backend, store.Options{Shared: true})
	read := func() string {
		t.Helper()
		if err := b.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		raw, err := b.At("").Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if err := a.At("").Update(t.Context(), put("k", "first")); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != "first" {
		t.Fatal(got)
	}
	if err := a.At("").Update(t.Context(), put("k", "second")); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := a.At("").Update(t.Context(), put("other", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(); got != "second" {
		t.Errorf("read %q after 5000 commits", got)
	}
	names, err := backend.List(t.Context(), "sys/vault/changes/", "", 0)
	if err != nil || len(names) > 4096 {
		t.Errorf("%d changes are kept, %v", len(names), err)
	}
}

// TestReadersAndWriters requires of many goroutines that nobody reads a value older than one he has read before.
func TestReadersAndWriters(t *testing.T) {
	t.Parallel()
	s := store.New(memory.New(), store.Options{CacheBytes: 64 * 600}).At("m/")
	const writes, readers = 300, 8
	var wait sync.WaitGroup
	for k := range 4 {
		name := "k" + strconv.Itoa(k)
		if err := s.Update(t.Context(), put(name, "0")); err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			for i := range writes {
				if err := s.Update(t.Context(), put(name, strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
			}
		})
		for range readers {
			wait.Go(func() {
				last := 0
				for range writes {
					v, err := s.Decoded(t.Context(), name, decodeString)
					if err != nil {
						t.Error(err)
						return
					}
					n, err := strconv.Atoi(*v.(*string))
					if err != nil || n < last {
						t.Errorf("read %d after %d, %v", n, last, err)
						return
					}
					last = n
				}
			})
		}
	}
	wait.Wait()
}
