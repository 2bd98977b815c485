package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/bolt"
)

// A page begins with its number (8 bytes), its kind (2), how many entries it has (2) and how many more pages it spans (4). The
// first two pages hold, behind that, a meta record each; the one of the later transaction is in force. See the "common" package of bbolt.
const (
	pageHeader = 16
	kindAt     = 8
	countAt    = 10

	metaPageSize = pageHeader + 8
	metaFreelist = pageHeader + 32
	metaTxID     = pageHeader + 48
	metaSum      = pageHeader + 56
)

// layout is where things are in a file of bbolt.
type layout struct {
	page, freelist int // bytes
}

// find reads the layout, and checks that it is one, so that a test does not spoil something else.
func find(t *testing.T, data []byte) layout {
	t.Helper()
	size := int(binary.NativeEndian.Uint32(data[metaPageSize:]))
	if size < 1024 || len(data) < 4*size {
		t.Fatalf("a page has %d bytes, the file %d", size, len(data))
	}
	meta := data[:size]
	if second := data[size : 2*size]; binary.NativeEndian.Uint64(second[metaTxID:]) > binary.NativeEndian.Uint64(meta[metaTxID:]) {
		meta = second
	}
	sum := fnv.New64a()
	_, _ = sum.Write(meta[pageHeader:metaSum]) // never fails
	if sum.Sum64() != binary.NativeEndian.Uint64(meta[metaSum:]) {
		t.Fatal("the meta page is not where it is looked for")
	}
	l := layout{page: size, freelist: size * int(binary.NativeEndian.Uint64(meta[metaFreelist:]))}
	if kind := binary.NativeEndian.Uint16(data[l.freelist+kindAt:]); kind != 0x10 {
		t.Fatalf("the free list's page is of kind %#x", kind)
	}
	return l
}

// spoiled are ways to damage a file behind its meta pages, which stay valid: bbolt goes on reading and panics.
var spoiled = []struct {
	name  string
	spoil func(data []byte, l layout) []byte
}{
	{"noise behind the start", func(data []byte, l layout) []byte {
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(data[2*l.page:]) // never fails
		return data
	}},
	{"zeros behind the start", func(data []byte, l layout) []byte {
		clear(data[2*l.page:])
		return data
	}},
	{"cut behind the start", func(data []byte, l layout) []byte { return data[:2*l.page] }},
	{"cut within a page", func(data []byte, l layout) []byte { return data[:2*l.page+l.page/2] }},
	{"another page for the free list", func(data []byte, l layout) []byte {
		copy(data[l.freelist:l.freelist+l.page], data[:l.page])
		return data
	}},
	{"free list without end", func(data []byte, l layout) []byte {
		binary.NativeEndian.PutUint16(data[l.freelist+countAt:], 0xffff)
		binary.NativeEndian.PutUint64(data[l.freelist+pageHeader:], 1<<62)
		return data
	}},
	{"free list of another kind", func(data []byte, l layout) []byte {
		binary.NativeEndian.PutUint16(data[l.freelist+kindAt:], 0x02)
		return data
	}},
}

// TestOpen_Damaged opens damaged files twice: the second time it gives the same error, and does not wait for a lock that the
// first has left. A good file in the same place, or under the same name, opens then.
func TestOpen_Damaged(t *testing.T) {
	t.Parallel()
	good := goodFile(t)
	for _, c := range spoiled {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "vault.bolt")
			damaged := c.spoil(bytes.Clone(good), find(t, good))
			write(t, path, damaged)
			first, second := failure(t, path), failure(t, path)
			if first != second {
				t.Errorf("the first time %q, the second %q", first, second)
			}
			if !strings.Contains(first, path) || strings.ContainsAny(first, "\r\n") || len(first) > 500 {
				t.Errorf("error %q, want one line that names the file", first)
			}
			if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, damaged) {
				t.Errorf("the damaged file has changed: %v", err)
			}
			write(t, path, good) // into the same file, on which the lock would be
			reads(t, path)
			write(t, path+".new", good)
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
			reads(t, path)
		})
	}
}

// goodFile is a store with entries and with a free list that is not empty.
func goodFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.bolt")
	s, err := bolt.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if err := s.Update(t.Context(), func(tx storage.Tx) error {
			for i := range 50 {
				if err := tx.Put(t.Context(), fmt.Sprintf("key/%02d", i), bytes.Repeat([]byte{byte('a' + round)}, 900)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// failure opens a damaged file and returns what is said of it. If Open lets it pass, reading must not.
func failure(t *testing.T, path string) string {
	t.Helper()
	s, err := bolt.Open(t.Context(), path)
	if err == nil {
		_, err = s.Scan(t.Context(), "", "", 0)
		if closing := s.Close(); closing != nil {
			t.Errorf("closing: %v", closing)
		}
	}
	if !errors.Is(err, storage.ErrCorrupt) {
		t.Fatalf("error %v, want ErrCorrupt", err)
	}
	return err.Error()
}

// reads requires that the file can be opened at once, for writing too.
func reads(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // does not wait for a lock
	s, err := bolt.Open(ctx, path)
	if err != nil {
		t.Fatalf("a good file does not open: %v", err)
	}
	entries, err := s.Scan(t.Context(), "", "", 0)
	if err != nil || len(entries) != 50 {
		t.Errorf("read %d entries: %v", len(entries), err)
	}
	err = s.Update(t.Context(), func(tx storage.Tx) error { return tx.Delete(t.Context(), "key/none") })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}
