package sqldb

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite/lib"
)

// dsnOptions: write transactions take the lock when they begin, so that they cannot fail halfway; names in double
// quotes are never strings; statements cannot damage the file.
const dsnOptions = "_txlock=immediate&_dqs=0&_defensive=1"

// smallestFile is one page of the smallest size. SQLite takes some shorter files for empty ones.
const smallestFile = 512

var (
	memoryCount atomic.Int64
	creating    sync.Mutex
)

// memoryName returns the URI of a new database in memory that several connections can share.
// See https://www.sqlite.org/src/doc/trunk/src/memdb.c.
func memoryName() string {
	return fmt.Sprintf("file:/zvault-%d?vfs=memdb&%s", memoryCount.Add(1), dsnOptions)
}

// fileURI returns path as SQLite wants it, see https://www.sqlite.org/uri.html.
func fileURI(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	full = filepath.ToSlash(full)
	if !strings.HasPrefix(full, "/") {
		full = "/" + full // a Windows drive
	}
	return "file:" + (&url.URL{Path: full}).EscapedPath() + "?" + dsnOptions, nil
}

// ensureFile makes the file for its owner only before SQLite sees it. SQLite gives the files beside it the same mode.
// The lock keeps a second opener of this process away until our descriptor is closed: closing it would drop the
// record locks that the other might hold by then.
func ensureFile(path string, mustExist bool) error {
	if strings.ContainsRune(path, 0) {
		return fmt.Errorf("opening: %w: NUL in the path", fs.ErrInvalid)
	}
	creating.Lock()
	defer creating.Unlock()
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("opening: %w: not a regular file", ErrCorrupt)
	case err == nil && info.Size() > 0 && info.Size() < smallestFile:
		return fmt.Errorf("opening: %w: %d bytes are no database", ErrCorrupt, info.Size())
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist) || mustExist:
		return fmt.Errorf("opening: %w", cause(err))
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating: %w", classifyFile(err))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("creating: %w", classifyFile(err))
	}
	return nil
}

// cause drops the path from a file error, as the caller names it.
func cause(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// refusesWrites reports whether opening the database failed with err because its medium takes no writes.
func refusesWrites(err error, path string) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
	default:
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
