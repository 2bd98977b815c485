package logical

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Storage is the part of the vault's store that belongs to one mount. Names are relative to it. It is safe for concurrent use.
type Storage interface {
	storage.Reader
	// View calls fn with one consistent state.
	View(ctx context.Context, fn func(storage.Reader) error) error
	// Update calls fn in a serializable transaction and returns once it is durable. fn may run more than once and beside the
	// transactions of others in one commit: it must be quick and must not call Storage itself.
	Update(ctx context.Context, fn func(storage.Tx) error) error
	// Decoded returns what decode makes of the entry, from memory if the entry has not changed since it was last decoded.
	// What it returns is shared: nobody may change it. It is ErrNotFound for an entry that is not there.
	Decoded(ctx context.Context, name string, decode func([]byte) (any, error)) (any, error)
}

// Load returns the entry name, decoded from JSON into a T and kept in memory: shared, so nobody may change it. It returns nil
// if there is no such entry.
func Load[T any](ctx context.Context, s Storage, name string) (*T, error) {
	v, err := Decode(ctx, s, name, decodeJSON[T])
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

// Decode is Storage.Decoded for a function that makes a T. It is an error if the entry was decoded to something else before.
func Decode[T any](ctx context.Context, s Storage, name string, decode func([]byte) (*T, error)) (*T, error) {
	v, err := s.Decoded(ctx, name, func(raw []byte) (any, error) { return decode(raw) })
	if err != nil {
		return nil, err
	}
	decoded, ok := v.(*T)
	if !ok {
		return nil, fmt.Errorf("reading an entry of the vault: it was decoded to %T before", v)
	}
	return decoded, nil
}

func decodeJSON[T any](raw []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, err
	}
	return v, nil
}

// Get reads an entry as JSON into a new T within a transaction or view; nil if there is none.
func Get[T any](ctx context.Context, r storage.Reader, name string) (*T, error) {
	raw, err := r.Get(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("reading an entry of the vault: %w", errors.Join(storage.ErrCorrupt, err))
	}
	return v, nil
}

// Put writes v as JSON within a transaction.
func Put(ctx context.Context, tx storage.Tx, name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing an entry of the vault: %w", err)
	}
	return tx.Put(ctx, name, raw)
}

// Store is Put in a transaction of its own.
func Store(ctx context.Context, s Storage, name string, v any) error {
	return s.Update(ctx, func(tx storage.Tx) error { return Put(ctx, tx, name, v) })
}

// Remove deletes entries in a transaction of its own.
func Remove(ctx context.Context, s Storage, names ...string) error {
	return s.Update(ctx, func(tx storage.Tx) error {
		for _, n := range names {
			if err := tx.Delete(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
}
