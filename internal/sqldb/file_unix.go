//go:build unix

package sqldb

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// classifyFile wraps an error of creating or writing a file in the sentinel it amounts to.
func classifyFile(err error) error {
	err = cause(err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
