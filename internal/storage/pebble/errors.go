package pebble

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/medium"
)

// classify wraps err in the sentinel of storage that it amounts to.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pebble.ErrReadOnly):
		return fmt.Errorf("%w: %w", storage.ErrReadOnly, err)
	case pebble.IsCorruptionError(err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, oneLine{err})
	}
	return medium.Classify(err)
}

// classifyOpen is classify for what opening a folder returns: Pebble does not mark all errors of damaged files.
func classifyOpen(err error) error {
	var number syscall.Errno
	err = classify(err)
	if err == nil || isLocked(err) || isOurs(err) || errors.As(err, &number) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
}

// oneLine shows the first line of an error. Pebble adds others that say nothing.
type oneLine struct{ error }

func (e oneLine) Error() string {
	text, _, _ := strings.Cut(e.error.Error(), "\n")
	return text
}

func (e oneLine) Unwrap() error { return e.error }

// isOurs reports whether err says something about the folder rather than about what was asked for.
func isOurs(err error) bool {
	for _, kind := range []error{storage.ErrReadOnly, storage.ErrFull, storage.ErrCorrupt, storage.ErrUnavailable} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// isLocked reports whether this or another process holds the folder. Pebble has no error value for its own process.
func isLocked(err error) bool {
	return medium.IsLocked(err) || err != nil && strings.Contains(err.Error(), "lock held by current process")
}

// logger drops what Pebble tells about its work. It calls Fatalf for failures after which it cannot go on.
type logger struct{}

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}

// Fatalf does not return, as Pebble demands. In a call of ours recoverFatal catches it; elsewhere it ends the
// process, after which the log on disk is replayed.
func (logger) Fatalf(format string, args ...any) { panic(newFatal(format, args)) }

// fatal is what Pebble could not go on from.
type fatal struct {
	text  string
	cause error // of args; may be nil
}

func newFatal(format string, args []any) *fatal {
	f := &fatal{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			f.cause = err
		}
	}
	return f
}

func (f *fatal) Error() string { return f.text }
func (f *fatal) Unwrap() error { return f.cause }

// recoverFatal, deferred around calls of Pebble, turns a fatal failure into an error. Other panics go on.
func recoverFatal(err *error) {
	switch p := recover().(type) {
	case nil:
	case *fatal:
		*err = p
	default:
		panic(p)
	}
}
