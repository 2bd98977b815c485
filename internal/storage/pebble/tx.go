package pebble

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/keyspace"
)

// View implements storage.Backend.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	snapshot := s.db.NewSnapshot()
	defer func() { _ = snapshot.Close() }() // fails only when closed before
	return s.name(fn(&tx{r: snapshot}))
}

// Update implements storage.Backend.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.readOnly {
		return s.name(storage.ErrReadOnly)
	}
	select {
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.broken != nil {
		return s.name(s.broken)
	}
	batch := s.db.NewIndexedBatch()
	defer func() { _ = batch.Close() }() // gives memory back
	if err := fn(&tx{r: batch, w: batch}); err != nil {
		return s.name(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.name(s.commit(batch))
}

// commit writes the batch and waits until it is on the disk.
func (s *Store) commit(batch *pebble.Batch) error {
	if batch.Empty() {
		return nil
	}
	if err := s.room(batch.Len()); err != nil {
		return err
	}
	if err := commitSync(batch); err != nil {
		s.broken = fmt.Errorf("%w: an earlier write failed: %w", storage.ErrUnavailable, err)
		return classify(err)
	}
	return nil
}

func commitSync(batch *pebble.Batch) (err error) {
	defer recoverFatal(&err)
	return batch.Commit(pebble.Sync)
}

// room makes sure that the disk can take a batch of n bytes: in the log, in a table, and once more when that is
// rewritten.
func (s *Store) room(n int) error {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		return classify(err)
	}
	if need := Reserve + 3*uint64(n); usage.AvailBytes < need {
		return fmt.Errorf("%w: %d MiB are left and %d needed", storage.ErrFull, usage.AvailBytes>>20, need>>20)
	}
	return nil
}

// tx is a transaction; w is nil in a View.
type tx struct {
	r pebble.Reader
	w *pebble.Batch
}

func (t *tx) Get(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	found, closer, err := t.r.Get([]byte(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, storage.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading key %q: %w", key, classify(err))
	}
	value := append([]byte{}, found...)
	if err := closer.Close(); err != nil {
		return nil, fmt.Errorf("reading key %q: %w", key, classify(err))
	}
	return value, nil
}

func (t *tx) Put(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := keyspace.CheckEntry(key, value); err != nil {
		return err
	}
	return classify(t.w.Set([]byte(key), value, nil))
}

func (t *tx) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return classify(t.w.Delete([]byte(key), nil))
}

func (t *tx) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var entries []storage.Entry
	err := t.each(ctx, prefix, keyspace.Start(prefix, after), limit, func(it *pebble.Iterator) error {
		value, err := it.ValueAndErr()
		entries = append(entries, storage.Entry{Key: string(it.Key()), Value: append([]byte{}, value...)})
		return err
	})
	return entries, err
}

func (t *tx) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return keyspace.List(prefix, after, limit, func(from string, limit int) ([]string, error) {
		var keys []string
		err := t.each(ctx, prefix, from, limit, func(it *pebble.Iterator) error {
			keys = append(keys, string(it.Key()))
			return nil
		})
		return keys, err
	})
}

// each calls fn at most limit times (0: no limit) for the entries below prefix that are not below from.
func (t *tx) each(ctx context.Context, prefix, from string, limit int, fn func(*pebble.Iterator) error) (err error) {
	var options pebble.IterOptions
	if from != "" {
		options.LowerBound = []byte(from)
	}
	if end, ok := keyspace.End(prefix); ok {
		options.UpperBound = []byte(end)
		if end <= from {
			return nil
		}
	}
	it, err := t.r.NewIterWithContext(ctx, &options)
	if err != nil {
		return fmt.Errorf("reading keys below %q: %w", prefix, classify(err))
	}
	defer func() {
		if err = errors.Join(err, it.Close()); err != nil {
			err = fmt.Errorf("reading keys below %q: %w", prefix, classify(err))
		}
	}()
	n := 0
	for ok := it.First(); ok && (limit == 0 || n < limit); ok = it.Next() {
		if err := fn(it); err != nil {
			return err
		}
		n++
	}
	return it.Error()
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return keyspace.Check(key)
}
