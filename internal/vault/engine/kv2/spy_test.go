package kv2_test

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// spy tells what the transactions of a test changed.
type spy struct {
	*cached
	seen *recorded
}

func (s *spy) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return s.cached.Update(ctx, func(tx storage.Tx) error {
		s.seen.Tx, s.seen.names = tx, nil
		return fn(s.seen)
	})
}
