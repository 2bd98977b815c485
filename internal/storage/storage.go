// Package storage is the key-value store beneath the barrier: opaque bytes under string keys, in byte order.
//
// It knows nothing of encryption; whoever needs it puts a barrier on top. Each backend is a folder below this one and
// passes the suite in storagetest.
//
// Keys are valid UTF-8 without NUL, a "/" in them makes folders for List. Everything is in the byte order of the keys,
// in whatever language or collation the medium sorts its own. An empty value is stored and is not the same as none.
package storage

import (
	"context"
	"errors"
)

// Limits that every backend honours alike; storing beyond them is ErrTooLarge.
const (
	MaxKey   = 1024     // bytes
	MaxValue = 16 << 20 // bytes
)

var (
	// ErrNotFound is returned by Get for a key that holds nothing.
	ErrNotFound = errors.New("not found")
	// ErrTooLarge is returned by Put for a key or value above the limits.
	ErrTooLarge = errors.New("entry too large")
	// ErrInvalidKey is returned for an empty key or one with a NUL or invalid UTF-8.
	ErrInvalidKey = errors.New("invalid key")
	// ErrReadOnly is returned when the medium refuses writes.
	ErrReadOnly = errors.New("storage is read-only")
	// ErrFull is returned when the medium has no room left. The store is unchanged.
	ErrFull = errors.New("storage is full")
	// ErrCorrupt is returned when what is stored is damaged or is not a store of ours.
	ErrCorrupt = errors.New("storage is damaged")
	// ErrLocked is returned when another process or transaction keeps a lock for too long.
	ErrLocked = errors.New("storage is locked")
	// ErrUnavailable is returned when the medium or the server cannot be reached or opened.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("storage is closed")
)

// Entry is a key with its value.
type Entry struct {
	Key   string
	Value []byte
}

// Reader reads one consistent state. Values it returns belong to the caller.
type Reader interface {
	// Get returns the value under key, or ErrNotFound. An empty value is an empty slice, not nil.
	Get(ctx context.Context, key string) ([]byte, error)
	// Scan returns the entries whose keys start with prefix and sort after the key after (which need not exist; ""
	// starts at the beginning), in byte order of their keys, at most limit of them (0: all).
	Scan(ctx context.Context, prefix, after string, limit int) ([]Entry, error)
	// List returns what lies directly below prefix, which is empty or ends in "/": names relative to it, in byte order,
	// a folder with its trailing "/", each once; after and limit as in Scan, after being a name. A key that equals
	// prefix has no name below it and is left out. Another prefix is ErrInvalidKey.
	List(ctx context.Context, prefix, after string, limit int) ([]string, error)
}

// Tx is a transaction: what it reads includes what it wrote. It is used by one goroutine, until fn returns.
type Tx interface {
	Reader
	// Put stores value under key.
	Put(ctx context.Context, key string, value []byte) error
	// Delete removes key; a key that holds nothing is no error.
	Delete(ctx context.Context, key string) error
}

// Backend is a store. All methods are safe for concurrent use; where the medium can be shared between processes, for
// use by several processes at once as well. View and Update must not be called from within fn on the same store: it
// may wait for itself. Errors wrap the sentinels above and name the file or server.
type Backend interface {
	Reader
	// View calls fn with one consistent state.
	View(ctx context.Context, fn func(Reader) error) error
	// Update calls fn in a serializable transaction and commits durably when fn returns nil; otherwise nothing is
	// changed. A conflict with another writer is retried, so fn may be called more than once.
	Update(ctx context.Context, fn func(Tx) error) error
	// Close releases the store. Calls under way finish first; later ones get ErrClosed. Closing again does nothing.
	Close() error
}
