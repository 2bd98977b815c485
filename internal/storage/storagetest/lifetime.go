package storagetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// everyCall calls each method once and requires an error that is want.
func everyCall(ctx context.Context, t *testing.T, b storage.Backend, want error) {
	t.Helper()
	for name, call := range map[string]func() error{
		"Get":    func() error { _, err := b.Get(ctx, "k"); return err },
		"Scan":   func() error { _, err := b.Scan(ctx, "", "", 0); return err },
		"List":   func() error { _, err := b.List(ctx, "", "", 0); return err },
		"View":   func() error { return b.View(ctx, readAll(ctx)) },
		"Update": func() error { return b.Update(ctx, func(tx storage.Tx) error { return tx.Put(ctx, "new", nil) }) },
	} {
		if err := call(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func readAll(ctx context.Context) func(storage.Reader) error {
	return func(r storage.Reader) error {
		_, err := r.Scan(ctx, "", "", 0)
		return err
	}
}

func testCancelled(t *testing.T, b storage.Backend) {
	putKeys(t, b, "k")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	everyCall(ctx, t, b, context.Canceled)
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	everyCall(expired, t, b, context.DeadlineExceeded)
	wantScan(t, b, "", "", 0, "k")
}

// testCancelledInside ends the context while a transaction is open: nothing of it may stay, and the next one works.
func testCancelledInside(t *testing.T, b storage.Backend) {
	putKeys(t, b, "k")
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		err := b.Update(ctx, func(tx storage.Tx) error {
			if err := tx.Put(ctx, "new", nil); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Update = %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = b.View(ctx, func(r storage.Reader) error {
			cancel()
			_, err := r.Scan(ctx, "", "", 0)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("View = %v, want context.Canceled", err)
		}
		wantScan(t, b, "", "", 0, "k")
	}
	put(t, b, "k", "k", "l", "l")
	wantScan(t, b, "", "", 0, "k", "l")
}

func testClosed(t *testing.T, b storage.Backend) {
	putKeys(t, b, "k")
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	everyCall(t.Context(), t, b, storage.ErrClosed)
}

// testCloseWaits closes the store while a transaction is open, which has to be able to finish first.
func testCloseWaits(t *testing.T, b storage.Backend) {
	inside, closing := make(chan struct{}), make(chan error, 1)
	var finished atomic.Bool
	go func() {
		<-inside
		err := b.Close()
		if !finished.Load() {
			err = errors.New("Close returned while a transaction was open")
		}
		closing <- err
	}()
	err := b.Update(t.Context(), func(tx storage.Tx) error {
		close(inside)
		for range 20 {
			if err := tx.Put(t.Context(), "k", nil); err != nil {
				return err
			}
		}
		finished.Store(true)
		return nil
	})
	if err != nil && !errors.Is(err, storage.ErrClosed) { // closed before it entered, if the scheduler wills
		t.Errorf("Update: %v", err)
	}
	if err := <-closing; err != nil {
		t.Error(err)
	}
}
