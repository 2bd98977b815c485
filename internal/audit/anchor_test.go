package audit_test

import (
	"context"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// locked is an anchor in a database that somebody holds until their entry has been recorded.
type locked struct {
	anchor
	storing  chan struct{} // Store has been called
	released chan struct{}
}

func newLocked() *locked {
	return &locked{storing: make(chan struct{}, 1), released: make(chan struct{})}
}

func (a *locked) Store(ctx context.Context, h audit.Head) error {
	select {
	case a.storing <- struct{}{}:
	default:
	}
	select {
	case <-a.released:
		return a.anchor.Store(ctx, h)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Record may be called inside a transaction that the anchor waits for, also while it waits already.
func TestLog_RecordWhileAnchorWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a := newLocked()
	b.opts.Anchor, b.opts.Delay, b.opts.Deadline = a, time.Millisecond, 3*time.Second
	l := b.open(t)
	if err := l.Record(t.Context(), entry(0)); err != nil {
		t.Fatal(err)
	}
	<-a.storing
	for i := range 20 {
		if err := l.Record(t.Context(), entry(1+i)); err != nil {
			t.Fatalf("while the anchor waits: %v", err)
		}
	}
	close(a.released)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b.wantEntries(t, 21)
	if r, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), a.now()); err != nil || r.Uncovered != 0 || r.Head != *a.now() {
		t.Errorf("report %+v: %v; the anchor has %+v", r, err, a.now())
	}
}

// A final entry waits for the anchor; entries of others do not wait for it.
func TestLog_RecordBesideFinal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a := newLocked()
	b.opts.Anchor, b.opts.Deadline = a, 3*time.Second
	l := b.open(t)
	final := make(chan error, 1)
	go func() { final <- l.RecordFinal(t.Context(), entry(0)) }()
	<-a.storing
	if err := l.Record(t.Context(), entry(1)); err != nil {
		t.Fatalf("while the final entry waits: %v", err)
	}
	select {
	case err := <-final:
		t.Fatalf("the final entry did not wait for the anchor: %v", err)
	default:
	}
	close(a.released)
	if err := <-final; err != nil {
		t.Fatal(err)
	}
	if a.now().Seq == 0 {
		t.Error("the anchor was not stored")
	}
}
