package crypt_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

func newKey(t testing.TB, id crypt.KeyID) *crypt.Key {
	t.Helper()
	k, err := crypt.GenerateKey(id)
	check(t, err)
	return k
}

// What is sealed opens with the same key and binding, and with nothing else; no bit can be changed.
func TestKey_Seal(t *testing.T) {
	t.Parallel()
	k, other := newKey(t, 7), newKey(t, 7)
	for _, plain := range [][]byte{nil, []byte("a value"), bytes.Repeat([]byte("x"), 70_000)} {
		aad := crypt.AAD("value", "id")
		sealed, err := k.Seal(plain, aad)
		check(t, err)
		if len(sealed) != len(plain)+crypt.Overhead || len(plain) > 0 && bytes.Contains(sealed, plain) {
			t.Errorf("%d bytes became %d", len(plain), len(sealed))
		}
		got, err := k.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		if _, err := other.Open(sealed, aad); !errors.Is(err, crypt.ErrOpen) {
			t.Errorf("another key: %v", err)
		}
		if _, err := k.Open(sealed, crypt.AAD("value", "other")); !errors.Is(err, crypt.ErrOpen) {
			t.Errorf("another binding: %v", err)
		}
		for i := 0; i < len(sealed); i += max(1, len(sealed)/200) {
			for bit := range 8 {
				bad := bytes.Clone(sealed)
				bad[i] ^= 1 << bit
				if _, err := k.Open(bad, aad); err == nil {
					t.Fatalf("bit %d of byte %d changed, and it opened", bit, i)
				}
			}
		}
		for _, cut := range []int{0, 1, crypt.Overhead - 1} {
			if _, err := k.Open(sealed[:cut], aad); !errors.Is(err, crypt.ErrFormat) {
				t.Errorf("cut to %d bytes: %v", cut, err)
			}
		}
	}
}

// The same bytes never seal alike.
func TestKey_Nonces(t *testing.T) {
	t.Parallel()
	k := newKey(t, 1)
	seen := map[string]bool{}
	for range 1000 {
		sealed, err := k.Seal(nil, nil)
		check(t, err)
		if seen[string(sealed)] {
			t.Fatal("a nonce came twice")
		}
		seen[string(sealed)] = true
	}
}

func TestKey_Exhausted(t *testing.T) {
	t.Parallel()
	k := newKey(t, 1)
	k.AddUses(crypt.MaxUses - 1)
	if _, err := k.Seal(nil, nil); err != nil {
		t.Errorf("the last use: %v", err)
	}
	if _, err := k.Seal(nil, nil); !errors.Is(err, crypt.ErrExhausted) {
		t.Errorf("one more: %v", err)
	}
}

func TestKey_Wrap(t *testing.T) {
	t.Parallel()
	outer, inner := newKey(t, 1), newKey(t, 42)
	wrapped, err := outer.Wrap(inner, []byte("aad"))
	check(t, err)
	got, err := outer.Unwrap(wrapped, []byte("aad"))
	check(t, err)
	if got.ID() != 42 || got.MAC("x", nil) != inner.MAC("x", nil) {
		t.Error("another key came out")
	}
	if _, err := outer.Open(wrapped, []byte("aad")); err == nil {
		t.Error("a wrapped key opened as data")
	}
	data, err := outer.Seal(make([]byte, 36), []byte("aad"))
	check(t, err)
	if _, err := outer.Unwrap(data, []byte("aad")); err == nil {
		t.Error("data opened as a wrapped key")
	}
}

func TestKey_Derive(t *testing.T) {
	t.Parallel()
	k := newKey(t, 1)
	a, err := k.Derive("a")
	check(t, err)
	again, err := k.Derive("a")
	check(t, err)
	b, err := k.Derive("b")
	check(t, err)
	if a.MAC("x", nil) != again.MAC("x", nil) || a.MAC("x", nil) == b.MAC("x", nil) || k.MAC("x", nil) == k.MAC("y", nil) {
		t.Error("purposes do not tell keys apart")
	}
	s, err := k.SigningKey("s")
	check(t, err)
	if !crypt.Verify(s.Public(), []byte("m"), s.Sign([]byte("m"))) || crypt.Verify(s.Public(), []byte("n"), s.Sign([]byte("m"))) {
		t.Error("signatures do not hold")
	}
}

func TestRing(t *testing.T) {
	t.Parallel()
	r := crypt.NewRing()
	check(t, r.Add(newKey(t, 1)))
	check(t, r.SetActive(1))
	old, err := r.Seal([]byte("old"), nil)
	check(t, err)
	check(t, r.Add(newKey(t, 2)))
	check(t, r.SetActive(2))
	sealed, err := r.Seal([]byte("new"), nil)
	check(t, err)
	if id, err := crypt.EnvelopeKeyID(sealed); err != nil || id != 2 || !slices.Equal(r.IDs(), []crypt.KeyID{1, 2}) {
		t.Errorf("sealed with key %d of %v", id, r.IDs())
	}
	if got, err := r.Open(old, nil); err != nil || string(got) != "old" {
		t.Errorf("the old key: %v", err)
	}
	if err := r.Add(newKey(t, 2)); err == nil {
		t.Error("a generation was added twice")
	}
	if err := r.SetActive(9); !errors.Is(err, crypt.ErrUnknownKey) {
		t.Errorf("activating none: %v", err)
	}
	r.Remove(1)
	if _, err := r.Open(old, nil); !errors.Is(err, crypt.ErrUnknownKey) {
		t.Errorf("a key that was removed: %v", err)
	}
	r.Destroy()
	if _, err := r.Open(sealed, nil); err == nil {
		t.Error("it opens after Destroy")
	}
}

func TestKey_Concurrent(t *testing.T) {
	t.Parallel()
	k := newKey(t, 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				sealed, err := k.Seal([]byte("v"), nil)
				if err == nil {
					_, err = k.Open(sealed, nil)
				}
				if err != nil {
					t.Error(err)
				}
				k.MAC("x", nil)
			}
		})
	}
	wg.Wait()
	if k.Uses() != 1600 {
		t.Errorf("%d uses were counted; want 1600", k.Uses())
	}
}

// No two lists of parts encode alike.
func FuzzAAD(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if (a != c || b != d) && bytes.Equal(crypt.AAD(a, b), crypt.AAD(c, d)) {
			t.Fatalf("%q and %q encode alike", []string{a, b}, []string{c, d})
		}
		if bytes.Equal(crypt.AAD(a, b), crypt.AAD(a+b)) {
			t.Fatalf("%q encodes as one part", []string{a, b})
		}
	})
}

// Nothing but what was sealed opens, and nothing panics.
func FuzzOpen(f *testing.F) {
	k := newKey(f, 1)
	sealed, err := k.Seal([]byte("value"), []byte("aad"))
	check(f, err)
	f.Add(sealed, []byte("aad"))
	f.Fuzz(func(t *testing.T, envelope, aad []byte) {
		if _, err := k.Open(envelope, aad); err == nil && !(bytes.Equal(envelope, sealed) && string(aad) == "aad") {
			t.Fatal("what was never sealed opened")
		}
		if _, err := k.Unwrap(envelope, aad); err == nil {
			t.Fatal("what was never wrapped opened")
		}
	})
}
