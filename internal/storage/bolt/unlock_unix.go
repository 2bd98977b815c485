//go:build unix && !aix && !android && !solaris

package bolt

import (
	"os"

	"golang.org/x/sys/unix"
)

// unlock gives up bbolt's flock. Closing the file is not enough where bbolt has panicked: its mapping stays, nobody but bbolt can
// end it, and it keeps the open file, and with it the lock, alive.
func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
