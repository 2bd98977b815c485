package barrier

import (
	"context"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

func entryAAD(name string) []byte { return crypt.AAD("barrier", "entry", name) }

// view reads through the barrier from a state of the store.
type view struct {
	under storage.Reader
	ring  *keyring
}

func (v view) Get(ctx context.Context, name string) ([]byte, error) {
	stored, err := v.ring.names.seal(name)
	if err != nil {
		return nil, err
	}
	sealed, err := v.under.Get(ctx, stored)
	if err != nil {
		return nil, err
	}
	return v.ring.values.Open(sealed, entryAAD(name))
}

func (v view) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	if isPublic(prefix) {
		return v.scanPublic(ctx, prefix, after, limit)
	}
	raw, err := v.below(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var out []storage.Entry
	for _, e := range raw {
		name, err := v.ring.names.open(e.Key)
		if err != nil {
			return nil, err
		}
		if !isOwn(name) && strings.HasPrefix(name, prefix) && name > after {
			out = append(out, storage.Entry{Key: name, Value: e.Value})
		}
	}
	slices.SortFunc(out, func(a, b storage.Entry) int { return strings.Compare(a.Key, b.Key) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	for i, e := range out {
		if out[i].Value, err = v.ring.values.Open(e.Value, entryAAD(e.Key)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scanPublic scans names that are stored as they are, and so in order: it reads no more than it returns.
func (v view) scanPublic(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	entries, err := v.under.Scan(ctx, prefix, after, limit)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if entries[i].Value, err = v.ring.values.Open(e.Value, entryAAD(e.Key)); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// below reads the stored entries that may have a prefix: those below its last folder.
func (v view) below(ctx context.Context, prefix string) ([]storage.Entry, error) {
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if folder != "" {
		return v.under.Scan(ctx, v.ring.names.path(folder), "", 0)
	}
	return v.under.Scan(ctx, "", "", 0)
}

func (v view) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if isOwn(prefix) {
		return nil, nil
	}
	if isPublic(prefix) {
		return v.under.List(ctx, prefix, after, limit)
	}
	stored, err := v.under.List(ctx, v.ring.names.path(prefix), "", 0)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(stored))
	for _, s := range stored {
		sealed, isFolder := strings.CutSuffix(s, "/")
		name, err := v.ring.names.openSegment(prefix, sealed)
		if err != nil {
			return nil, err
		}
		if isFolder {
			name += "/"
		}
		names = append(names, name)
	}
	if prefix == "" {
		public, err := v.under.List(ctx, publicPrefix, "", 1)
		if err != nil {
			return nil, err
		}
		if len(public) > 0 {
			names = append(names, publicPrefix)
		}
	}
	slices.Sort(names)
	return cut(slices.DeleteFunc(names, func(n string) bool { return n <= after }), limit), nil
}

func cut(names []string, limit int) []string {
	if limit > 0 && len(names) > limit {
		return names[:limit]
	}
	return names
}

// txView writes through the barrier.
type txView struct {
	view
	tx    storage.Tx
	grant *grant
}

func (v txView) Put(ctx context.Context, name string, value []byte) error {
	stored, err := v.ring.names.seal(name)
	if err != nil {
		return err
	}
	if len(value) > MaxValue {
		return storage.ErrTooLarge
	}
	if err := v.grant.use(ctx, v.tx, v.ring.values.ActiveID()); err != nil {
		return err
	}
	sealed, err := v.ring.values.Seal(value, entryAAD(name))
	if err != nil {
		return err
	}
	return v.tx.Put(ctx, stored, sealed)
}

func (v txView) Delete(ctx context.Context, name string) error {
	stored, err := v.ring.names.seal(name)
	if err != nil {
		return err
	}
	return v.tx.Delete(ctx, stored)
}

// Get implements storage.Reader.
func (b *Barrier) Get(ctx context.Context, name string) (value []byte, err error) {
	err = b.withReload(ctx, func(ring *keyring) error {
		value, err = view{b.store, ring}.Get(ctx, name)
		return err
	})
	return value, err
}

// Scan implements storage.Reader. It reads and opens the names of everything below the last folder of prefix.
func (b *Barrier) Scan(ctx context.Context, prefix, after string, limit int) (all []storage.Entry, err error) {
	err = b.withReload(ctx, func(ring *keyring) error {
		all, err = view{b.store, ring}.Scan(ctx, prefix, after, limit)
		return err
	})
	return all, err
}

// List implements storage.Reader.
func (b *Barrier) List(ctx context.Context, prefix, after string, limit int) (names []string, err error) {
	err = b.withReload(ctx, func(ring *keyring) error {
		names, err = view{b.store, ring}.List(ctx, prefix, after, limit)
		return err
	})
	return names, err
}

// View implements storage.Backend.
func (b *Barrier) View(ctx context.Context, fn func(storage.Reader) error) error {
	return b.withReload(ctx, func(ring *keyring) error {
		return b.store.View(ctx, func(r storage.Reader) error { return fn(view{r, ring}) })
	})
}

// Update implements storage.Backend.
func (b *Barrier) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return b.sealing(ctx, func(ring *keyring, tx storage.Tx, g *grant) error { return fn(txView{view{tx, ring}, tx, g}) })
}
