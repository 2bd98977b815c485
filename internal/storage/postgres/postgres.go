// Package postgres keeps a store in a table of a PostgreSQL database, which other tables may share.
package postgres

import (
	"context"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/sqlkv"
)

// New returns a store in table kv of db, which it makes if it is missing. Any number of processes can use it at
// once. Closing the store leaves db open: that is the caller's.
func New(ctx context.Context, db *sqldb.DB) (storage.Backend, error) {
	if db.Dialect() != sqldb.PostgreSQL {
		return nil, fmt.Errorf("opening a PostgreSQL store: the database is %s", db.Dialect())
	}
	return sqlkv.New(ctx, db)
}
