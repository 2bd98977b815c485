package storagetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// model is a store so simple that it is right.
type model map[string]string

func (m model) scan(prefix, after string, limit int) []storage.Entry {
	var entries []storage.Entry
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) && key > after {
			entries = append(entries, storage.Entry{Key: key, Value: []byte(m[key])})
		}
	}
	return first(entries, limit)
}

func (m model) list(prefix, after string, limit int) []string {
	names := map[string]bool{}
	for key := range m {
		rest, ok := strings.CutPrefix(key, prefix)
		if name, _, folder := strings.Cut(rest, "/"); folder {
			rest = name + "/"
		}
		if ok && rest > after {
			names[rest] = true
		}
	}
	return first(slices.Sorted(maps.Keys(names)), limit)
}

func first[T any](all []T, limit int) []T {
	if limit > 0 && limit < len(all) {
		return all[:limit]
	}
	return all
}

// Few and treacherous pieces, so that keys meet, nest and sort badly.
var (
	piece  = rapid.SampledFrom([]string{"a", "b", "/", "/", "!", "0", "\u00e9", "\uffff", "\U00010000", "\U0010ffff"})
	keys   = rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(t, "key"), "") })
	places = rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 3).Draw(t, "place"), "") })
	limits = rapid.IntRange(0, 4)
)

// testModel does the same random things to the store and to a model and compares all answers.
func testModel(t *testing.T, b storage.Backend) {
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		if err := b.Update(ctx, func(tx storage.Tx) error { return deleteAll(ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "transactions") {
			m = transact(ctx, t, b, m)
			compare(ctx, t, b, m)
		}
		all, err := dump(ctx, b)
		if diff := cmp.Diff(map[string]string(m), all); err != nil || diff != "" {
			t.Fatalf("in the end: %v (-want +got):\n%s", err, diff)
		}
	})
}

func deleteAll(ctx context.Context, tx storage.Tx) error {
	entries, err := tx.Scan(ctx, "", "", 0)
	for _, e := range entries {
		err = errors.Join(err, tx.Delete(ctx, e.Key))
	}
	return err
}

// transact runs one random transaction, which it may give up, and returns the model after it.
func transact(ctx context.Context, t *rapid.T, b storage.Backend, before model) model {
	giveUp := errors.New("given up")
	abort := rapid.IntRange(0, 3).Draw(t, "abort") == 0
	var after model
	err := b.Update(ctx, func(tx storage.Tx) error {
		after = maps.Clone(before)
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			key := keys.Draw(t, "key")
			if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
				delete(after, key)
				if err := tx.Delete(ctx, key); err != nil {
					return err
				}
				continue
			}
			value := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "value")
			after[key] = string(value)
			if err := tx.Put(ctx, key, value); err != nil {
				return err
			}
			compare(ctx, t, tx, after)
		}
		if abort {
			return giveUp
		}
		return nil
	})
	if abort && errors.Is(err, giveUp) {
		return before
	}
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// compare asks r and the model the same random questions.
func compare(ctx context.Context, t *rapid.T, r storage.Reader, m model) {
	key := keys.Draw(t, "get")
	value, err := r.Get(ctx, key)
	if stored, ok := m[key]; ok && (err != nil || string(value) != stored) || !ok && !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("Get(%q) = %q, %v; want %q, %v", key, value, err, stored, ok)
	}
	prefix, after, limit := places.Draw(t, "prefix"), places.Draw(t, "after"), limits.Draw(t, "limit")
	entries, err := r.Scan(ctx, prefix, after, limit)
	if diff := cmp.Diff(m.scan(prefix, after, limit), entries, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("Scan(%q, %q, %d): %v (-want +got):\n%s", prefix, after, limit, err, diff)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	names, err := r.List(ctx, prefix, after, limit)
	if diff := cmp.Diff(m.list(prefix, after, limit), names, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("List(%q, %q, %d): %v (-want +got):\n%s", prefix, after, limit, err, diff)
	}
}
