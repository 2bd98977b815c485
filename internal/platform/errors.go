package platform

import (
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Kind sorts errors for whoever turns them into exit statuses or HTTP answers.
type Kind int

// The kinds of error.
const (
	Internal Kind = iota // anything unexpected: for operators
	Invalid              // the request makes no sense
	NotFound
	Exists
	Conflict // someone changed it since, or it is pinned
	Denied
	Unavailable // sealed, audit log refuses, storage gone
)

// Error is an error with a message that a person may see. It never holds a value.
type Error struct {
	Kind    Kind
	Message string
	// Revision is the current one, for a Conflict about it.
	Revision int64
	Err      error // the cause, nil if the message says it all
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: Internal for one that is no *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

func invalid(format string, args ...any) error { return newError(Invalid, format, args...) }

func notFound(format string, args ...any) error { return newError(NotFound, format, args...) }

func newError(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// failure wraps an error of a lower layer with what was being done; one of ours passes as it is.
func failure(doing string, err error) error {
	var e *Error
	var unresolved *resolve.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.As(err, &unresolved):
		return &Error{Kind: NotFound, Message: "not every value can be resolved", Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func isNotFound(err error) bool { return errors.Is(err, sqlstore.ErrNotFound) }

func isExists(err error) bool { return errors.Is(err, sqlstore.ErrExists) }
