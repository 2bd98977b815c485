package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// steps are the system calls that change a file. Each is a point at which a process can die.
const steps = "fsync,fdatasync,pwrite64,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdirat"

// killAt runs a command that is killed at its n-th such call on any of its threads, by strace; it reports whether it was.
func (v vault) killAt(t *testing.T, n int, args ...string) bool {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("this test needs strace (scripts/test-deps.sh installs it): %v", err)
	}
	cmd := v.command("", args...)
	cmd.Args = append([]string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + steps, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", steps, n)}, cmd.Args...)
	cmd.Path = strace
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1", "ZVAULT_PASSPHRASE_FILE="+filepath.Join(filepath.Dir(v.home), "phrase"))
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err != nil
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
			n := 1
			for ; v.killAt(t, n, args...); n++ {
				v.opens(t, fmt.Sprintf("%s killed at step %d", args[0], n))
				if n > 2000 {
					t.Fatal("it never ends")
				}
			}
			if n < 5 {
				t.Fatalf("it was killed at %d steps only: the test has tried nothing", n-1)
			}
			v.must(t, "", args...)
			v.opens(t, "in the end")
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
	n := 1
	for ; target.killAt(t, n, "restore", backup, "--seal", "keyfile"); n++ {
		if _, err := os.Stat(filepath.Join(target.home, "vault.db")); err == nil {
			target.opens(t, fmt.Sprintf("restore killed at step %d", n))
			if err := os.RemoveAll(target.home); err != nil {
				t.Fatal(err)
			}
		}
		if n > 2000 {
			t.Fatal("it never ends")
		}
	}
	if n < 5 {
		t.Fatalf("it was killed at %d steps only: the test has tried nothing", n-1)
	}
	target.opens(t, "in the end")
}
