package barrier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/storage/storagetest"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB) *crypt.Key {
	t.Helper()
	k, err := crypt.GenerateKey(1)
	check(t, err)
	return k
}

// open makes a barrier over a store.
func open(t testing.TB, store storage.Backend) (*barrier.Barrier, *crypt.Key) {
	t.Helper()
	root := newKey(t)
	check(t, barrier.Initialize(t.Context(), store, root, nil))
	b := barrier.New(store)
	check(t, b.Unseal(t.Context(), root))
	return b, root
}

func put(t testing.TB, b storage.Backend, name, value string) {
	t.Helper()
	check(t, b.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), name, []byte(value)) }))
}

func wantValue(t testing.TB, b storage.Backend, name, want string) {
	t.Helper()
	got, err := b.Get(t.Context(), name)
	if err != nil || string(got) != want {
		t.Fatalf("%s: %d bytes, %v", name, len(got), err)
	}
}

// A barrier is a store like any other, but that names and values may be less long: see TestBarrier_Limits.
func TestBarrier_IsAStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Backend {
		b, _ := open(t, memory.New())
		return b
	}, "Limits")
}

func TestBarrier_Limits(t *testing.T) {
	t.Parallel()
	b, _ := open(t, memory.New())
	put(t, b, strings.Repeat("k", barrier.MaxSegment), "v")
	put(t, b, "k", strings.Repeat("v", barrier.MaxValue))
	for name, size := range map[string]int{strings.Repeat("k", storage.MaxKey): 1, "big": barrier.MaxValue + 1} {
		err := b.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), name, make([]byte, size)) })
		if !errors.Is(err, storage.ErrTooLarge) {
			t.Errorf("%d bytes under a name of %d: %v", size, len(name), err)
		}
	}
}

// Nothing below the barrier is readable, neither values nor names.
func TestBarrier_NothingPlain(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, _ := open(t, store)
	put(t, b, "customers/acme-corporation/password", "hunter2-hunter2")
	put(t, b, "sys/config", "settings-settings")
	all, err := store.Scan(t.Context(), "", "", 0)
	check(t, err)
	for _, e := range all {
		for _, plain := range []string{"acme", "customers", "password", "hunter2", "settings"} {
			if strings.Contains(e.Key, plain) || bytes.Contains(e.Value, []byte(plain)) {
				t.Errorf("%q can be read below the barrier", plain)
			}
		}
	}
	names, err := b.List(t.Context(), "", "", 0)
	check(t, err)
	if want := []string{"customers/", "sys/"}; !slices.Equal(names, want) {
		t.Errorf("listed %q; want %q", names, want)
	}
}

