//go:build windows

package sqldb

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/windows"
)

// classifyFile wraps an error of creating or writing a file in the sentinel it amounts to.
func classifyFile(err error) error {
	err = cause(err)
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, windows.ERROR_WRITE_PROTECT), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
