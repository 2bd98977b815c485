//go:build unix

package sqldb_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

const readOnlyEnv = "ZVAULT_SQLDB_READONLY"

// TestReadOnlyWithLog opens a database that its process left in the middle, write-ahead log and all, from a folder
// that cannot be written to: reading it would miss the last changes, so it must say so. A process that is not root
// does that, as permissions mean nothing to root.
func TestReadOnlyWithLog(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(readOnlyEnv); path != "" {
		openWithLog(t, path)
		return
	}
	dir, err := os.MkdirTemp("/tmp", "zvault-readonly-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	db := closed(t)(sqldb.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "vault.db"), sqldb.Options{}))
	run(t, db, `CREATE TABLE t (n BIGINT)`)
	path := filepath.Join(dir, "vault.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(db.Name() + suffix)
		if err != nil || len(data) == 0 {
			t.Fatalf("copying %q: %d bytes, %v", suffix, len(data), err)
		}
		if err := os.WriteFile(path+suffix, data, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		self = "/proc/self/exe" // the other path may lead through folders of root's
	}
	cmd := exec.Command(self, "-test.run=^TestReadOnlyWithLog$", "-test.v")
	cmd.Env = append(os.Environ(), readOnlyEnv+"="+path)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestReadOnlyWithLog") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func openWithLog(t *testing.T, path string) {
	if err := os.WriteFile(path+"-probe", nil, 0o600); !errors.Is(err, os.ErrPermission) {
		t.Fatalf("the folder is not read-only: %v", err)
	}
	db, err := sqldb.OpenSQLite(t.Context(), path, sqldb.Options{})
	if err == nil {
		t.Fatal(errors.Join(errors.New("opened"), db.Close()))
	}
	if text := err.Error(); !errors.Is(err, sqldb.ErrReadOnly) || !strings.Contains(text, "vault.db-wal") || strings.Contains(text, "\n") {
		t.Errorf("%v, want ErrReadOnly that names the log", err)
	}
}
