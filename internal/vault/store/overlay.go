package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// overlay is one transaction of several that share a transaction of the backend: it keeps its writes to itself until it has
// succeeded.
type overlay struct {
	tx     storage.Tx
	ctx    context.Context   // of the commit: the caller's may end, which must not spoil the transactions of others
	known  *cache            // answers reads if nobody else can write; nil otherwise
	batch  map[string][]byte // what earlier transactions of the commit wrote
	writes map[string][]byte // nil: deleted
	broken error             // of the backend, which ends the whole transaction
}

var _ storage.Tx = (*overlay)(nil)

func (o *overlay) failed(err error) error {
	if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrInvalidKey) {
		o.broken = err
	}
	return err
}

// Get implements storage.Reader.
func (o *overlay) Get(_ context.Context, name string) ([]byte, error) {
	if v, ok := o.writes[name]; ok {
		if v == nil {
			return nil, storage.ErrNotFound
		}
		return bytes.Clone(v), nil
	}
	if _, changed := o.batch[name]; !changed && o.known != nil {
		if e, ok := o.known.get(name); ok && (e.raw != nil || e.missing) {
			if e.missing {
				return nil, storage.ErrNotFound
			}
			return bytes.Clone(e.raw), nil
		}
	}
	v, err := o.tx.Get(o.ctx, name)
	return v, o.failed(err)
}

// Put implements storage.Tx. It refuses at once what the backend would refuse, so that only this transaction fails.
func (o *overlay) Put(_ context.Context, name string, value []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(value) > barrier.MaxValue {
		return storage.ErrTooLarge
	}
	o.writes[name] = append([]byte{}, value...)
	return nil
}

// Delete implements storage.Tx.
func (o *overlay) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	o.writes[name] = nil
	return nil
}

// maxName is how long a name may become when it is sealed: each segment grows by a third and some twenty bytes.
const maxName = 1000

func checkName(name string) error {
	switch {
	case name == "" || !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return storage.ErrInvalidKey
	case len(name)*4/3+25*(1+strings.Count(name, "/")) > maxName:
		return storage.ErrTooLarge
	}
	return nil
}

// touches reports whether something was written below a prefix.
func (o *overlay) touches(prefix string) bool {
	for name := range o.writes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Scan implements storage.Reader.
func (o *overlay) Scan(_ context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	if !o.touches(prefix) {
		entries, err := o.tx.Scan(o.ctx, prefix, after, limit)
		return entries, o.failed(err)
	}
	entries, err := o.tx.Scan(o.ctx, prefix, after, 0)
	if err != nil {
		return nil, o.failed(err)
	}
	entries = slices.DeleteFunc(entries, func(e storage.Entry) bool { _, mine := o.writes[e.Key]; return mine })
	for name, value := range o.writes {
		if value != nil && strings.HasPrefix(name, prefix) && name > after {
			entries = append(entries, storage.Entry{Key: name, Value: bytes.Clone(value)})
		}
	}
	slices.SortFunc(entries, func(a, b storage.Entry) int { return strings.Compare(a.Key, b.Key) })
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit]
	}
	return entries, nil
}

// List implements storage.Reader.
func (o *overlay) List(_ context.Context, prefix, after string, limit int) ([]string, error) {
	if !o.touches(prefix) {
		names, err := o.tx.List(o.ctx, prefix, after, limit)
		return names, o.failed(err)
	}
	entries, err := o.Scan(o.ctx, prefix, "", 0)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name, _, folder := strings.Cut(e.Key[len(prefix):], "/")
		if folder {
			name += "/"
		}
		if name != "" && name > after && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if limit > 0 && len(names) > limit {
		names = names[:limit]
	}
	return names, nil
}
