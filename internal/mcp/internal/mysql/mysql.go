// Package mysql runs one statement on a MySQL or MariaDB on behalf of a tool. Start with [Server.Run].
//
// A statement that only reads runs in START TRANSACTION READ ONLY and is rolled back. Such a transaction keeps data from
// being changed, but not the server: KILL, SET GLOBAL, FLUSH and the like are permitted in it. So a statement must also begin
// with a word that reads, and OUTFILE and DUMPFILE, with which a SELECT writes files of the server, may not be in it.
// Several statements in one text are refused by the server, since the client does not offer to send such.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/idle"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Schemes are those of URLs of MySQL.
func Schemes() map[string]int { return map[string]int{"mysql": 3306, "mariadb": 3306} }

// Server runs statements and keeps connections for the next ones. It is safe for concurrent use.
type Server struct {
	idle *idle.Pool[login.Key, *session]
}

// session is a pool of one connection.
type session struct {
	db      *sql.DB
	meter   *login.Meter
	maria   bool
	limited string // the statement that has set the limits
}

// New returns a Server. Close it.
func New() *Server {
	return &Server{idle.New[login.Key](func(s *session) error { return s.db.Close() })}
}

// Close closes the connections that are kept.
func (s *Server) Close() error { return s.idle.Close() }

// Statement is what is to be run.
type Statement struct {
	SQL        string
	Parameters []any // of ?
	Write      bool  // outside of a transaction, on a connection that is not kept
}

// Run runs a statement, within the limits.
func (s *Server) Run(ctx context.Context, l *login.Login, limits tool.Limits, st Statement) (table.Result, error) {
	if err := st.check(); err != nil {
		return table.Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	x, kept := s.idle.Take(l.ID)
	if kept && st.Write {
		if err := s.idle.Keep(l.ID, x); err != nil {
			return table.Result{}, failure(ctx, l, err)
		}
		kept = false
	}
	if !kept {
		var err error
		if x, err = open(ctx, l); err != nil {
			return table.Result{}, failure(ctx, l, err)
		}
	}
	result, whole, err := x.run(ctx, limits, st)
	if st.Write || !whole {
		err = errors.Join(err, ignoring(x.db.Close(), whole))
	} else {
		err = errors.Join(err, s.idle.Keep(l.ID, x))
	}
	if err != nil {
		return table.Result{}, failure(ctx, l, err)
	}
	return result, nil
}

// ignoring drops the error of closing a connection that is known to be broken.
func ignoring(err error, whole bool) error {
	if whole {
		return err
	}
	return nil
}

// open logs in.
func open(ctx context.Context, l *login.Login) (*session, error) {
	route, err := l.Route(ctx)
	if err != nil {
		return nil, err
	}
	x := &session{meter: &login.Meter{}}
	x.meter.Set(login.MaxAnswer)
	config, err := configure(l, route, x.meter)
	if err != nil {
		return nil, err
	}
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, tool.Invalid("the URL in %s cannot be used", l.Secret)
	}
	x.db = sql.OpenDB(connector)
	x.db.SetMaxOpenConns(1)
	var version string
	if err := x.db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return nil, errors.Join(err, x.db.Close())
	}
	x.maria = strings.Contains(version, "MariaDB")
	return x, nil
}

// run returns the result, and whether the connection can be used again.
func (x *session) run(ctx context.Context, limits tool.Limits, st Statement) (table.Result, bool, error) {
	x.meter.Set(login.MaxAnswer)
	if err := x.limit(ctx, limits); err != nil {
		return table.Result{}, false, err
	}
	if st.Write {
		return x.write(ctx, limits, st)
	}
	tx, err := x.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return table.Result{}, false, fmt.Errorf("beginning a transaction: %w", err)
	}
	result, whole, err := read(ctx, tx, limits, st)
	if rollback := tx.Rollback(); rollback != nil {
		whole = false
	}
	if whole { // they would outlive the transaction
		if _, release := x.db.ExecContext(ctx, "DO RELEASE_ALL_LOCKS()"); release != nil {
			whole = false
		}
	}
	return result, whole, err
}

// limit sets the server's own limits, a little below ours: of time, and of the rows of a SELECT without LIMIT.
func (x *session) limit(ctx context.Context, limits tool.Limits) error {
	patience := limits.Time * 9 / 10
	statement := fmt.Sprintf("SET SESSION sql_select_limit=%d, max_execution_time=%d", limits.Rows+1, max(1, patience.Milliseconds()))
	if x.maria {
		statement = fmt.Sprintf("SET SESSION sql_select_limit=%d, max_statement_time=%.3f", limits.Rows+1, max(time.Millisecond, patience).Seconds())
	}
	if statement == x.limited {
		return nil
	}
	if _, err := x.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("setting limits: %w", err)
	}
	x.limited = statement
	return nil
}

// querier is a connection or a transaction on it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// read runs a statement that returns rows.
func read(ctx context.Context, q querier, limits tool.Limits, st Statement) (result table.Result, whole bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := q.QueryContext(ctx, st.SQL, arguments(st.Parameters)...)
	if err != nil {
		return result, said(err), err
	}
	defer func() {
		if !whole {
			cancel() // ends the connection, so that closing does not read all the rest
		}
		if closed := rows.Close(); closed != nil && whole && err == nil {
			err, whole = closed, false
		}
	}()
	b := table.New(limits)
	whole, err = fill(b, rows)
	return b.Done(), whole, err
}

// said reports whether an error is the server's word on a statement, after which the connection is as it was.
func said(err error) bool {
	var m *driver.MySQLError
	return errors.As(err, &m)
}

// fill takes rows until the table is full; whole says that there are no more.
func fill(b *table.Builder, rows *sql.Rows) (whole bool, err error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return false, fmt.Errorf("reading the columns: %w", err)
	}
	values, targets := make([]any, len(types)), make([]any, len(types))
	for i, t := range types {
		b.Columns = append(b.Columns, table.Column{Name: t.Name(), Type: strings.ToLower(t.DatabaseTypeName())})
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return false, fmt.Errorf("reading a row: %w", err)
		}
		cells := make([]any, len(types))
		for i, t := range types {
			cells[i] = cell(t.DatabaseTypeName(), values[i])
		}
		if !b.Add(cells) {
			return false, nil
		}
	}
	if err := rows.Err(); err != nil {
		return said(err), err
	}
	return true, nil
}

// write runs a statement as it is. One that returns rows is not told from one that does not before it is run.
func (x *session) write(ctx context.Context, limits tool.Limits, st Statement) (table.Result, bool, error) {
	conn, err := x.db.Conn(ctx)
	if err != nil {
		return table.Result{}, false, fmt.Errorf("taking the connection: %w", err)
	}
	defer func() { _ = conn.Close() }() // the pool is closed right after
	result, whole, err := read(ctx, conn, limits, st)
	if err != nil || len(result.Columns) > 0 {
		return result, whole, err
	}
	err = conn.QueryRowContext(ctx, "SELECT ROW_COUNT()").Scan(&result.Affected)
	result.Affected = max(0, result.Affected)
	return result, err == nil, err
}
