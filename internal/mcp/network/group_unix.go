//go:build unix

package network

import (
	"os/exec"
	"syscall"
	"time"
)

// group has a program that takes too long be killed with all that it started.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for pipes that something it started keeps open
}
