package scan_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

const value = "correct-horse-battery-7"

func ownScanner(t testing.TB) *scan.Scanner {
	t.Helper()
	return scannerOf(t, newFinder(t, newPrinter(t), map[string]string{"A": value}))
}

// lay writes files below a new folder.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	put(t, dir, files)
	return dir
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

func TestDir(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	dir := lay(t, map[string]string{
		"a.txt": "x\ny " + value + "\n", "b/c.txt": value, "b/deep/er/d.txt": value, ".env": "A=" + value, "ignored/.gitignore": "*", "ignored/e.txt": value,
		".git/config": value, "node_modules/x.js": value, "b/.venv/y.py": value, "clean.txt": "nothing", "vendor/z.go": value,
		"huge.bin": value + strings.Repeat("x", scan.PieceSize), "full.bin": strings.Repeat(" ", scan.PieceSize-len(value)) + value,
	})
	outside := lay(t, map[string]string{"o.txt": value})
	if runtime.GOOS != "windows" {
		check(t, os.Symlink(outside, filepath.Join(dir, "link")))
		check(t, os.Symlink(filepath.Join(outside, "o.txt"), filepath.Join(dir, "link.txt")))
	}
	want := ".env:zvault-value:1\na.txt:zvault-value:2\nb/c.txt:zvault-value:1\nb/deep/er/d.txt:zvault-value:1\nfull.bin:zvault-value:1\nhuge.bin:zvault-value:1\nignored/e.txt:zvault-value:1\nvendor/z.go:zvault-value:1\n"
	for range 3 {
		found, err := s.Dir(t.Context(), dir)
		check(t, err)
		if got := places(found); got != want {
			t.Fatalf("found\n%s; want\n%s", got, want)
		}
	}
	found, err := s.Dir(t.Context(), filepath.Join(dir, "b", "c.txt"))
	check(t, err)
	if got := places(found); got != "c.txt:zvault-value:1\n" {
		t.Errorf("one file: %s", got)
	}
	if runtime.GOOS != "windows" {
		found, err = s.Dir(t.Context(), filepath.Join(dir, "link"))
		check(t, err)
		if got := places(found); got != "o.txt:zvault-value:1\n" {
			t.Errorf("a link that is named: %s", got)
		}
	}
}

func TestDir_Ignored(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{
		"a.txt": value + "\n" + value, "b.txt": value, "c.txt": value,
		".zvaultignore": "# known\n\na.txt:zvault-value:2 # an example\n", ".gitleaksignore": "b.txt:zvault-value:1\r\nc.txt:zvault-value:9\n",
	})
	found, err := ownScanner(t).Dir(t.Context(), dir)
	check(t, err)
	if got := places(found); got != "a.txt:zvault-value:1\nc.txt:zvault-value:1\n" {
		t.Errorf("found\n%s", got)
	}
	check(t, os.Remove(filepath.Join(dir, ".zvaultignore")))
	check(t, os.Mkdir(filepath.Join(dir, ".zvaultignore"), 0o700))
	if _, err := ownScanner(t).Dir(t.Context(), dir); err == nil {
		t.Error("an ignore file that cannot be read was passed over")
	}
}

// What cannot be read is named, and the rest is scanned all the same; what has gone meanwhile is no error.
func TestDir_Errors(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	if _, err := s.Dir(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	dir := lay(t, map[string]string{"a.txt": value, "folder/x": ""})
	found, err := s.Files(t.Context(), dir, filepath.Join(dir, "folder"), filepath.Join(dir, "gone"), filepath.Join(dir, "a.txt"))
	if err == nil || !strings.Contains(err.Error(), "folder") || strings.Contains(err.Error(), "gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if got := places(found); got != "a.txt:zvault-value:1\n" {
		t.Errorf("found %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Dir(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := s.Files(ctx, dir, filepath.Join(dir, "a.txt")); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while reading: %v", err)
	}
}
