package kv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/rendered"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// entry is the secret of a version: what is stored under ver/<path>/<number>. It never changes.
type entry struct {
	Created time.Time       `json:"created"` // as in the metadata: tells it from that of an earlier key of the same name
	Data    json.RawMessage `json:"data"`    // an object or null, without white space

	// answer is the response of a read, made for the metadata it was last read with.
	answer atomic.Pointer[answer]
}

type answer struct {
	of     *metadata
	object *rendered.Object
}

func decodeEntry(raw []byte) (any, error) {
	e := new(entry)
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, err
	}
	return e, nil
}

// decoded turns an answer of Storage.Decoded into a T, nil for an entry that is not there.
func decoded[T any](v any, err error) (*T, error) {
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, ok := v.(*T)
	if !ok {
		return nil, fmt.Errorf("reading an entry of the vault: %w: it was decoded as %T", storage.ErrCorrupt, v)
	}
	return t, nil
}

// response is the answer to a read of the entry, which is m's version number.
func (e *entry) response(m *metadata, number uint64) (*logical.Response, error) {
	a := e.answer.Load()
	if a == nil || a.of != m {
		object, err := e.render(m, number)
		if err != nil {
			return nil, err
		}
		a = &answer{m, object}
		e.answer.Store(a)
	}
	return a.object.Response(), nil
}

func (e *entry) render(m *metadata, number uint64) (*rendered.Object, error) {
	view, err := json.Marshal(m.view(number))
	if err != nil {
		return nil, fmt.Errorf("encoding metadata: %w", err)
	}
	const before, between = `{"data":`, `,"metadata":`
	out := make([]byte, 0, len(before)+len(e.Data)+len(between)+len(view)+1)
	out = append(append(out, before...), e.Data...)
	secret := len(out)
	out = append(append(append(out, between...), view...), '}')
	return rendered.New(out, secret), nil
}

// attempts is how often find reads without a transaction before it takes one.
const attempts = 2

// find returns the metadata of a key and a version of it, the current one if number is not positive, with its secret. The
// secret is nil if the version is deleted or destroyed. It is logical.ErrNotFound if there is no such key or version.
//
// The two entries are read one after the other. When a writer came in between, what does not fit together is read again.
func find(ctx context.Context, r *logical.Request, number int) (*metadata, uint64, *entry, error) {
	path := r.Params.Get("path")
	for range attempts {
		m, err := load(ctx, r.Storage, path)
		if err != nil {
			return nil, 0, nil, err
		}
		n, v, err := choose(m, number)
		if err != nil || v.gone(r.Time) {
			return m, n, nil, err
		}
		e, err := decoded[entry](r.Storage.Decoded(ctx, entryName(path, n), decodeEntry))
		if err != nil {
			return nil, 0, nil, err
		}
		if e != nil && e.Created.Equal(v.Created) {
			return m, n, e, nil
		}
	}
	return findInView(ctx, r, number)
}

func findInView(ctx context.Context, r *logical.Request, number int) (m *metadata, n uint64, e *entry, err error) {
	path := r.Params.Get("path")
	err = r.Storage.View(ctx, func(s storage.Reader) error {
		if m, err = logical.Get[metadata](ctx, s, metaName(path)); err != nil {
			return err
		}
		var v *version
		if n, v, err = choose(m, number); err != nil || v.gone(r.Time) {
			return err
		}
		e, err = secret(ctx, s, path, n)
		return err
	})
	return m, n, e, err
}

// secret reads the entry of a version that has to be there.
func secret(ctx context.Context, s storage.Reader, path string, number uint64) (*entry, error) {
	e, err := logical.Get[entry](ctx, s, entryName(path, number))
	if err == nil && e == nil {
		err = fmt.Errorf("reading version %d of a key: %w: its secret is missing", number, storage.ErrCorrupt)
	}
	return e, err
}

// choose returns the version with that number, the current one if it is not positive.
func choose(m *metadata, number int) (uint64, *version, error) {
	if m == nil {
		return 0, nil, logical.ErrNotFound
	}
	n := m.Current
	if number > 0 {
		n = uint64(number)
	}
	v := m.version(n)
	if v == nil {
		return 0, nil, logical.ErrNotFound
	}
	return n, v, nil
}
