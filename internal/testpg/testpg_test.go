//go:build linux || darwin

package testpg_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestURL requires databases that know nothing of each other.
func TestURL(t *testing.T) {
	t.Parallel()
	for range 2 {
		conn := connect(t, testpg.URL(t))
		exec1(t, conn, "CREATE TABLE things (id int)")
		exec1(t, conn, "INSERT INTO things VALUES (1)")
		if n := count(t, conn); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	}
}

// TestServer requires that committed rows outlive a stop and a kill.
func TestServer(t *testing.T) {
	t.Parallel()
	s := testpg.Start(t)
	url := s.URL()
	exec1(t, connect(t, url), "CREATE TABLE things (id int)")
	for i, end := range []func(){s.Stop, s.Kill, s.Kill} {
		exec1(t, connect(t, url), "INSERT INTO things VALUES (1)")
		end()
		if conn, err := pgx.Connect(t.Context(), url); err == nil {
			_ = conn.Close(t.Context())
			t.Fatal("connected to a stopped server")
		}
		s.Start()
		if n := count(t, connect(t, url)); n != i+1 {
			t.Fatalf("%d rows after end %d, want %d", n, i+1, i+1)
		}
	}
	s.Restart()
	connect(t, url)
}

const crashEnv = "ZVAULT_TESTPG_CRASH"

// TestCrash kills a test process and requires its servers to stop and their folders to go.
func TestCrash(t *testing.T) {
	t.Parallel()
	if out := os.Getenv(crashEnv); out != "" {
		crash(t, out)
		return
	}
	dir := t.TempDir()
	tmp := shortTemp(t)
	out := filepath.Join(dir, "urls")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), crashEnv+"="+out, "TMPDIR="+tmp)
	log, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the child was to be killed: %v\n%s", err, log)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	urls := strings.Fields(string(text))
	if len(urls) != 2 {
		t.Fatalf("the child had %d servers, want 2", len(urls))
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 1000 {
		if left, err := filepath.Glob(filepath.Join(tmp, "zvault-testpg-*", "data")); err != nil || len(left) == 0 {
			break
		}
		<-ticker.C
	}
	for _, url := range urls {
		if conn, err := pgx.Connect(t.Context(), url); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("a server lives on after its test process was killed")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "zvault-testpg-*", "data")); len(left) != 0 {
		t.Errorf("folders are left: %q", left)
	}
}

// crash starts both kinds of server, writes down where they are and kills itself.
func crash(t *testing.T, out string) {
	urls := testpg.URL(t) + "\n" + testpg.Start(t).URL() + "\n"
	if err := os.WriteFile(out, []byte(urls), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {}
}

// shortTemp makes a folder that the server's user can reach and a socket's path fits in.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "zv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
