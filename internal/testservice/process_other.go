//go:build !linux && !darwin

package testservice

import (
	"os/exec"
	"testing"
)

func bind(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// as fails: the servers are those of Debian.
func as(t testing.TB, _, _ string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	t.Fatal("tests with real servers run on Linux and macOS")
	return cmd
}
