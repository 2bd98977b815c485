package file

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// A lock covers one byte far behind any log's end: on Windows a lock keeps readers from what it covers.
const lockOffsetHigh = 0x7fffffff

// lock waits until f is this open file's alone; it ends with the process however that ends.
func lock(f *os.File) error { return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// lockShared waits until nobody holds f alone.
func lockShared(f *os.File) error { return lockFile(f, 0) }

func lockFile(f *os.File, flags uint32) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at); err != nil {
		return fmt.Errorf("locking %q: %w", f.Name(), err)
	}
	return nil
}

func unlock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	if err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at); err != nil {
		return fmt.Errorf("unlocking %q: %w", f.Name(), err)
	}
	return nil
}

// syncDir has nothing to do: NTFS journals names.
func syncDir(string) error { return nil }

// writableByOthers knows nothing here: the mode says nothing of the access list, which the vault's home brings along.
func writableByOthers(fs.FileMode) bool { return false }
