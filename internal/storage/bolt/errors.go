package bolt

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/medium"
)

// classify wraps err in the sentinel of storage that it amounts to.
func classify(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	case errors.Is(err, bolterrors.ErrDatabaseReadOnly), errors.Is(err, bolterrors.ErrTxNotWritable):
		return fmt.Errorf("%w: %w", storage.ErrReadOnly, err)
	}
	return medium.Classify(err)
}

// classifyOpen is classify for what opening a file returns: bbolt has no error values for all that can be wrong in it.
func classifyOpen(err error) error {
	var number syscall.Errno
	err = classify(err)
	if err == nil || isLocked(err) || isOurs(err) || errors.As(err, &number) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
}

// isOurs reports whether err says something about the file rather than about what was asked for.
func isOurs(err error) bool {
	for _, kind := range []error{storage.ErrReadOnly, storage.ErrFull, storage.ErrCorrupt, storage.ErrUnavailable} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// guard, deferred around calls of bbolt, turns its panics into storage.ErrCorrupt: that is how it reports a damaged
// page. A file that was cut off under the mapping raises a memory fault, which guarded turns into a panic as well.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", storage.ErrCorrupt, p)
	}
}

// guarded calls fn, which calls nothing but bbolt, with guard.
func guarded(fn func() error) (err error) {
	defer guard(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return fn()
}
