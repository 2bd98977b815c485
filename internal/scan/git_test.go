package scan_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

// repository is a git repository in a folder of the test.
type repository struct {
	*testing.T
	dir string
}

func newRepository(t *testing.T, files map[string]string) repository {
	t.Helper()
	r := repository{t, lay(t, files)}
	r.git("init", "-q", "-b", "main")
	return r
}

func (r repository) git(args ...string) string {
	r.Helper()
	args = append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"}, args...)
	cmd := exec.CommandContext(r.Context(), "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) commit(message string) string {
	r.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

func TestStaged(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	odd := "sub/ö dd\tname.txt"
	if runtime.GOOS == "windows" {
		odd = "sub/ö dd name.txt"
	}
	r := newRepository(t, map[string]string{"a.txt": "x " + value, odd: value, "big.bin": value + strings.Repeat("x", scan.PieceSize), "later.txt": value})
	staged := func(dir string) string {
		t.Helper()
		found, err := s.Staged(t.Context(), filepath.Join(r.dir, dir))
		check(t, err)
		return places(found)
	}
	if got := staged(""); got != "" {
		t.Errorf("nothing is staged: %s", got)
	}
	r.git("add", "a.txt", odd, "big.bin")
	put(t, r.dir, map[string]string{"a.txt": "mended, but not staged"})
	if got, want := staged(""), "a.txt:zvault-value:1\nbig.bin:zvault-value:1\n"+odd+":zvault-value:1\n"; got != want {
		t.Errorf("before the first commit: %q; want %q", got, want)
	}
	if got, want := staged("sub"), filepath.Base(odd)+":zvault-value:1\n"; got != want {
		t.Errorf("below a folder: %q; want %q", got, want)
	}
	head := r.commit("all")
	if got := staged(""); got != "" {
		t.Errorf("all is committed: %s", got)
	}
	r.git("mv", "later.txt", "moved.txt")
	r.git("rm", "-q", "--cached", odd)
	r.git("update-index", "--add", "--cacheinfo", "160000,"+head+",submodule")
	link := r.git("hash-object", "-w", "--no-filters", filepath.Join(r.dir, "moved.txt"))
	r.git("update-index", "--add", "--cacheinfo", "120000,"+link+",link")
	if got, want := staged(""), "moved.txt:zvault-value:1\n"; got != want {
		t.Errorf("moved, removed, a submodule and a link: %q; want %q", got, want)
	}
	put(t, r.dir, map[string]string{".gitleaksignore": "moved.txt:zvault-value:1"})
	if got := staged(""); got != "" {
		t.Errorf("ignored: %q", got)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	r := newRepository(t, map[string]string{"a.txt": "clean", "b.txt": "clean too"})
	r.commit("one")
	put(t, r.dir, map[string]string{"a.txt": "one\n" + value})
	leak := r.commit("two")
	put(t, r.dir, map[string]string{"a.txt": "clean", "copy.txt": "one\n" + value})
	r.commit("three")
	check(t, os.Remove(filepath.Join(r.dir, "copy.txt")))
	r.commit("four")
	r.git("checkout", "-q", "-b", "side", leak)
	put(t, r.dir, map[string]string{"side.txt": value})
	side := r.commit("five")
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "-m", "six", "-s", "ours", "side")

	found, err := s.History(t.Context(), r.dir)
	check(t, err)
	want := leak + ":a.txt:zvault-value:2\n" + side + ":side.txt:zvault-value:1\n"
	if got := places(found); got != want {
		t.Fatalf("found\n%s; want\n%s", got, want)
	}
	if found[0].Commit != leak {
		t.Errorf("in commit %q", found[0].Commit)
	}
	put(t, r.dir, map[string]string{".zvaultignore": leak + ":a.txt:zvault-value:2\nside.txt:zvault-value:1\n"})
	found, err = s.History(t.Context(), r.dir)
	check(t, err)
	if len(found) > 0 {
		t.Errorf("ignored, but found %s", places(found))
	}
}

func TestRepository(t *testing.T) {
	t.Parallel()
	r := newRepository(t, map[string]string{
		".gitignore": "build/\n", "a.txt": value, "build/b.txt": value, "gone.txt": value, "new.txt": value, "folder/c.txt": value,
	})
	r.git("add", "a.txt", "gone.txt", "folder")
	check(t, os.Remove(filepath.Join(r.dir, "gone.txt")))
	check(t, os.RemoveAll(filepath.Join(r.dir, "folder")))
	put(t, r.dir, map[string]string{"folder": "now a file"})
	found, err := ownScanner(t).Repository(t.Context(), r.dir)
	check(t, err)
	if got, want := places(found), "a.txt:zvault-value:1\nnew.txt:zvault-value:1\n"; got != want {
		t.Errorf("found %q; want %q", got, want)
	}
}

func TestGit_Errors(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	none := t.TempDir()
	scans := map[string]func(context.Context, string) ([]scan.Finding, error){"staged": s.Staged, "history": s.History, "repository": s.Repository}
	for name, do := range scans {
		if _, err := do(t.Context(), none); !errors.Is(err, scan.ErrNoRepository) {
			t.Errorf("%s outside of a repository: %v", name, err)
		}
	}
	r := newRepository(t, map[string]string{"a.txt": value})
	r.git("add", "a.txt")
	id := r.git("rev-parse", ":a.txt")
	check(t, os.Remove(filepath.Join(r.dir, ".git", "objects", id[:2], id[2:])))
	if found, err := s.Staged(t.Context(), r.dir); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("with an object missing: %v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, do := range scans {
		if _, err := do(ctx, r.dir); err == nil {
			t.Errorf("%s was not stopped", name)
		}
	}
}
