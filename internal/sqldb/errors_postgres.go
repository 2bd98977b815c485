package sqldb

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresCode returns PostgreSQL's SQLSTATE, or "" for another error.
// The codes are listed at https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// postgresKind returns the sentinel for an error of PostgreSQL or of the connection to it, or nil.
func postgresKind(err error) error {
	switch code := postgresCode(err); {
	case code == "":
		if isConnection(err) {
			return ErrUnavailable
		}
		return nil
	case code == "25006": // read_only_sql_transaction: a standby
		return ErrReadOnly
	case code == "53100": // disk_full
		return ErrFull
	case code == "XX001", code == "XX002": // data_corrupted, index_corrupted
		return ErrCorrupt
	case postgresConflict(err):
		return ErrLocked
	case code == "53300", // too_many_connections
		code[:2] == "08",                 // connection exceptions
		code == "57P01", code == "57P02", // admin_shutdown, crash_shutdown
		code == "57P03", code == "57P05", // cannot_connect_now, idle_session_timeout
		code == "28000", code == "28P01", // wrong user or password
		code == "3D000", code[:2] == "58": // no such database; system errors
		return ErrUnavailable
	}
	return nil
}

// isConnection reports whether the connection could not be made or broke.
func isConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// postgresConflict reports serialization failures, deadlocks and lock timeouts.
func postgresConflict(err error) bool {
	switch postgresCode(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}
