// Package keyspace holds what all backends do alike with keys: checking them, the end of a prefix, and folders.
package keyspace

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Check returns storage.ErrInvalidKey for a key that nothing can be stored under.
func Check(key string) error {
	if key == "" || strings.IndexByte(key, 0) >= 0 || !utf8.ValidString(key) {
		return fmt.Errorf("key %q: %w", clip(key), storage.ErrInvalidKey)
	}
	return nil
}

// CheckEntry is Check and the limits on what Put takes.
func CheckEntry(key string, value []byte) error {
	if err := Check(key); err != nil {
		return err
	}
	if len(key) > storage.MaxKey {
		return fmt.Errorf("key %q of %d bytes, at most %d: %w", clip(key), len(key), storage.MaxKey, storage.ErrTooLarge)
	}
	if len(value) > storage.MaxValue {
		return fmt.Errorf("value of %d bytes under %q, at most %d: %w", len(value), key, storage.MaxValue, storage.ErrTooLarge)
	}
	return nil
}

// clip keeps a message short.
func clip(key string) string {
	const most = 64
	if len(key) > most {
		return key[:most] + "..."
	}
	return key
}

// End returns the smallest string above all that start with prefix; ok is false if there is none, which is so for "".
func End(prefix string) (end string, ok bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// Start returns the smallest key that Scan(prefix, after) may return.
func Start(prefix, after string) string {
	if after != "" && after >= prefix {
		return after + "\x00"
	}
	return prefix
}
