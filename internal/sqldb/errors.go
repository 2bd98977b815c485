package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrReadOnly means that the database or its medium refuses writes.
	ErrReadOnly = errors.New("database is read-only")
	// ErrFull means that the medium has no room left or refuses to take what is written. Nothing was changed.
	ErrFull = errors.New("disk is full")
	// ErrCorrupt means that the file is damaged, or is no database of ours.
	ErrCorrupt = errors.New("database is damaged")
	// ErrLocked means that another process or transaction held a lock for too long.
	ErrLocked = errors.New("database is locked")
	// ErrUnavailable means that the database cannot be reached or opened.
	ErrUnavailable = errors.New("database is unavailable")
	// ErrClosed is returned after DB.Close.
	ErrClosed = errors.New("database is closed")
)

// classified is a driver's error with the sentinel it amounts to.
type classified struct{ kind, err error }

func (e *classified) Error() string   { return e.kind.Error() + ": " + oneLine(e.err.Error()) }
func (e *classified) Unwrap() []error { return []error{e.kind, e.err} }

// described is an error that names its database.
type described struct {
	name string
	err  error
}

func (e *described) Error() string {
	return fmt.Sprintf("database %q: %s", e.name, oneLine(e.err.Error()))
}
func (e *described) Unwrap() error { return e.err }

// oneLine joins the lines of a text; pgx, for one, reports each address that it tried on a line.
func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "; ")
}

// Classify wraps an error of either driver so that errors.Is finds the sentinel it amounts to. Errors that amount to
// none of them, context errors among them, and nil are returned as they are.
func Classify(err error) error {
	if err == nil || sentinelOf(err) != nil || isContext(err) {
		return err
	}
	if kind := sqliteKind(err); kind != nil {
		return &classified{kind, err}
	}
	if kind := postgresKind(err); kind != nil {
		return &classified{kind, err}
	}
	return err
}

// sentinelOf returns the sentinel that err wraps, or nil.
func sentinelOf(err error) error {
	for _, kind := range []error{ErrReadOnly, ErrFull, ErrCorrupt, ErrLocked, ErrUnavailable, ErrClosed} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// describe classifies err and names the database, unless the error is the caller's own.
func (db *DB) describe(err error) error {
	if err == nil {
		return nil
	}
	err = Classify(err)
	var named *described
	if errors.As(err, &named) || sentinelOf(err) == nil && !isDriver(err) {
		return err
	}
	return &described{db.name, err}
}

// isDriver reports whether err comes from a database driver.
func isDriver(err error) bool {
	return sqliteCode(err) != 0 || postgresCode(err) != ""
}

// isConflict reports whether the transaction lost against another one and may succeed when it is run again.
func isConflict(err error) bool {
	if isContext(err) {
		return false
	}
	return sqliteConflict(err) || postgresConflict(err)
}

// IsUniqueViolation reports whether a statement failed because a unique or primary key is taken.
func IsUniqueViolation(err error) bool {
	code := sqliteCode(err)
	return code == sqliteUnique || code == sqlitePrimaryKey || code == sqliteRowID || postgresCode(err) == "23505"
}

// IsForeignKeyViolation reports whether a statement failed because a row it needs is missing or still needed.
func IsForeignKeyViolation(err error) bool {
	return sqliteCode(err) == sqliteForeignKey || postgresCode(err) == "23503"
}

// IsNoTable reports whether a statement failed because a table does not exist.
func IsNoTable(err error) bool {
	return sqliteNoTable(err) || postgresCode(err) == "42P01"
}
