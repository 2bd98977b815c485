package storagetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// skew is a rule that two transactions keep, each by what it reads, and break together if neither hears of the other: what they
// write does not overlap. Snapshots do not prevent that (it is called write skew), only serializable transactions do.
type skew struct {
	name  string
	start []string // keys
	// read reports whether the transaction of one of two may act.
	read func(ctx context.Context, r storage.Reader, who int) (bool, error)
	act  func(ctx context.Context, tx storage.Tx, who int) error
	left int // entries in the end
}

var skewKeys = [2]string{"duty/a", "duty/b"}

var skews = []skew{
	{
		"leave if another stays", skewKeys[:],
		func(ctx context.Context, r storage.Reader, who int) (bool, error) {
			return holds(ctx, r, skewKeys[1-who])
		},
		func(ctx context.Context, tx storage.Tx, who int) error { return tx.Delete(ctx, skewKeys[who]) },
		1,
	},
	{
		"come if the other is not there", nil,
		func(ctx context.Context, r storage.Reader, who int) (bool, error) {
			there, err := holds(ctx, r, skewKeys[1-who])
			return !there, err
		},
		func(ctx context.Context, tx storage.Tx, who int) error { return tx.Put(ctx, skewKeys[who], nil) },
		1,
	},
	{
		"come if nobody is found", nil,
		func(ctx context.Context, r storage.Reader, _ int) (bool, error) {
			all, err := r.Scan(ctx, "duty/", "", 0)
			return len(all) == 0, err
		},
		func(ctx context.Context, tx storage.Tx, who int) error { return tx.Put(ctx, skewKeys[who], nil) },
		1,
	},
	{
		"come if there is room on the list", []string{"duty/x"},
		func(ctx context.Context, r storage.Reader, _ int) (bool, error) {
			names, err := r.List(ctx, "duty/", "", 0)
			return len(names) < 2, err
		},
		func(ctx context.Context, tx storage.Tx, who int) error { return tx.Put(ctx, skewKeys[who], nil) },
		2,
	},
}

func holds(ctx context.Context, r storage.Reader, key string) (bool, error) {
	_, err := r.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// testWriteSkew runs the two transactions at once, again and again, as they come.
func testWriteSkew(t *testing.T, b storage.Backend) {
	for _, s := range skews {
		for range soak(10, 300) {
			s.run(t, b, func() {})
		}
	}
}

// RunInterleaved tests a backend whose transactions do not wait for each other before they write: two that have both read are
// then let on, and cannot both commit on what they have read. open is as in Run.
func RunInterleaved(t *testing.T, open func(t *testing.T) storage.Backend) {
	for _, s := range skews {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			var readers atomic.Int32
			both := make(chan struct{})
			s.run(t, b, func() {
				if readers.Add(1) == 2 {
					close(both)
				}
				select {
				case <-both: // at once for one that is run again
				case <-t.Context().Done():
				}
			})
			if n := readers.Load(); n < 3 {
				t.Errorf("the transactions read %d times: none was run again", n)
			}
		})
	}
}

// run runs both transactions on a store that holds the start and nothing else, and checks what they leave. Each calls afterRead.
func (s skew) run(t *testing.T, b storage.Backend, afterRead func()) {
	t.Helper()
	ctx := t.Context()
	err := b.Update(ctx, func(tx storage.Tx) error {
		for _, key := range append([]string{"duty/x"}, skewKeys[:]...) {
			change := tx.Delete(ctx, key)
			if slices.Contains(s.start, key) {
				change = tx.Put(ctx, key, nil)
			}
			if change != nil {
				return change
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for who := range 2 {
		wg.Go(func() {
			if err := b.Update(ctx, func(tx storage.Tx) error {
				may, err := s.read(ctx, tx, who)
				afterRead()
				if err != nil || !may {
					return err
				}
				return s.act(ctx, tx, who)
			}); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	wg.Wait()
	all, err := b.Scan(ctx, "duty/", "", 0)
	if err != nil || len(all) != s.left {
		t.Errorf("%s: %d are left, %v; want %d", s.name, len(all), err, s.left)
	}
}
