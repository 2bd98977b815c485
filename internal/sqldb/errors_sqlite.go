package sqldb

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	sqliteUnique     = sqlite3.SQLITE_CONSTRAINT_UNIQUE
	sqlitePrimaryKey = sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	sqliteRowID      = sqlite3.SQLITE_CONSTRAINT_ROWID
	sqliteForeignKey = sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
)

// sqliteCode returns SQLite's extended result code, or 0 for another error.
// The codes are listed at https://www.sqlite.org/rescode.html.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// sqliteKind returns the sentinel for an error of SQLite, or nil.
func sqliteKind(err error) error {
	code := sqliteCode(err)
	switch code {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE,
		sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC:
		return ErrFull
	case sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return ErrCorrupt
	}
	switch code & 0xff {
	case sqlite3.SQLITE_READONLY:
		return ErrReadOnly
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT:
		return ErrCorrupt
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return ErrLocked
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOLFS:
		return ErrUnavailable
	}
	return nil
}

// sqliteConflict reports a lock that may be free at the next try. Protocol errors are lost races for the lock on the
// write-ahead log.
func sqliteConflict(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// sqliteNoTable looks at the message, as SQLite has no code for it.
func sqliteNoTable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "no such table")
}
