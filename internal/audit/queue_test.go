package audit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// device keeps what it is given.
type device struct {
	mu     sync.Mutex
	bodies []string
	sizes  []int // of the batches
	closed bool
	err    error
	stuck  chan struct{} // Append waits for it, whatever its context says
}

func (d *device) Append(_ context.Context, b audit.Batch) error {
	if d.stuck != nil {
		<-d.stuck
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, body := range b.Bodies {
		d.bodies = append(d.bodies, string(body))
	}
	d.sizes = append(d.sizes, len(b.Bodies))
	return d.err
}

func (d *device) Close(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// warnings counts what Warn is told.
type warnings struct {
	mu   sync.Mutex
	errs []error
}

func (w *warnings) warn(_ string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

func (w *warnings) count(target error) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, err := range w.errs {
		if errors.Is(err, target) {
			n++
		}
	}
	return n
}

func TestLog_MoreDevices(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	required, other := &device{}, &device{}
	w := &warnings{}
	b.opts.More = []audit.Attached{{Device: required, Name: "a", Required: true}, {Device: other, Name: "b"}}
	b.opts.Warn = w.warn
	b.write(t, 0, 3)
	b.wantEntries(t, 3)
	for _, d := range []*device{required, other} {
		if len(d.bodies) != 3 || !d.closed {
			t.Errorf("device got %d entries, closed: %v", len(d.bodies), d.closed)
		}
	}
	if len(w.errs) > 0 {
		t.Error(w.errs)
	}
}

// A device that is not required holds nothing up, and what it loses is told.
func TestLog_StuckDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stuck := &device{stuck: make(chan struct{})}
		w := &warnings{}
		b.opts.More = []audit.Attached{{Device: stuck, Name: "syslog", Queue: 4}}
		b.opts.Warn = w.warn
		l := b.open(t)
		start := time.Now()
		for i := range 8 {
			if err := l.Record(t.Context(), entry(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if time.Since(start) > 0 {
			t.Errorf("the stuck device took %v", time.Since(start))
		}
		if n := w.count(audit.ErrQueueFull); n != 3 { // one is being sent, four wait
			t.Errorf("%d entries were told lost, want 3", n)
		}
		wantIs(t, l.Close(), audit.ErrDeadline)
		close(stuck.stuck)
		synctest.Wait()
		b.wantEntries(t, 8)
		if len(stuck.bodies) != 5 {
			t.Errorf("the device got %d entries, want 5", len(stuck.bodies))
		}
	})
}

func TestLog_FailingDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	failing := &device{err: errors.New("no route to host")}
	w := &warnings{}
	b.opts.More = []audit.Attached{{Device: failing, Name: "syslog"}}
	b.opts.Warn = w.warn
	b.write(t, 0, 2)
	if w.count(failing.err) == 0 {
		t.Error("nobody was warned")
	}
	b.opts.More[0].Required = true
	wantIs(t, b.open(t).Record(t.Context(), entry(2)), audit.ErrUnavailable, failing.err)
}

// A required device that is stuck fails within its deadline; what then waits in vain is not sent later.
func TestLog_RequiredDeviceStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stuck := &device{stuck: make(chan struct{})}
		b.opts.More = []audit.Attached{{Device: stuck, Name: "wal", Required: true, Deadline: 3 * time.Second, Queue: 2}}
		l := b.open(t)
		start := time.Now()
		wantIs(t, l.Record(t.Context(), entry(0)), audit.ErrUnavailable, audit.ErrDeadline)
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("it took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantIs(t, l.Record(ctx, entry(1)), audit.ErrUnavailable, context.DeadlineExceeded)
		wantIs(t, l.Record(t.Context(), entry(2)), audit.ErrUnavailable, audit.ErrDeadline)
		wantIs(t, l.Record(t.Context(), entry(3)), audit.ErrUnavailable, audit.ErrQueueFull)
		close(stuck.stuck)
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if len(stuck.bodies) != 1 {
			t.Errorf("the device got %d entries, want the one it was stuck with", len(stuck.bodies))
		}
	})
}

// What waits while a device is busy goes out in one batch.
func TestLog_GroupCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		busy := &device{stuck: make(chan struct{})}
		b.opts.More = []audit.Attached{{Device: busy, Name: "wal", Required: true}}
		l := b.open(t)
		var wg sync.WaitGroup
		errs := make(chan error, 33)
		wg.Go(func() { errs <- l.Record(t.Context(), entry(0)) })
		synctest.Wait() // it is with the device
		for i := range 32 {
			wg.Go(func() { errs <- l.Record(t.Context(), entry(1+i)) })
		}
		synctest.Wait() // they are all in the queue
		close(busy.stuck)
		wg.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(busy.sizes) != 2 || busy.sizes[0] != 1 || busy.sizes[1] != 32 {
			t.Errorf("batches of %v, want 1 and 32", busy.sizes)
		}
	})
}
