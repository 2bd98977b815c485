//go:build unix

package storagetest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// runMedium tests what takes a process that is not root, or a small disk.
func runMedium(t *testing.T, f Files) {
	t.Run("ReadOnly", func(t *testing.T) { t.Parallel(); testReadOnly(t, f) })
	runDisk(t, f)
}

func mediumChild(t *testing.T, f Files, part, dir string) {
	switch part {
	case "readonly":
		readOnlyChild(t, f, dir)
	case "disk":
		diskChild(t, f, dir)
	default:
		t.Fatalf("no part %q", part)
	}
	if !t.Failed() {
		say("done")
	}
}

// testReadOnly takes all permissions to write from a store and from an empty folder, and has a child that is not root
// use them.
func testReadOnly(t *testing.T, f Files) {
	dir := openTemp(t)
	full, empty := filepath.Join(dir, "full"), filepath.Join(dir, "empty")
	for _, d := range []string{full, empty} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	filled(t, f, full)
	permit(t, dir, 0o555, 0o444)
	t.Cleanup(func() { permit(t, dir, 0o755, 0o644) })
	p := child(t, "readonly", dir)
	p.cmd.Path, p.cmd.Args[0] = self(t), self(t)
	if os.Geteuid() == 0 {
		const nobody = 65534
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	p.start(t)
	p.passed(t)
}

// openTemp makes a folder that another user can get to.
func openTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "zvault-readonly-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// self is the test binary by a path that does not lead through folders of root's.
func self(t *testing.T) string {
	t.Helper()
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func permit(t *testing.T, dir string, folders, files os.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, folders)
		}
		return os.Chmod(path, files)
	})
	if err != nil {
		t.Error(err)
	}
}

func readOnlyChild(t *testing.T, f Files, dir string) {
	full, empty := filepath.Join(dir, "full"), filepath.Join(dir, "empty")
	if err := os.WriteFile(filepath.Join(full, "probe"), nil, 0o600); !errors.Is(err, os.ErrPermission) {
		t.Fatalf("the folder is not read-only: %v", err)
	}
	stored := filled(t, f, t.TempDir())
	if err := openAndRead(t, f, full, stored); err != nil {
		t.Fatalf("reading: %v", err)
	}
	b, err := f.Open(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantError(t, tryPut(t.Context(), b, "k", "v"), storage.ErrReadOnly, full)
	}
	if all, err := dump(t.Context(), b); err != nil || !cmp.Equal(all, stored) {
		t.Errorf("reading after trying to write: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if b, err := f.Open(t.Context(), empty); err == nil {
		t.Error(errors.Join(errors.New("a store was made in a read-only folder"), b.Close()))
	} else {
		wantError(t, err, storage.ErrReadOnly, empty)
	}
}
