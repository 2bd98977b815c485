package barrier

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// A key may seal crypt.MaxUses envelopes, counted over all processes. Each process takes uses in blocks: it adds the block
// to the count in the store before it uses any of it, so a crash wastes uses but never repeats them. Blocks start small,
// for a command that writes once, and grow.
const (
	usesPrefix = "core/uses/"
	firstBlock = 16
	mostBlock  = 1 << 16
)

func usesKey(id crypt.KeyID) string { return fmt.Sprintf("%s%d", usesPrefix, id) }

// errNeedUses aborts a transaction that has used up its block; it is run again with a larger one.
var errNeedUses = errors.New("more uses of the key are needed")

// reservation is what this process may still use of the active key.
type reservation struct {
	left, block uint64
}

// take uses one; false means that there is none left.
func (b *Barrier) take() bool {
	b.usesMu.Lock()
	defer b.usesMu.Unlock()
	if b.uses.left == 0 {
		return false
	}
	b.uses.left--
	return true
}

// forgetUses drops the block: the key it was for is active no more.
func (b *Barrier) forgetUses() {
	b.usesMu.Lock()
	defer b.usesMu.Unlock()
	b.uses = reservation{}
}

// reserve makes sure of n uses and takes them.
func (b *Barrier) reserve(ctx context.Context, n uint64) error {
	return b.withUses(ctx, func() error {
		for range n {
			if !b.take() {
				return errNeedUses
			}
		}
		return nil
	})
}

// withUses runs fn, and again with another block each time it runs out of uses.
func (b *Barrier) withUses(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		if !errors.Is(err, errNeedUses) {
			return err
		}
		if err := b.refill(ctx); err != nil {
			return err
		}
	}
}

// refill takes another block for the active key, which it rotates when that is used up.
func (b *Barrier) refill(ctx context.Context) error {
	ring, err := b.keys()
	if err != nil {
		return err
	}
	b.usesMu.Lock()
	block := min(max(2*b.uses.block, firstBlock), mostBlock)
	b.usesMu.Unlock()
	id, exhausted := ring.values.ActiveID(), false
	err = b.store.Update(ctx, func(tx storage.Tx) error {
		count, err := readUses(ctx, tx, id)
		if err != nil {
			return err
		}
		if exhausted = count+block > crypt.MaxUses; exhausted {
			return nil
		}
		return tx.Put(ctx, usesKey(id), binary.BigEndian.AppendUint64(nil, count+block))
	})
	if err != nil {
		return fmt.Errorf("reserving uses of the key: %w", err)
	}
	if exhausted {
		_, err := b.Rotate(ctx)
		return err
	}
	b.usesMu.Lock()
	defer b.usesMu.Unlock()
	b.uses.left += block
	b.uses.block = block
	return nil
}

func readUses(ctx context.Context, r storage.Reader, id crypt.KeyID) (uint64, error) {
	raw, err := r.Get(ctx, usesKey(id))
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, fmt.Errorf("reading the use count of key %d: %w", id, storage.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(raw), nil
}
