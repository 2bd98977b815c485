//go:build unix

package medium

import (
	"errors"
	"syscall"
)

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// IsLocked reports whether err says that another process holds a lock.
func IsLocked(err error) bool { return errors.Is(err, syscall.EAGAIN) }
