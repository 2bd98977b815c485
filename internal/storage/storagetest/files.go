package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Files is a backend that keeps its stores in files.
type Files struct {
	// Open opens the store that belongs to a folder.
	Open func(ctx context.Context, dir string) (storage.Backend, error)
	// Damage are patterns, below the folder, of files that a store cannot do without once it is closed. The first
	// matches what a file of another kind could be mistaken for.
	Damage []string
	// Exclusive says that a second Open has to wait for the first one's Close.
	Exclusive bool
}

// RunFiles tests what a bad medium does to a backend: damaged files, files of others, a medium that is read-only or
// full. Each must give the sentinel error, name the place on one line, and leave old data as it was. The calling test
// is as in RunDurable.
func RunFiles(t *testing.T, f Files) {
	if part, dir := role(); part != "" {
		mediumChild(t, f, part, dir)
		return
	}
	t.Run("Damaged", func(t *testing.T) { t.Parallel(); testDamaged(t, f) })
	t.Run("Foreign", func(t *testing.T) { t.Parallel(); testForeign(t, f) })
	t.Run("NoFolder", func(t *testing.T) { t.Parallel(); testNoFolder(t, f) })
	if f.Exclusive {
		t.Run("Locked", func(t *testing.T) { t.Parallel(); testLocked(t, f) })
	}
	runMedium(t, f)
}

// wantError requires a sentinel and one line that names the place.
func wantError(t *testing.T, err, want error, place string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want one that is %q", err, want)
		return
	}
	if text := err.Error(); strings.ContainsAny(text, "\r\n") || !strings.Contains(text, place) || len(text) > 500 {
		t.Errorf("error %q, want one line that names %q", text, place)
	}
}

// filled makes a store in dir, with entries enough for several pages, closes it and returns what it holds.
func filled(t *testing.T, f Files, dir string) map[string]string {
	t.Helper()
	b, err := f.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var entries []string
	for i := range 400 {
		key, value := fmt.Sprintf("entry/%03d", i), strings.Repeat(fmt.Sprintf("%03d", i), 300)
		all[key] = value
		entries = append(entries, key, value)
	}
	put(t, b, entries...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// damages are ways to spoil a file. A file may have room at its end, so that one which was cut may still hold all.
var damages = []struct {
	name    string
	mayHold bool
	spoil   func(data []byte) []byte
}{
	{"cut to half", true, func(data []byte) []byte { return data[:len(data)/2] }},
	{"cut to 10 bytes", false, func(data []byte) []byte { return data[:min(10, len(data))] }},
	{"cut by one", true, func(data []byte) []byte { return data[:len(data)-1] }},
	{"text", false, func(data []byte) []byte { return bytes.Repeat([]byte("KEY=value\n"), len(data)/10+1) }},
	{"noise", false, func(data []byte) []byte { return noise(len(data)) }},
	{"noise at the start", false, func(data []byte) []byte {
		return append(noise(min(16<<10, len(data))), data[min(16<<10, len(data)):]...)
	}},
	{"zeros at the start", false, func(data []byte) []byte {
		return append(make([]byte, min(16<<10, len(data))), data[min(16<<10, len(data)):]...)
	}},
}

func noise(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(data) // never fails
	return data
}

func testDamaged(t *testing.T, f Files) {
	source := t.TempDir()
	all := filled(t, f, source)
	for _, pattern := range f.Damage {
		for _, damage := range damages {
			t.Run(fmt.Sprintf("%s %s", pattern, damage.name), func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
					t.Fatal(err)
				}
				files, err := filepath.Glob(filepath.Join(dir, pattern))
				if err != nil || len(files) == 0 {
					t.Fatalf("no file is like %q: %v", pattern, err)
				}
				intact, err := os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				damaged := damage.spoil(bytes.Clone(intact))
				overwrite(t, files[0], damaged)
				if err := openAndRead(t, f, dir, all); err != nil || !damage.mayHold {
					wantError(t, err, storage.ErrCorrupt, dir)
				}
				if left, err := os.ReadFile(files[0]); err != nil || !bytes.Equal(left, damaged) {
					t.Errorf("the damaged file has changed: %v", err)
				}
				overwrite(t, files[0], intact)
				if err := openAndRead(t, f, dir, all); err != nil {
					t.Errorf("mended: %v", err)
				}
			})
		}
	}
}

func overwrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// openAndRead opens a store, reads all of it in every way and closes it. Whatever it reads without an error must be
// what was stored.
func openAndRead(t *testing.T, f Files, dir string, stored map[string]string) error {
	t.Helper()
	b, err := f.Open(t.Context(), dir)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // of a damaged store
	for key, value := range stored {
		got, err := b.Get(t.Context(), key)
		if err != nil {
			return err
		}
		if string(got) != value {
			t.Fatalf("%q is %q", key, got)
		}
	}
	if _, err := b.List(t.Context(), "", "", 0); err != nil {
		return err
	}
	all, err := dump(t.Context(), b)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(stored, all); diff != "" {
		t.Fatalf("stored and read (-want +got):\n%s", diff)
	}
	return nil
}

// testForeign puts files of other kinds where the store should be.
func testForeign(t *testing.T, f Files) {
	source := t.TempDir()
	filled(t, f, source)
	files, err := filepath.Glob(filepath.Join(source, f.Damage[0]))
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is like %q: %v", f.Damage[0], err)
	}
	name, err := filepath.Rel(source, files[0])
	if err != nil {
		t.Fatal(err)
	}
	for kind, data := range map[string][]byte{
		"text":     []byte("# my notes\n"),
		"one byte": {0},
		"zip":      append([]byte("PK\x03\x04"), noise(5000)...),
		"zeros":    make([]byte, 1<<20),
	} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, data)
			b, err := f.Open(t.Context(), dir)
			if err == nil {
				t.Fatal(errors.Join(errors.New("opened"), b.Close()))
			}
			wantError(t, err, storage.ErrCorrupt, dir)
			if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, data) {
				t.Errorf("the file has changed: %v", err)
			}
		})
	}
}

// testNoFolder opens a store below a file.
func testNoFolder(t *testing.T, f Files) {
	file := filepath.Join(t.TempDir(), "file")
	overwrite(t, file, nil)
	b, err := f.Open(t.Context(), file)
	if err == nil {
		t.Fatal(errors.Join(errors.New("opened"), b.Close()))
	}
	wantError(t, err, storage.ErrUnavailable, file)
}

func testLocked(t *testing.T, f Files) {
	dir := t.TempDir()
	all := filled(t, f, dir)
	first, err := f.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if second, err := f.Open(ctx, dir); err == nil {
		t.Error(errors.Join(errors.New("opened twice"), second.Close()))
	} else {
		wantError(t, err, storage.ErrLocked, dir)
	}
	waiting := make(chan error)
	go func() {
		second, err := f.Open(t.Context(), dir)
		if err == nil {
			err = second.Close()
		}
		waiting <- err
	}()
	if got, err := dump(t.Context(), first); err != nil || !maps.Equal(got, all) {
		t.Errorf("the first could not go on reading: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; err != nil {
		t.Errorf("opening once the first was closed: %v", err)
	}
}
