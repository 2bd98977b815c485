package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"

	"modernc.org/sqlite"
)

// applicationID marks our databases in the file's header, as https://www.sqlite.org/fileformat.html lays out: "ZVLT".
const applicationID = 0x5a564c54

// commonPageSize is the page size of the files that we make.
const commonPageSize = 4096

// connector makes connections with our settings.
type connector struct {
	driver.Connector
	settings string // one script, run on each new connection
}

// newConnector does not open anything.
func newConnector(uri string, opts Options) (*connector, error) {
	base, err := sqlite.NewConnector(uri)
	if err != nil {
		return nil, err
	}
	sync := "full"
	if opts.NormalSync {
		sync = "normal"
	}
	wait := opts.LockWait.Milliseconds()
	if wait == 0 || wait > 10_000 {
		wait = 10_000
	}
	return &connector{base, fmt.Sprintf("pragma busy_timeout=%d;pragma synchronous=%s;"+
		"pragma foreign_keys=1;pragma secure_delete=1;pragma trusted_schema=0;pragma cell_size_check=1;"+
		"pragma temp_store=memory", wait, sync)}, nil
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("the driver's connections execute nothing"), conn.Close())
	}
	if _, err := execer.ExecContext(ctx, c.settings, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// setProcessWide makes commits cheaper without making them weaker, and locks that are not lost when some other code
// of this process opens and closes the database file. Where the system has neither, SQLite's defaults do.
var setProcessWide = sync.OnceFunc(func() {
	_, _ = sqlite.Fdatasync(true)
	_, _ = sqlite.OFDLocking(true)
})

// prepareFile reads the file's header, which tells a damaged file from an intact one, and makes a new file ours. It
// changes nothing in a file that is not.
func prepareFile(ctx context.Context, db *sql.DB, path string) error {
	err := checkOwner(ctx, db)
	blank := errors.Is(err, errBlank)
	if err != nil && !blank {
		return err
	}
	if err := checkWhole(ctx, db, path); err != nil {
		return err
	}
	var mode string
	if err := db.QueryRowContext(ctx, "pragma journal_mode=wal").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("switching to a write-ahead log: %w: the file system keeps it in mode %q", ErrUnavailable, mode)
	}
	if blank {
		_, err := db.ExecContext(ctx, fmt.Sprintf("pragma application_id=%d", applicationID))
		return err
	}
	return nil
}

// checkWhole finds a file that was cut off in its last page, where SQLite would read zeros. While a write-ahead log holds
// anything, the end of the file may be on its way.
func checkWhole(ctx context.Context, db *sql.DB, path string) error {
	for range 2 { // a log may have come and gone in between
		if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size()%commonPageSize == 0 {
			return nil
		}
		var pageSize int64
		if err := db.QueryRowContext(ctx, "pragma page_size").Scan(&pageSize); err != nil {
			return err
		}
		if info.Size()%pageSize == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: the file is cut off in the middle of a page", ErrCorrupt)
}

// errBlank says that a database holds nothing yet.
var errBlank = errors.New("database is empty")

// checkOwner returns nil for a database of ours, errBlank for an empty one and ErrCorrupt for another program's.
func checkOwner(ctx context.Context, db *sql.DB) error {
	var id, objects int64
	if err := db.QueryRowContext(ctx, "pragma application_id").Scan(&id); err != nil || id == applicationID {
		return err
	}
	// Again with what is in it, in one statement, as another process may be about to make it ours.
	err := db.QueryRowContext(ctx,
		"select application_id, (select count(*) from sqlite_schema) from pragma_application_id").Scan(&id, &objects)
	switch {
	case err != nil || id == applicationID:
		return err
	case id == 0 && objects == 0:
		return errBlank
	}
	return fmt.Errorf("%w: it is another program's SQLite database", ErrCorrupt)
}
