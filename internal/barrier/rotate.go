package barrier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// reencryptBatch is how many entries one transaction of Reencrypt looks at.
const reencryptBatch = 100

// Generation describes one key of the keyring.
type Generation struct {
	ID      crypt.KeyID `json:"id"`
	Created time.Time   `json:"created"`
	Active  bool        `json:"active"`
	// Uses is how many envelopes it may have sealed: what processes have reserved.
	Uses uint64 `json:"uses"`
}

// Keyring lists the generations, oldest first.
func (b *Barrier) Keyring(ctx context.Context) ([]Generation, error) {
	ring, err := b.keys()
	if err != nil {
		return nil, err
	}
	var out []Generation
	for _, id := range ring.values.IDs() {
		uses, err := readUses(ctx, b.store, id)
		if err != nil {
			return nil, err
		}
		out = append(out, Generation{ID: id, Created: ring.created[id], Active: id == ring.values.ActiveID(), Uses: uses})
	}
	return out, nil
}

// change rewrites the keyring in one transaction: as it is stored now, not as this process remembers it. fn changes it and
// returns the root key to store it under.
func (b *Barrier) change(ctx context.Context, fn func(*keyring, storage.Tx) (*crypt.Key, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ring == nil {
		return ErrSealed
	}
	var changed *keyring
	err := b.store.Update(ctx, func(tx storage.Tx) error {
		ring, err := loadKeyring(ctx, tx, b.root)
		if err != nil {
			return err
		}
		root, err := fn(ring, tx)
		if err != nil {
			return err
		}
		changed = ring
		return ring.put(ctx, tx, root)
	})
	if err != nil {
		return err
	}
	b.ring = changed
	b.forgetUses()
	return nil
}

// Rotate adds a generation, which seals from now on, and returns its id. What older ones sealed stays readable.
func (b *Barrier) Rotate(ctx context.Context) (crypt.KeyID, error) {
	var id crypt.KeyID
	err := b.change(ctx, func(ring *keyring, _ storage.Tx) (*crypt.Key, error) {
		ids := ring.values.IDs()
		id = ids[len(ids)-1] + 1
		return b.root, ring.add(id, b.clock())
	})
	if err != nil {
		return 0, fmt.Errorf("rotating the key: %w", err)
	}
	return id, nil
}

// Rekey puts the keyring under another root key. extra, if not nil, runs in the same transaction: what says how to get the
// new root key is stored with it or not at all.
func (b *Barrier) Rekey(ctx context.Context, root *crypt.Key, extra func(storage.Tx) error) error {
	kept, err := copyKey(root)
	if err != nil {
		return err
	}
	err = b.change(ctx, func(_ *keyring, tx storage.Tx) (*crypt.Key, error) {
		if extra == nil {
			return kept, nil
		}
		return kept, extra(tx)
	})
	if err != nil {
		kept.Destroy()
		return fmt.Errorf("changing the root key: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.root.Destroy()
	b.root = kept
	return nil
}

// Reencrypt seals every entry anew that an older generation sealed, a batch in each transaction, while others read and
// write. It may be stopped and called again. progress, if not nil, hears how many of how many were looked at.
func (b *Barrier) Reencrypt(ctx context.Context, progress func(done, total int)) error {
	all, err := b.store.Scan(ctx, "", "", 0)
	if err != nil {
		return fmt.Errorf("listing entries: %w", err)
	}
	names := make([]string, 0, len(all))
	for _, e := range all {
		if !isOwn(e.Key) {
			names = append(names, e.Key)
		}
	}
	for done := 0; done < len(names); {
		batch := names[done:min(done+reencryptBatch, len(names))]
		if err := b.reencrypt(ctx, batch); err != nil {
			return fmt.Errorf("sealing entries anew: %w", err)
		}
		done += len(batch)
		if progress != nil {
			progress(done, len(names))
		}
	}
	return nil
}

func (b *Barrier) reencrypt(ctx context.Context, stored []string) error {
	return b.sealing(ctx, func(ring *keyring, tx storage.Tx, g *grant) error {
		v := txView{view{tx, ring}, tx, g}
		for _, s := range stored {
			if err := v.reencrypt(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v txView) reencrypt(ctx context.Context, stored string) error {
	sealed, err := v.tx.Get(ctx, stored)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	id, err := crypt.EnvelopeKeyID(sealed)
	if err != nil || id == v.ring.values.ActiveID() {
		return err
	}
	name, err := v.ring.names.open(stored)
	if err != nil {
		return err
	}
	value, err := v.ring.values.Open(sealed, entryAAD(name))
	if err != nil {
		return err
	}
	return v.Put(ctx, name, value)
}

// Prune drops the generations that seal no entry any more, except the active one. Keys that were wrapped by WrapKey must
// have been wrapped anew before.
func (b *Barrier) Prune(ctx context.Context) error {
	return b.change(ctx, func(ring *keyring, tx storage.Tx) (*crypt.Key, error) {
		all, err := tx.Scan(ctx, "", "", 0)
		if err != nil {
			return nil, err
		}
		used := map[crypt.KeyID]bool{ring.values.ActiveID(): true}
		for _, e := range all {
			if id, err := crypt.EnvelopeKeyID(e.Value); err == nil && !isOwn(e.Key) {
				used[id] = true
			}
		}
		for _, id := range ring.values.IDs() {
			if used[id] {
				continue
			}
			ring.values.Remove(id)
			if err := tx.Delete(ctx, usesKey(id)); err != nil {
				return nil, err
			}
		}
		return b.root, nil
	})
}
