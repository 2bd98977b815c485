package file

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes what was written to f durable. fdatasync(2) leaves out the times, but not the length.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
