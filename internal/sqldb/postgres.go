package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// OpenPostgres connects to the PostgreSQL database at url: postgres://user:password@host:port/database, or libpq's
// key=value form. It fails with ErrUnavailable when the server does not answer. The error never holds the url, as that
// has a password in it.
//
// Statements are sent without being prepared on the server and no session state is relied on, so a pooler in
// transaction mode, such as PgBouncer, may stand in between. SQL().SetMaxOpenConns changes the pool, which has at most
// 16 connections.
func OpenPostgres(ctx context.Context, url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("parsing the database URL: want postgres://user:password@host:port/database?option=value")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(4)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db := &DB{
		sql: pool, dialect: PostgreSQL, wait: defaultWait,
		name: fmt.Sprintf("%s/%s", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), config.Database),
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, db.describe(errors.Join(fmt.Errorf("connecting: %w", err), pool.Close()))
	}
	return db, nil
}
