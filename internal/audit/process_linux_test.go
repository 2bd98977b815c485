package audit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// fullRoles are the ways to run out of room.
var fullRoles = []string{"limited", "tmpfs"}

// isolate gives a process that plays tmpfs a mount namespace of its own, so that nothing is left behind.
func isolate(cmd *exec.Cmd) {
	if slices.Contains(cmd.Env, roleVariable+"=tmpfs") {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
}

// tmpfsRole records on a file system of a few pages until that is full.
func tmpfsRole([]string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	small := filepath.Join(here, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		return err
	}
	return onTmpfs(here, small)
}

// onTmpfs does the work of tmpfsRole: the log is on the small file system, and is copied out of it in the end.
func onTmpfs(here, small string) error {
	if err := syscall.Mount("none", small, "tmpfs", 0, "size=16k"); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(small, "audit"), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(small, "audit"), filepath.Join(here, "audit")); err != nil {
		return err
	}
	if err := untilFull(syscall.ENOSPC); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(here, "audit")); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(here, "audit"), os.DirFS(filepath.Join(small, "audit")))
}

// syncBare is the sync that the file device does.
func syncBare(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
