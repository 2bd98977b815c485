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

// errExhausted aborts a transaction that needs a use of a key that has none left; it is run again with the next key.
var errExhausted = errors.New("the key has no uses left")

// reservation is what this process may still use of the active key.
type reservation struct {
	left, block uint64
}

// take uses one of the process's uses; false means that there is none left.
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

// grant is a block that a transaction has taken. What is left of it belongs to the process once that is committed.
type grant struct {
	b           *Barrier
	left, block uint64
}

// use takes one use of the active key, within a transaction.
func (g *grant) use(ctx context.Context, tx storage.Tx, id crypt.KeyID) error {
	if g.left == 0 && g.b.take() {
		return nil
	}
	if g.left == 0 {
		if err := g.more(ctx, tx, id); err != nil {
			return err
		}
	}
	g.left--
	return nil
}

func (g *grant) more(ctx context.Context, tx storage.Tx, id crypt.KeyID) error {
	count, err := readUses(ctx, tx, id)
	if err != nil {
		return err
	}
	g.b.usesMu.Lock()
	block := min(max(2*g.block, 2*g.b.uses.block, firstBlock), mostBlock)
	g.b.usesMu.Unlock()
	if count+block > crypt.MaxUses {
		return errExhausted
	}
	g.left, g.block = block, block
	return tx.Put(ctx, usesKey(id), binary.BigEndian.AppendUint64(nil, count+block))
}

// keep gives the process what is left, after the commit.
func (g *grant) keep() {
	if g.block == 0 {
		return
	}
	g.b.usesMu.Lock()
	defer g.b.usesMu.Unlock()
	g.b.uses.left += g.left
	g.b.uses.block = g.block
}

// sealing runs a transaction of the store that seals with the active key. When the key has no uses left it is rotated and
// the transaction run again.
func (b *Barrier) sealing(ctx context.Context, fn func(*keyring, storage.Tx, *grant) error) error {
	once := func() error {
		return b.withReload(ctx, func(ring *keyring) error {
			var g *grant
			err := b.store.Update(ctx, func(tx storage.Tx) error {
				g = &grant{b: b}
				return fn(ring, tx, g)
			})
			if err == nil {
				g.keep()
			}
			return err
		})
	}
	err := once()
	if !errors.Is(err, errExhausted) {
		return err
	}
	if _, err := b.Rotate(ctx); err != nil {
		return err
	}
	return once()
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
