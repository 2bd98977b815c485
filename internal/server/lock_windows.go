package server

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// lockDir makes sure that one server at a time uses a data directory: each believes that nobody else writes there.
func lockDir(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "server.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return func() error { return nil }, fmt.Errorf("locking the data directory: %w", err)
	}
	const all = ^uint32(0)
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, all, all, &windows.Overlapped{}); err != nil {
		_ = f.Close()
		return func() error { return nil }, fmt.Errorf("another server uses the data directory %s", dir)
	}
	return f.Close, nil
}
