// Package postgres runs one statement on a PostgreSQL on behalf of a tool. Start with [Server.Run].
//
// A statement that only reads runs in a transaction that the database keeps from writing, sent with the extended protocol,
// which takes one statement at a time; when it is done the transaction is rolled back. These are sent together, so that a
// read costs one round trip:
//
//	Parse, Bind, Execute "BEGIN READ ONLY"
//	Parse, Bind, Execute the server's time limit     also takes the snapshot that forbids leaving READ ONLY
//	Parse, Describe, Bind, Execute the statement     Execute with the most rows that are wanted
//	Sync                                             after an error the server skips everything up to here
//	Query "ROLLBACK", and what gives up advisory locks
//
// A statement that returns no rows (COPY, DO, CALL, SET, LISTEN, COMMIT, …) is refused before it is executed: what the
// database says about it after Parse decides, unless its first word already tells that it is a query.
package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/idle"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Schemes are those of URLs of PostgreSQL.
func Schemes() map[string]int { return map[string]int{"postgres": 5432, "postgresql": 5432} }

// maxMessage is the most bytes that the server may send as one message, thus as one row.
const maxMessage = 16 << 20

// Server runs statements and keeps connections for the next ones. It is safe for concurrent use.
type Server struct {
	idle *idle.Pool[login.Key, *session]
}

// New returns a Server. Close it.
func New() *Server {
	return &Server{idle.New[login.Key](func(s *session) error { return s.close() })}
}

// Close closes the connections that are kept.
func (s *Server) Close() error { return s.idle.Close() }

// Statement is what is to be run.
type Statement struct {
	SQL        string
	Parameters []any
	Write      bool // outside of a transaction, on a connection that is not kept
}

// Run runs a statement, within the limits.
func (s *Server) Run(ctx context.Context, l *login.Login, limits tool.Limits, st Statement) (table.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	x, kept, err := s.session(ctx, l, st.Write)
	if err != nil {
		return table.Result{}, err
	}
	result, err := x.run(ctx, limits, st)
	if kept && x.dead() { // it was closed by the server while nobody looked: nothing has been run
		_ = x.close()
		if x, err = dial(ctx, l); err != nil {
			return table.Result{}, err
		}
		result, err = x.run(ctx, limits, st)
	}
	if x.broken || st.Write {
		x.end(ctx)
	} else if keep := s.idle.Keep(l.ID, x); keep != nil && err == nil {
		err = keep
	}
	if err != nil {
		return table.Result{}, failure(ctx, l, err)
	}
	if x.superuser() && !st.Write {
		result.Warning = "this login is a superuser, whom a read-only transaction does not keep from everything: a login of " +
			"less power is safer here"
	}
	return result, nil
}

// session is a connection: an idle one if there is one, and then kept is true.
func (s *Server) session(ctx context.Context, l *login.Login, write bool) (x *session, kept bool, err error) {
	if !write {
		if x, kept = s.idle.Take(l.ID); kept {
			return x, true, nil
		}
	}
	x, err = dial(ctx, l)
	return x, false, err
}

// dial logs in.
func dial(ctx context.Context, l *login.Login) (*session, error) {
	route, err := l.Route(ctx)
	if err != nil {
		return nil, err
	}
	config, err := configure(l, route)
	if err != nil {
		return nil, err
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, failure(ctx, l, err)
	}
	return &session{conn: conn, names: map[uint32]string{}, statements: newStatements()}, nil
}

// configure makes the driver's configuration. Everything that the driver would take from the process environment, from
// files or from the URL is set here instead, so that a URL says no more than where to log in.
func configure(l *login.Login, route *login.Route) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=localhost port=5432 user=zvault dbname=zvault sslmode=disable passfile=/nonexistent")
	if err != nil { // may hold what is in the environment
		return nil, errors.New("the process environment holds a setting of PostgreSQL (PG…) that cannot be read")
	}
	config.Host, config.Port = login.Host(l.Host), uint16(l.Port) //nolint:gosec // login checks its range
	config.User, config.Password, config.Database = l.User, string(l.Password.Reveal()), l.Database()
	if config.Database == "" {
		config.Database = l.User
	}
	config.RuntimeParams = map[string]string{"application_name": "zvault", "client_encoding": "UTF8"}
	config.Fallbacks, config.ConnectTimeout, config.MaxProtocolMessageBodyLen = nil, 0, maxMessage
	config.SSLNegotiation, config.SSLCertMode, config.OAuthTokenProvider = "", "", nil
	config.ValidateConnect, config.AfterConnect, config.AfterNetConnect = nil, nil, nil
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = route.Dial
	return config, secure(config, l, route)
}

// modes are the values of sslmode. verify-ca also compares the name: a certificate of just anybody proves nothing.
func modes() map[string]login.Encryption {
	return map[string]login.Encryption{
		"": login.Unset, "disable": login.Off, "allow": login.Prefer, "prefer": login.Prefer, "require": login.Require,
		"verify-ca": login.Verify, "verify-full": login.Verify,
	}
}

// secure sets TLS as the URL's sslmode says.
func secure(config *pgconn.Config, l *login.Login, route *login.Route) error {
	wanted, ok := modes()[l.Query.Get("sslmode")]
	if !ok {
		return tool.Invalid("the sslmode of the URL in %s is none of disable, prefer, require, verify-ca, verify-full", l.Secret)
	}
	encryption, err := l.Settle(route, wanted)
	if err != nil {
		return err
	}
	roots, err := authorities(l)
	if err != nil {
		return err
	}
	config.TLSConfig = l.TLS(encryption, roots)
	if encryption == login.Prefer {
		config.Fallbacks = []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port}}
	}
	return nil
}

// authorities reads the certificates of sslrootcert; nil are the system's.
func authorities(l *login.Login) (*x509.CertPool, error) {
	file := l.Query.Get("sslrootcert")
	if file == "" || file == "system" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, tool.Invalid("the file that sslrootcert of the URL in %s names cannot be read", l.Secret)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, tool.Invalid("the file that sslrootcert of the URL in %s names holds no certificate", l.Secret)
	}
	return pool, nil
}

// closing is how long the end of a connection may take.
const closing = 2 * time.Second

// end closes a session on which a statement may still run, and tells the server to stop that.
func (x *session) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if x.unfinished {
		_ = x.conn.CancelRequest(ctx) // the server's own time limit is the second way
	}
	_ = x.close()
}

func (x *session) close() error {
	if x.broken {
		return x.conn.Conn().Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return x.conn.Close(ctx)
}
