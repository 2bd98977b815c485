package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// calls are the system calls that change a file. Each of a process is a point at which it can die.
var calls = []string{"fsync", "fdatasync", "pwrite64", "ftruncate", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdirat"}

// killedAtEach runs a command that is killed at its first call of a kind, then at its second, and so on for every kind; each time
// is told what happened. It returns at how many calls that was. The command also comes to its end, once for every kind.
func (v *vault) killedAtEach(t *testing.T, each func(point string, killed bool), args ...string) (points int) {
	t.Helper()
	for _, call := range calls {
		for n := 1; ; n++ {
			killed := v.killAt(t, call, n, args...)
			each(fmt.Sprintf("%s killed at %s %d", args[0], call, n), killed)
			if !killed {
				break
			}
			if points++; n > 2000 {
				t.Fatal("it never ends")
			}
		}
	}
	return points
}

// killAt runs a command that is killed at its n-th call of a kind, by strace; it reports whether it was. strace counts for each
// thread and each kind by itself, so the command has to stay on one thread: else none might ever get to the later calls.
func (v vault) killAt(t *testing.T, call string, n int, args ...string) bool {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("this test needs strace (scripts/test-deps.sh installs it): %v", err)
	}
	cmd := v.command("", args...)
	// The '?' lets a call be missing on this machine.
	cmd.Args = append([]string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=?" + call, "-e", fmt.Sprintf("inject=?%s:signal=KILL:when=%d", call, n)}, cmd.Args...)
	cmd.Path = strace
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1", asMain+"="+onOneThread, "ZVAULT_PASSPHRASE_FILE="+filepath.Join(filepath.Dir(v.home), "phrase"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !errors.As(err, &exit) || !ok || !status.Signaled() {
		t.Fatalf("%s at %s %d was not killed but failed: %v: %s", args[0], call, n, err, out)
	}
	return true
}

// opens fails the test unless the vault opens, holds its secret, and its log's chain holds.
func (v vault) opens(t *testing.T, when string) {
	t.Helper()
	out, err := v.command("", "secret", "get", "KEY").CombinedOutput()
	if err != nil || string(out) != "the value" {
		t.Fatalf("%s: %v: %s", when, err, strings.ReplaceAll(string(out), "the value", "[value]"))
	}
	if out, err := v.command("", "audit", "verify").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", when, err, out)
	}
}

// A rotation or rekeying that dies at any step leaves a vault that opens, and can be done again.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"rotate"}, {"rekey", "--seal", "keyfile"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			v.must(t, "the value", "secret", "set", "KEY", "--comment", "a comment")
			strays := 0
			points := v.killedAtEach(t, func(point string, killed bool) {
				v.opens(t, point)
				keys := len(v.keys(t))
				switch {
				case keys == 2 && killed:
					strays++
				case keys != 1:
					t.Fatalf("%s: %d key files have gathered", point, keys)
				}
			}, args...)
			t.Logf("%s was killed at %d points", args[0], points)
			if points < 15 {
				t.Fatalf("it was killed at %d points only: the test has tried nothing", points)
			}
			if args[0] == "rekey" && strays == 0 {
				t.Error("no key was ever left behind: the test has tried nothing")
			}
			v.must(t, "", args...)
			v.opens(t, "in the end")
			v.must(t, "", "rekey", "--seal", "keyfile")
			v.hasOneKey(t)
		})
	}
}

// A restore that dies at any step leaves no vault or a whole one, and can be done again.
func TestRestoreKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	source := newVault(t)
	dir := filepath.Dir(source.home)
	if err := os.WriteFile(filepath.Join(dir, "phrase"), []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source.must(t, "the value", "secret", "set", "KEY")
	backup := filepath.Join(dir, "vault.backup")
	cmd := source.command("", "backup", backup)
	cmd.Env = append(cmd.Env, "ZVAULT_PASSPHRASE_FILE="+filepath.Join(dir, "phrase"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("backup: %v: %s", err, out)
	}
	target := vault{home: filepath.Join(dir, "restored"), binary: source.binary}
	points := target.killedAtEach(t, func(point string, killed bool) {
		if _, err := os.Stat(filepath.Join(target.home, "vault.db")); errors.Is(err, fs.ErrNotExist) && killed {
			return // left as it is for the next
		}
		target.opens(t, point)
		if !killed {
			target.hasOneKey(t)
		}
		target.home += "-" // a new place
	}, "restore", backup, "--seal", "keyfile")
	t.Logf("restore was killed at %d points", points)
	if points < 15 {
		t.Fatalf("it was killed at %d points only: the test has tried nothing", points)
	}
}

// Making a vault that dies at any step can be done again, and what it has left goes then.
func TestInitKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	v := vault{home: filepath.Join(t.TempDir(), "home"), binary: binary}
	strays := 0
	points := v.killedAtEach(t, func(point string, killed bool) {
		if killed {
			before := len(v.keys(t))
			out, err := v.command("", "init", "--seal", "keyfile").CombinedOutput()
			if err == nil {
				strays += before
			} else if !strings.Contains(string(out), "there is a vault already") {
				t.Fatalf("%s, then again: %v: %s", point, err, out)
			}
		}
		if out, err := v.command("", "audit", "verify").CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", point, err, out)
		}
		v.hasOneKey(t)
		v.home += "-" // a new place
	}, "init", "--seal", "keyfile")
	t.Logf("init was killed at %d points", points)
	if points < 15 || strays == 0 {
		t.Fatalf("it was killed at %d points and left %d keys behind: the test has tried nothing", points, strays)
	}
}

// keys are the key files of a vault.
func (v vault) keys(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(v.home, "seal-*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// hasOneKey fails the test if the vault's directory holds anything that an interrupted command has left, or doctor says so.
func (v vault) hasOneKey(t *testing.T) {
	t.Helper()
	if files := v.keys(t); len(files) != 1 {
		t.Errorf("%d key files are left: %q", len(files), files)
	}
	if left, err := filepath.Glob(filepath.Join(v.home, ".restore-*")); err != nil || len(left) > 0 {
		t.Errorf("a restore has left %q: %v", left, err)
	}
	cmd := v.command("", "doctor")
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "ok      old keys") {
		t.Errorf("doctor: %v: %s", err, out)
	}
}
