// Package pebble keeps a store in a folder of Pebble, for one process at a time: a log-structured tree, for many writes.
package pebble

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/direct"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/gate"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/medium"
)

// Reserve is how many bytes must stay free on the disk; an Update that would leave less is storage.ErrFull. Pebble
// cannot go on once a write has failed, so that must not come to pass.
const Reserve = 32 << 20

// Store is a storage.Backend. A View is a snapshot and hinders no writer.
type Store struct {
	reader
	gate     gate.Gate
	db       *pebble.DB
	fs       vfs.FS
	dir      string
	readOnly bool
	writer   chan struct{} // one token: a single writer is what makes transactions serializable
	broken   error         // guarded by writer: a commit failed, and Pebble takes no more
}

type reader = direct.Reader

var _ storage.Backend = (*Store)(nil)

// Open opens the store in folder dir, which is created for its owner only if it is missing. It waits 10 s for another
// process to let go of it. On a medium that refuses writes the store can be read.
func Open(ctx context.Context, dir string) (*Store, error) { return openOn(ctx, vfs.Default, dir) }

func openOn(ctx context.Context, fs vfs.FS, dir string) (*Store, error) {
	s := &Store{fs: fs, dir: dir, writer: make(chan struct{}, 1)}
	s.Through = s.View
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("opening store %q: %w", dir, classify(err))
	}
	var err error
	if s.db, err = medium.Locked(ctx, s.open, isLocked); err != nil {
		return nil, fmt.Errorf("opening store %q: %w", dir, err)
	}
	return s, nil
}

// prepare makes the folder, and refuses one in which something else lies.
func (s *Store) prepare() error {
	names, err := s.fs.List(s.dir)
	if errors.Is(err, os.ErrNotExist) {
		return s.fs.MkdirAll(s.dir, 0o700)
	}
	if err != nil {
		return err
	}
	desc, err := pebble.Peek(s.dir, s.fs)
	if err != nil {
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	if !desc.Exists && len(foreign(names)) > 0 {
		return fmt.Errorf("%w: there is no store in it, but %q", storage.ErrCorrupt, foreign(names)[0])
	}
	return nil
}

// open tries once, first for reading and writing.
func (s *Store) open() (*pebble.DB, error) {
	db, err := openDB(s.dir, s.fs, false)
	if err = classifyOpen(err); !errors.Is(err, storage.ErrReadOnly) {
		return db, err
	}
	if db, readErr := openDB(s.dir, unlocked{s.fs}, true); readErr == nil {
		s.readOnly = true
		return db, nil
	}
	return nil, err
}

func openDB(dir string, fs vfs.FS, readOnly bool) (db *pebble.DB, err error) {
	defer recoverFatal(&err)
	return pebble.Open(dir, &pebble.Options{
		FS:                 fs,
		ReadOnly:           readOnly,
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             logger{},
		EventListener:      &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}}, // the read returns it
	})
}

// Close implements storage.Backend. It moves what is only in the log into tables: these have checksums that tell
// damage from the end of the log.
func (s *Store) Close() (err error) {
	if !s.gate.Close() {
		return nil
	}
	defer func() { err = s.name(classify(err)) }()
	defer recoverFatal(&err)
	if !s.readOnly && s.broken == nil && s.room(0) == nil { // without room Flush would never return
		if err := s.db.Flush(); err != nil {
			return errors.Join(err, s.db.Close())
		}
	}
	return s.db.Close()
}

// name adds the folder to an error that says something about it. One of the caller's function comes back as it is.
func (s *Store) name(err error) error {
	if !isOurs(err) {
		return err
	}
	return fmt.Errorf("store %q: %w", s.dir, err)
}
