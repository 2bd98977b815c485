package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Where nodes share a database, these entries say what has changed:
//
//	sys/vault/revision          8 bytes, big endian: how many commits there were
//	sys/vault/changes/<number>  JSON: the names that a commit changed; the last keepChanges of them
const (
	revisionName  = "sys/vault/revision"
	changesFolder = "sys/vault/changes/"
	keepChanges   = 4096
)

func changesName(revision uint64) string { return fmt.Sprintf("%s%020d", changesFolder, revision) }

// note writes down, within a commit, what it changes.
func note(ctx context.Context, tx storage.Tx, written map[string][]byte) error {
	revision, err := readRevision(ctx, tx)
	if err != nil {
		return err
	}
	revision++
	names := make([]string, 0, len(written))
	for name := range written {
		names = append(names, name)
	}
	raw, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := tx.Put(ctx, revisionName, binary.BigEndian.AppendUint64(nil, revision)); err != nil {
		return err
	}
	if err := tx.Put(ctx, changesName(revision), raw); err != nil {
		return err
	}
	if revision <= keepChanges {
		return nil
	}
	return tx.Delete(ctx, changesName(revision-keepChanges))
}

// Leap moves the revision on so far that every node forgets all that it remembers: the store has been replaced by another state.
func (s *Store) Leap(ctx context.Context) error {
	known := s.revision.Load()
	s.cache.dropAll()
	return s.backend.Update(ctx, func(tx storage.Tx) error {
		now, err := readRevision(ctx, tx)
		if err != nil {
			return err
		}
		return tx.Put(ctx, revisionName, binary.BigEndian.AppendUint64(nil, max(now, known)+keepChanges))
	})
}

func readRevision(ctx context.Context, r storage.Reader) (uint64, error) {
	raw, err := r.Get(ctx, revisionName)
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, fmt.Errorf("reading the revision of the vault: %w", storage.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(raw), nil
}

// Refresh makes what is read after it at least as new as the call. It does nothing for a store that belongs to this process.
func (s *Store) Refresh(ctx context.Context) error {
	if !s.shared {
		return nil
	}
	return s.fresh.wait(ctx)
}

// look reads the revision and forgets what has changed since the last look.
func (s *Store) look(ctx context.Context) error {
	now, err := readRevision(ctx, s.backend)
	if err != nil {
		return err
	}
	known := s.revision.Load()
	if now == known {
		return nil
	}
	if err := s.forget(ctx, known, now); err != nil {
		return err
	}
	s.revision.Store(now)
	return nil
}

// forget drops what was changed by the commits after known up to now; everything if that is not written down any more.
func (s *Store) forget(ctx context.Context, known, now uint64) error {
	if known == 0 || now < known || now-known >= keepChanges/2 {
		s.cache.dropAll()
		return nil
	}
	changes, err := s.backend.Scan(ctx, changesFolder, changesName(known), int(now-known))
	if err != nil {
		return err
	}
	if uint64(len(changes)) != now-known || changes[len(changes)-1].Key != changesName(now) {
		s.cache.dropAll()
		return nil
	}
	for _, c := range changes {
		var names []string
		if err := json.Unmarshal(c.Value, &names); err != nil {
			return fmt.Errorf("reading what a commit changed: %w", errors.Join(storage.ErrCorrupt, err))
		}
		for _, name := range names {
			s.cache.drop(name)
		}
	}
	return nil
}

// refresher lets all who wait while one look is under way share the next one.
type refresher struct {
	look func(context.Context) error

	mu      sync.Mutex
	next    *flight // the look that has not begun
	running bool
}

type flight struct {
	done chan struct{}
	err  error
}

// lookTime bounds one look: a database that does not answer must become an error, not a wait without end.
const lookTime = 5 * time.Second

func (r *refresher) wait(ctx context.Context) error {
	r.mu.Lock()
	if r.next == nil {
		r.next = &flight{done: make(chan struct{})}
	}
	f := r.next
	if !r.running {
		r.running = true
		go r.run()
	}
	r.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *refresher) run() {
	for {
		r.mu.Lock()
		f := r.next
		r.next = nil
		if f == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), lookTime)
		f.err = r.look(ctx)
		cancel()
		close(f.done)
	}
}
