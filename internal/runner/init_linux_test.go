package runner_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const isLinux = true

// As process 1 of a namespace: orphans are reaped, the exit code is the program's, what is left over is ended.
func TestInit(t *testing.T) {
	t.Parallel()
	script := `(sleep 0.05 & ) ; (sleep 0.05 &) ; sleep 0.3; ps -eo stat,comm | grep -c '^Z' ; (sleep 1000 &); exit 6`
	cmd := as(t, "stay", "sh", "-c", "mount -t proc proc /proc; "+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	out, err := cmd.Output()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 6 {
		t.Fatalf("process 1 ended with %v", err)
	}
	if got := strings.TrimSpace(string(out)); got != "0" {
		t.Errorf("%s zombies were left", got)
	}
}

// As process 1, death by a signal becomes 128 plus its number, and TERM reaches the program.
func TestInit_Signal(t *testing.T) {
	t.Parallel()
	cmd := as(t, "stay", "sh", "-c", "kill -9 $$")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	var failed *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &failed) || failed.ExitCode() != 137 {
		t.Errorf("the program killed: %v", err)
	}
}