// Ciphertext under another name, and a name under another path, do not open.
func TestBarrier_Bound(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, _ := open(t, store)
	put(t, b, "a/x", "one")
	put(t, b, "b/y", "two")
	all, err := store.Scan(t.Context(), "x/", "", 0)
	check(t, err)
	if len(all) != 2 {
		t.Fatalf("%d entries", len(all))
	}
	check(t, store.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), all[0].Key, all[1].Value) }))
	for _, name := range []string{"a/x", "b/y"} {
		if v, err := b.Get(t.Context(), name); err != nil && !errors.Is(err, crypt.ErrOpen) || err == nil && len(v) != 3 {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, errA := b.Get(t.Context(), "a/x")
	_, errB := b.Get(t.Context(), "b/y")
	if errA == nil && errB == nil {
		t.Error("a value that was moved to another name opened")
	}
}

func TestBarrier_Sealed(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, root := open(t, store)
	put(t, b, "k", "v")
	if err := barrier.Initialize(t.Context(), store, root, nil); !errors.Is(err, barrier.ErrInitialized) {
		t.Errorf("initialising again: %v", err)
	}
	b.Seal()
	if _, err := b.Get(t.Context(), "k"); !errors.Is(err, barrier.ErrSealed) {
		t.Errorf("reading while sealed: %v", err)
	}
	if err := b.Unseal(t.Context(), newKey(t)); !errors.Is(err, barrier.ErrWrongKey) {
		t.Errorf("a wrong root key: %v", err)
	}
	check(t, b.Unseal(t.Context(), root))
	wantValue(t, b, "k", "v")
	if err := barrier.New(memory.New()).Unseal(t.Context(), root); !errors.Is(err, barrier.ErrNotInitialized) {
		t.Errorf("an empty store: %v", err)
	}
}

// Rotation: old and new entries are read, everything moves to the new key, the old key goes; another process notices.
func TestBarrier_Rotate(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, root := open(t, store)
	other := barrier.New(store)
	check(t, other.Unseal(t.Context(), root))
	for i := range 250 {
		put(t, b, fmt.Sprintf("e/%d", i), fmt.Sprint(i))
	}
	wrapped, err := b.WrapKey(t.Context(), newKey(t), []byte("aad"))
	check(t, err)
	derived, err := b.DeriveKey("purpose")
	check(t, err)
	id, err := b.Rotate(t.Context())
	check(t, err)
	put(t, b, "e/new", "new")
	wantValue(t, other, "e/new", "new")
	wantValue(t, b, "e/7", "7")
	if _, err := b.UnwrapKey(t.Context(), wrapped, []byte("aad")); err != nil {
		t.Errorf("a key wrapped before: %v", err)
	}
	done := 0
	check(t, b.Reencrypt(t.Context(), func(n, total int) { done = n - total }))
	check(t, b.Prune(t.Context()))
	generations, err := b.Keyring(t.Context())
	check(t, err)
	if done != 0 || len(generations) != 1 || generations[0].ID != id || !generations[0].Active {
		t.Errorf("left are %+v", generations)
	}
	wantValue(t, b, "e/249", "249")
	again, err := b.DeriveKey("purpose")
	check(t, err)
	if derived.MAC("x", nil) != again.MAC("x", nil) {
		t.Error("a derived key changed with the rotation")
	}
}

func TestBarrier_Rekey(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, old := open(t, store)
	put(t, b, "k", "v")
	next := newKey(t)
	stop := errors.New("stop")
	if err := b.Rekey(t.Context(), next, func(storage.Tx) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an extra that fails: %v", err)
	}
	check(t, barrier.New(store).Unseal(t.Context(), old))
	check(t, b.Rekey(t.Context(), next, nil))
	put(t, b, "k2", "v2")
	if err := barrier.New(store).Unseal(t.Context(), old); !errors.Is(err, barrier.ErrWrongKey) {
		t.Errorf("the old root key: %v", err)
	}
	fresh := barrier.New(store)
	check(t, fresh.Unseal(t.Context(), next))
	wantValue(t, fresh, "k2", "v2")
}

// failing is a store whose n-th transaction from now on fails before it is committed, as all do after.
type failing struct {
	storage.Backend
	left int
}

var errDied = errors.New("died")

func (f *failing) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if f.left--; f.left < 0 {
		return errDied
	}
	return f.Backend.Update(ctx, fn)
}

// Rotation, rekeying and sealing anew that stop at any transaction leave a barrier that opens with all its entries.
func TestBarrier_StoppedAnywhere(t *testing.T) {
	t.Parallel()
	for n := range 20 {
		store := memory.New()
		f := &failing{Backend: store, left: 1 << 30}
		b, root := open(t, f)
		for i := range 150 {
			put(t, b, fmt.Sprint("e/", i), "v")
		}
		next := newKey(t)
		f.left = n
		err := func() error {
			if _, err := b.Rotate(t.Context()); err != nil {
				return err
			}
			if err := b.Reencrypt(t.Context(), nil); err != nil {
				return err
			}
			if err := b.Prune(t.Context()); err != nil {
				return err
			}
			return b.Rekey(t.Context(), next, nil)
		}()
		if err != nil && !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		after := barrier.New(store)
		if after.Unseal(t.Context(), root) != nil {
			check(t, after.Unseal(t.Context(), next))
		}
		all, err2 := after.Scan(t.Context(), "e/", "", 0)
		check(t, err2)
		if len(all) != 150 {
			t.Fatalf("stopped at %d: %d entries", n, len(all))
		}
		if err == nil {
			return
		}
	}
	t.Fatal("it was never done")
}

// The count of uses in the store is never below what was sealed.
func TestBarrier_UsesAreCounted(t *testing.T) {
	t.Parallel()
	store := memory.New()
	b, root := open(t, store)
	sealed := 0
	for range 3 {
		for i := range 40 {
			put(t, b, fmt.Sprint("e/", i), "v")
			sealed++
		}
		generations, err := b.Keyring(t.Context())
		check(t, err)
		if generations[0].Uses < uint64(sealed) || generations[0].Uses > uint64(4*sealed+64) {
			t.Errorf("%d sealed, %d counted", sealed, generations[0].Uses)
		}
		b = barrier.New(store) // as another process: what was left of the block is lost, not used again
		check(t, b.Unseal(t.Context(), root))
	}
}
