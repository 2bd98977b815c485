// Package bolt keeps a store in one file of bbolt, for one process at a time.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/direct"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/gate"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/medium"
)

// bucket holds all entries.
var bucket = []byte("zvault")

// Store is a storage.Backend.
//
// A View that stays open makes the file grow, and a writer wait once the file passes 1 GiB and has to be mapped anew.
// The pages of the file have no checksums: damage in the middle of a value goes unseen here and is left to whoever
// sealed the value.
type Store struct {
	reader
	gate   gate.Gate
	db     *bbolt.DB
	path   string
	writer chan struct{} // one token
}

type reader = direct.Reader

var _ storage.Backend = (*Store)(nil)

// Open opens the file at path, which is created with mode 0600 if it is missing. It waits 10 s for another process to
// let go of it. On a medium that refuses writes the store can be read.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := medium.Locked(ctx, func() (*bbolt.DB, error) { return open(path) }, isLocked)
	if err != nil {
		return nil, fmt.Errorf("opening store %q: %w", path, err)
	}
	s := &Store{db: db, path: path, writer: make(chan struct{}, 1)}
	s.Through = s.View
	if err := s.prepare(); err != nil {
		return nil, errors.Join(s.name(classify(err)), db.Close())
	}
	return s, nil
}

// open tries once, first for reading and writing.
func open(path string) (*bbolt.DB, error) {
	db, err := openFile(path, false)
	if err = classifyOpen(err); errors.Is(err, storage.ErrReadOnly) {
		if db, readErr := openFile(path, true); readErr == nil {
			return db, nil
		}
	}
	return db, err
}

// openFile turns the panics that bbolt has for damaged files into errors and lets go of the file then.
func openFile(path string, readOnly bool) (db *bbolt.DB, err error) {
	var file *os.File
	returned := false
	defer func() {
		if !returned && file != nil {
			err = errors.Join(err, unlock(file), file.Close())
		}
	}()
	defer guard(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a file that is cut off within its free list
	options := *bbolt.DefaultOptions
	options.Timeout = 1 // nanosecond: one try
	options.ReadOnly = readOnly
	options.FreelistType = bbolt.FreelistMapType
	options.InitialMmapSize = mapSize()
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	db, err = bbolt.Open(path, 0o600, &options) // closes the file if it fails
	returned = true
	return db, err
}

// mapSize is how much of the address space is set aside, so that a growing file need not wait for readers. Windows
// would make the file that large.
func mapSize() int {
	if runtime.GOOS == "windows" || ^uint(0)>>32 == 0 {
		return 0
	}
	return 1 << 30
}

// prepare checks that the file is whole and ours, and makes the bucket in a new one.
func (s *Store) prepare() (err error) {
	defer guard(&err)
	var found, foreign bool
	err = s.db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(s.path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes of %d", storage.ErrCorrupt, info.Size(), tx.Size())
		}
		found = tx.Bucket(bucket) != nil
		first, _ := tx.Cursor().First()
		foreign = !found && first != nil
		return nil
	})
	switch {
	case err != nil:
		return err
	case foreign:
		return fmt.Errorf("%w: it is another program's bbolt file", storage.ErrCorrupt)
	case found || s.db.IsReadOnly():
		return nil
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	if !s.gate.Close() {
		return nil
	}
	return s.name(classify(s.db.Close()))
}

// isLocked reports whether another process holds the file.
func isLocked(err error) bool { return errors.Is(err, bolterrors.ErrTimeout) }

// name adds the file to an error that says something about it. One of the caller's function comes back as it is.
func (s *Store) name(err error) error {
	if !isOurs(err) {
		return err
	}
	return fmt.Errorf("store %q: %w", s.path, err)
}
