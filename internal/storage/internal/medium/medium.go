// Package medium tells what the errors of files mean for a store that lies in them.
package medium

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Classify wraps an error of the file system in the sentinel of storage that it amounts to. Others are returned as
// they are, as are those that wrap a sentinel already.
func Classify(err error) error {
	switch {
	case err == nil, wraps(err):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case isReadOnly(err), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", storage.ErrReadOnly, err)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
	return err
}

func wraps(err error) bool {
	for _, kind := range []error{
		storage.ErrNotFound, storage.ErrTooLarge, storage.ErrInvalidKey, storage.ErrReadOnly, storage.ErrFull,
		storage.ErrCorrupt, storage.ErrLocked, storage.ErrUnavailable, storage.ErrClosed,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

const (
	lockWait  = 10 * time.Second
	lockPause = 20 * time.Millisecond
)

// Locked tries to open a store until no other process holds it. locked tells the error of one that is held from other
// errors. After 10 s, or when ctx ends, the error is storage.ErrLocked.
func Locked[T any](ctx context.Context, open func() (T, error), locked func(error) bool) (T, error) {
	deadline := time.Now().Add(lockWait)
	for {
		s, err := open()
		if err == nil || !locked(err) {
			return s, err
		}
		if time.Now().After(deadline) {
			return s, fmt.Errorf("%w by another process: %w", storage.ErrLocked, err)
		}
		timer := time.NewTimer(lockPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return s, fmt.Errorf("%w by another process: %w", storage.ErrLocked, ctx.Err())
		}
	}
}
