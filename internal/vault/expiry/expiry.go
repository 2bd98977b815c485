// Package expiry is the index of what ends by time: tokens and leases. It is kept in the order of time, so that finding what
// is due costs the same whether ten things are waiting or ten million, and nothing has to be loaded at start.
//
//	sys/expire/<milliseconds since 1970, 15 digits>/<kind>/<id>
//
// The names are stored in clear below the barrier, or they would have no order; an id must therefore tell nothing.
package expiry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

const folder = "sys/expire/"

// Kind is what ends.
type Kind string

// The kinds.
const (
	Token Kind = "t"
	Lease Kind = "l"
)

// Item is one entry of the index. Ref is kept sealed with it, to find what an ID that tells nothing stands for.
type Item struct {
	At   time.Time
	Kind Kind
	ID   string
	Ref  string
}

// ID makes an id that tells nothing of something that may.
func ID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func (i Item) name() string {
	return fmt.Sprintf("%s%015d/%s/%s", folder, max(i.At.UnixMilli(), 0), i.Kind, i.ID)
}

// Add puts an item into the index; one without a time never ends and is not kept.
func Add(ctx context.Context, tx storage.Tx, i Item) error {
	if i.At.IsZero() {
		return nil
	}
	return tx.Put(ctx, i.name(), []byte(i.Ref))
}

// Remove takes an item out, whose time must be the one it was added with.
func Remove(ctx context.Context, tx storage.Tx, i Item) error {
	if i.At.IsZero() {
		return nil
	}
	return tx.Delete(ctx, i.name())
}

// Due lists what has ended by now, earliest first, at most limit.
func Due(ctx context.Context, r storage.Reader, now time.Time, limit int) ([]Item, error) {
	entries, err := r.Scan(ctx, folder, "", limit)
	if err != nil {
		return nil, err
	}
	var due []Item
	for _, e := range entries {
		i, err := parse(e)
		if err != nil {
			return nil, err
		}
		if i.At.After(now) {
			break
		}
		due = append(due, i)
	}
	return due, nil
}

func parse(e storage.Entry) (Item, error) {
	parts := strings.Split(strings.TrimPrefix(e.Key, folder), "/")
	if len(parts) != 3 {
		return Item{}, fmt.Errorf("reading the expiry index: %w", storage.ErrCorrupt)
	}
	ms, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return Item{}, fmt.Errorf("reading the expiry index: %w", storage.ErrCorrupt)
	}
	return Item{At: time.UnixMilli(ms), Kind: Kind(parts[1]), ID: parts[2], Ref: string(e.Value)}, nil
}
