package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// SchemaVersion is the newest migration of this build.
const SchemaVersion = 1

// ErrNewer is returned for a database that a newer build has migrated.
var ErrNewer = errors.New("the database was written by a newer version of zvault; upgrade this one")

// migrate brings db to SchemaVersion. When it is there already, which is every time but the first, that costs one query.
func migrate(ctx context.Context, db *sqldb.DB) error {
	version, err := currentVersion(ctx, db)
	if err != nil {
		return err
	}
	switch {
	case version == SchemaVersion:
		return nil
	case version > SchemaVersion:
		return fmt.Errorf("opening schema version %d, this build knows %d: %w", version, SchemaVersion, ErrNewer)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	if db.Dialect() == sqldb.PostgreSQL {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db.SQL(), files)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", sqldb.Classify(err))
	}
	return nil
}

// currentVersion is 0 for a database without our tables.
func currentVersion(ctx context.Context, db *sqldb.DB) (int64, error) {
	var version sql.NullInt64
	err := db.View(ctx, func(q sqldb.Querier) error {
		return q.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	})
	if sqldb.IsNoTable(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", sqldb.Classify(err))
	}
	return version.Int64, nil
}
