// Package direct gives a backend the reading methods that need no transaction of the caller's, by way of its View.
package direct

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Reader is a storage.Reader whose every call is a View of its own.
type Reader struct {
	// Through is the backend's View.
	Through func(ctx context.Context, fn func(storage.Reader) error) error
}

// Get implements storage.Reader.
func (d Reader) Get(ctx context.Context, key string) (value []byte, err error) {
	err = d.Through(ctx, func(r storage.Reader) (err error) {
		value, err = r.Get(ctx, key)
		return err
	})
	return value, err
}

// Scan implements storage.Reader.
func (d Reader) Scan(ctx context.Context, prefix, after string, limit int) (entries []storage.Entry, err error) {
	err = d.Through(ctx, func(r storage.Reader) (err error) {
		entries, err = r.Scan(ctx, prefix, after, limit)
		return err
	})
	return entries, err
}

// List implements storage.Reader.
func (d Reader) List(ctx context.Context, prefix, after string, limit int) (names []string, err error) {
	err = d.Through(ctx, func(r storage.Reader) (err error) {
		names, err = r.List(ctx, prefix, after, limit)
		return err
	})
	return names, err
}
