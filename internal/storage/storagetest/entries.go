package storagetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

func testEntries(t *testing.T, b storage.Backend) {
	wantNone(t, b, "a")
	put(t, b, "a", "1", "b", "2")
	want(t, b, "a", "1")
	put(t, b, "a", "3")
	want(t, b, "a", "3")
	want(t, b, "b", "2")
	err := b.Update(t.Context(), func(tx storage.Tx) error {
		if err := tx.Delete(t.Context(), "never there"); err != nil {
			return err
		}
		return tx.Delete(t.Context(), "a")
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, b, "a")
	want(t, b, "b", "2")
	put(t, b, "a", "4")
	want(t, b, "a", "4")
}

// testEmptyValue: empty and nil are stored alike and come back as an empty slice, which is not the same as nothing.
func testEmptyValue(t *testing.T, b storage.Backend) {
	err := b.Update(t.Context(), func(tx storage.Tx) error {
		if err := tx.Put(t.Context(), "nil", nil); err != nil {
			return err
		}
		return tx.Put(t.Context(), "empty", []byte{})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"nil", "empty"} {
		if got, err := b.Get(t.Context(), key); err != nil || got == nil || len(got) != 0 {
			t.Errorf("Get(%q) = %#v, %v; want an empty slice", key, got, err)
		}
	}
	entries, err := b.Scan(t.Context(), "", "", 0)
	if err != nil || len(entries) != 2 || entries[0].Value == nil || entries[1].Value == nil {
		t.Errorf("Scan = %#v, %v; want two empty values", entries, err)
	}
}

func testInvalidKeys(t *testing.T, b storage.Backend) {
	for _, key := range []string{"", "a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80", strings.Repeat("long", 100) + "\xff"} {
		calls := map[string]func() error{
			"Get": func() error { _, err := b.Get(t.Context(), key); return err },
			"Put": func() error {
				return b.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), key, []byte("v")) })
			},
			"Delete": func() error {
				return b.Update(t.Context(), func(tx storage.Tx) error { return tx.Delete(t.Context(), key) })
			},
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, storage.ErrInvalidKey) {
				t.Errorf("%s(%q): %v, want ErrInvalidKey", name, key, err)
			}
		}
	}
	wantScan(t, b, "", "", 0)
}

// testLimits crosses the limits by one byte on both sides.
func testLimits(t *testing.T, b storage.Backend) {
	longest := strings.Repeat("k", storage.MaxKey)
	largest := bytes.Repeat([]byte("0123456789abcdef"), storage.MaxValue/16)
	for _, c := range []struct {
		name string
		key  string
		size int
		want error
	}{
		{"longest key", longest, 1, nil},
		{"key too long", longest + "k", 1, storage.ErrTooLarge},
		{"value below the limit", "below", storage.MaxValue - 1, nil},
		{"largest value", "largest", storage.MaxValue, nil},
		{"value too large", "too large", storage.MaxValue + 1, storage.ErrTooLarge},
	} {
		value := append(largest[:min(c.size, len(largest)):len(largest)], make([]byte, max(0, c.size-len(largest)))...)
		err := b.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), c.key, value) })
		if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Fatalf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want != nil {
			wantNone(t, b, c.key)
			continue
		}
		got, err := b.Get(t.Context(), c.key)
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%s: got %d bytes back, %v; want the %d that went in", c.name, len(got), err, len(value))
		}
	}
	wantNone(t, b, longest+"k")
}

func testValuesBelongToCaller(t *testing.T, b storage.Backend) {
	value := []byte("value")
	err := b.Update(t.Context(), func(tx storage.Tx) error {
		err := tx.Put(t.Context(), "k", value)
		clear(value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := b.Get(t.Context(), "k")
		if err != nil || string(got) != "value" {
			t.Fatalf("Get = %q, %v", got, err)
		}
		clear(got)
		entries, err := b.Scan(t.Context(), "", "", 0)
		if err != nil || len(entries) != 1 || string(entries[0].Value) != "value" {
			t.Fatalf("Scan = %q, %v", entries, err)
		}
		clear(entries[0].Value)
	}
	var kept []byte
	err = b.View(t.Context(), func(r storage.Reader) (err error) {
		kept, err = r.Get(t.Context(), "k")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, b, "k", "other")
	if string(kept) != "value" {
		t.Fatalf("a value that was read changed to %q", kept)
	}
}
