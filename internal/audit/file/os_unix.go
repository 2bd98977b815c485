//go:build !windows

package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lock waits until f is this open file's alone. flock(2) belongs to the open file, so it also keeps two Devices of one
// process apart, and it ends with the process however that ends.
func lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// lockShared waits until nobody holds f alone.
func lockShared(f *os.File) error { return flock(f, syscall.LOCK_SH) }

func unlock(f *os.File) error { return flock(f, syscall.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("locking %q: %w", f.Name(), err)
		}
	}
}

// syncDir makes a new name in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writableByOthers reports whether the group or everybody may write.
func writableByOthers(mode fs.FileMode) bool { return mode.Perm()&0o022 != 0 }
