package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Options are the choices for OpenSQLite. The zero value is right for a vault.
type Options struct {
	// NormalSync makes Update return before the data has reached the disk. The last transactions are then lost in a
	// power failure, though not when the process is killed; the file stays intact either way.
	NormalSync bool
	// MustExist refuses to create the file; the error then is fs.ErrNotExist.
	MustExist bool
	// LockWait is how long Update tries to get past other writers; 0 means 30 s.
	LockWait time.Duration
	// Connections is the most connections open at once; 0 means 8. They are made when needed: a process that does one
	// thing at a time has one.
	Connections int
}

// OpenSQLite opens the database in the file at path, which is created with mode 0600 if it is not there; the files
// beside it that SQLite needs get the same mode. Path "" gives a database in memory, which ends with Close.
//
// The file is in WAL mode, with foreign keys enforced and deleted data overwritten. Any number of processes on one
// machine may have it open. On a medium that refuses writes it is opened for reading if it was closed properly, see
// DB.ReadOnly. A file that is damaged or not ours is ErrCorrupt.
func OpenSQLite(ctx context.Context, path string, opts Options) (*DB, error) {
	db := &DB{dialect: SQLite, name: path, wait: opts.LockWait, writer: make(chan struct{}, 1)}
	if db.wait == 0 {
		db.wait = defaultWait
	}
	if path == "" {
		db.name = ":memory:"
		if err := db.openMemory(ctx, opts); err != nil {
			return nil, db.describe(fmt.Errorf("opening: %w", err))
		}
		return db, nil
	}
	if err := ensureFile(path, opts.MustExist); err != nil {
		return nil, &described{path, err}
	}
	if err := db.openFile(ctx, path, opts); err != nil {
		return nil, db.describe(fmt.Errorf("opening: %w", err))
	}
	return db, nil
}

func (db *DB) openMemory(ctx context.Context, opts Options) error {
	c, err := newConnector(memoryName(), opts)
	if err != nil {
		return err
	}
	if db.anchor, err = c.Connect(ctx); err != nil {
		return err
	}
	db.pool(c, opts)
	return nil
}

func (db *DB) openFile(ctx context.Context, path string, opts Options) error {
	uri, err := fileURI(path)
	if err != nil {
		return err
	}
	setProcessWide()
	c, err := newConnector(uri, opts)
	if err != nil {
		return err
	}
	db.pool(c, opts)
	err = retry(ctx, time.Now().Add(db.wait), func() error { return prepareFile(ctx, db.sql, path) })
	if err != nil && refusesWrites(err, path) {
		return db.openReadOnly(ctx, path, uri, opts, err)
	}
	if err != nil {
		return errors.Join(err, db.sql.Close())
	}
	return nil
}

// pool opens no connection yet.
func (db *DB) pool(c driver.Connector, opts Options) {
	db.sql = sql.OpenDB(c)
	n := opts.Connections
	if n == 0 {
		n = 8
	}
	db.sql.SetMaxOpenConns(n)
	db.sql.SetMaxIdleConns(n)
}

// openReadOnly opens a file whose medium took no writes, which was the error first. SQLite cannot share such a file
// with writers, as that takes a file beside it; so it is read as one that does not change, and only if no
// write-ahead log lies beside it, which every process that writes keeps there.
func (db *DB) openReadOnly(ctx context.Context, path, uri string, opts Options, first error) error {
	if err := db.sql.Close(); err != nil {
		return err
	}
	info, err := os.Stat(path + "-wal")
	if err == nil && info.Size() > 0 {
		return fmt.Errorf("%w, and its last changes are still in %q: %w", ErrReadOnly, path+"-wal", first)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c, err := newConnector(uri+"&mode=ro&immutable=1", opts)
	if err != nil {
		return err
	}
	db.readOnly = true
	db.pool(c, opts)
	if err := checkOwner(ctx, db.sql); err != nil && !errors.Is(err, errBlank) {
		return errors.Join(err, db.sql.Close())
	}
	return nil
}
