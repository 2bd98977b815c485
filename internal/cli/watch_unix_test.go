//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// The real thing: the program starts again with the new value, and not for another environment; a signal ends both.
func TestRun_Watch(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.must(t, "one", "secret", "set", "KEY")
	cmd := v.command("", "run", "--watch", "--", "sh", "-c", `echo "got $KEY"; exec sleep 600`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Whatever fails, nothing is left running; the program has the pipe, so its end is seen.
	limit := time.AfterFunc(2*time.Minute, func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err == nil {
			t.Error("it took too long")
		}
	})
	defer limit.Stop()
	lines := bufio.NewScanner(out)
	want := func(line string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != line {
			t.Errorf("it printed %q; want %q", lines.Text(), line)
		}
	}
	want("got one")
	v.must(t, "two", "secret", "set", "KEY")
	want("got two")
	v.must(t, "far", "secret", "set", "KEY", "--env", "staging")
	v.must(t, "three", "secret", "set", "KEY")
	want("got three")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("after the signal: %q, %v", lines.Text(), lines.Err())
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v: %s", err, complaint.String())
	}
	if n := bytes.Count(complaint.Bytes(), []byte("starting again")); n != 2 {
		t.Errorf("started again %d times: %s", n, complaint.String())
	}
	v.must(t, "", "audit", "verify")
}
