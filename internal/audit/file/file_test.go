package file_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// signer is an Ed25519 key that counts its signatures.
type signer struct {
	key ed25519.PrivateKey
	n   atomic.Int64
}

func newSigner() *signer { return &signer{key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))} }

func (s *signer) Sign(message []byte) []byte {
	s.n.Add(1)
	return ed25519.Sign(s.key, message)
}

func (s *signer) count() int { return int(s.n.Load()) }

func (s *signer) Public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// anchor remembers the head stored last, in order.
type anchor struct {
	mu     sync.Mutex
	stored []record.Head
	loads  int
	err    error
}

func (a *anchor) Load(context.Context) (record.Head, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loads++
	if len(a.stored) == 0 {
		return record.Head{}, a.err
	}
	return a.stored[len(a.stored)-1], a.err
}

func (a *anchor) Store(_ context.Context, h record.Head) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.stored = append(a.stored, h)
	}
	return a.err
}

func (a *anchor) stores() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.stored)
}

func (a *anchor) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// batch returns n entries.
func batch(n int, final bool) record.Batch {
	b := record.Batch{Final: final}
	for range n {
		e := record.Entry{Time: time.Unix(1, 0), Action: "secret.reveal", Outcome: record.OK}
		b.Bodies = append(b.Bodies, record.AppendEntry(nil, &e))
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, dir string, s *signer, head *record.Head) audit.Report {
	t.Helper()
	r, err := audit.VerifyDir(t.Context(), dir, s.Public(), head)
	must(t, err)
	return r
}

// A checkpoint comes after so many lines, the anchor is left for later.
func TestDevice_Every(t *testing.T) {
	t.Parallel()
	dir, s, a := t.TempDir(), newSigner(), &anchor{}
	d := file.New(dir, file.Options{Signer: s, Anchor: a, Every: 10, Delay: time.Hour})
	for i := range 24 {
		must(t, d.Append(t.Context(), batch(1, false)))
		if want := (i + 2) / 10; s.count() != want { // the header counts, too
			t.Fatalf("%d checkpoints after %d entries, want %d", s.count(), i+1, want)
		}
	}
	must(t, d.Append(t.Context(), batch(35, false)))
	if s.count() != 3 || a.stores() != 0 || a.loads != 1 {
		t.Errorf("%d checkpoints, anchor stored %d times, loaded %d times", s.count(), a.stores(), a.loads)
	}
	must(t, d.Close(t.Context()))
	if a.stores() != 1 || s.count() != 3 {
		t.Errorf("Close stored the anchor %d times, %d checkpoints", a.stores(), s.count())
	}
	if r := verify(t, dir, s, &a.stored[0]); r.Entries != 59 || r.Checkpoints != 3 || r.Uncovered != 0 || r.Head != a.stored[0] {
		t.Errorf("report %+v", r)
	}
}

// A process that lives on signs and stores a second after an entry, and then rests.
func TestDevice_Delay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, s, a := t.TempDir(), newSigner(), &anchor{}
		d := file.New(dir, file.Options{Signer: s, Anchor: a})
		for range 5 {
			must(t, d.Append(t.Context(), batch(1, false)))
		}
		pass(999 * time.Millisecond)
		if s.count() != 0 || a.stores() != 0 {
			t.Fatal("too early")
		}
		pass(time.Millisecond)
		if s.count() != 1 || a.stores() != 1 {
			t.Fatalf("%d checkpoints, anchor stored %d times", s.count(), a.stores())
		}
		if r := verify(t, dir, s, &a.stored[0]); r.Uncovered != 0 || r.Entries != 5 {
			t.Errorf("report %+v", r)
		}
		pass(time.Hour)
		if s.count() != 1 || a.stores() != 1 {
			t.Fatalf("without entries: %d checkpoints, anchor stored %d times", s.count(), a.stores())
		}
		must(t, d.Append(t.Context(), batch(1, false)))
		must(t, d.Close(t.Context()))
		pass(time.Hour) // the timer must not open the log again
		if s.count() != 2 || a.stores() != 2 {
			t.Errorf("%d checkpoints, anchor stored %d times", s.count(), a.stores())
		}
	})
}

// pass lets time go by in a bubble of synctest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// An anchor that fails for a while harms nobody; when it has failed for too long, entries are refused until it works.
func TestDevice_Grace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &anchor{}
		d := file.New(t.TempDir(), file.Options{Signer: newSigner(), Anchor: a})
		must(t, d.Append(t.Context(), batch(1, false)))
		failure := errors.New("database is locked")
		a.fail(failure)
		pass(5 * time.Second)
		must(t, d.Append(t.Context(), batch(1, false)))
		pass(7 * time.Second)
		err := d.Append(t.Context(), batch(1, false))
		if !errors.Is(err, file.ErrAnchor) || !errors.Is(err, failure) {
			t.Fatalf("after 11 seconds: %v", err)
		}
		if err := d.Settle(t.Context()); !errors.Is(err, failure) {
			t.Fatalf("settling: %v", err)
		}
		a.fail(nil)
		pass(time.Second)
		must(t, d.Append(t.Context(), batch(1, false)))
		must(t, d.Close(t.Context()))
		if a.stores() != 2 {
			t.Errorf("anchor stored %d times", a.stores())
		}
	})
}

// While the anchor is being stored, entries are taken: who appends may hold the database that Store waits for.
func TestDevice_StoreHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &waiting{held: make(chan struct{})}
		d := file.New(t.TempDir(), file.Options{Signer: newSigner(), Anchor: a})
		must(t, d.Append(t.Context(), batch(1, false)))
		pass(time.Second)
		if !a.storing.Load() {
			t.Fatal("the anchor is not being stored")
		}
		must(t, d.Append(t.Context(), batch(1, false))) // would wait for ever
		must(t, d.Append(t.Context(), batch(1, true)))
		close(a.held)
		synctest.Wait()
		pass(time.Second)
		must(t, d.Close(t.Context()))
		if a.stores() != 2 {
			t.Errorf("the anchor was stored %d times", a.stores())
		}
	})
}

// waiting is an anchor whose database is held by somebody.
type waiting struct {
	anchor
	storing atomic.Bool
	held    chan struct{}
}

func (w *waiting) Store(ctx context.Context, h record.Head) error {
	w.storing.Store(true)
	<-w.held
	return w.anchor.Store(ctx, h)
}

// After Close nothing uses the anchor's database any more, which is about to be closed; what was given up is done.
func TestDevice_CloseEndsStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &patient{}
		d := file.New(t.TempDir(), file.Options{Signer: newSigner(), Anchor: a})
		must(t, d.Append(t.Context(), batch(1, false)))
		pass(time.Second)
		if a.under.Load() != 1 {
			t.Fatal("the anchor is not being stored")
		}
		start := time.Now()
		must(t, d.Close(t.Context()))
		if n := a.under.Load(); n != 0 || a.stores() != 1 || time.Since(start) != winding {
			t.Errorf("Close took %v and left %d stores under way, %d done", time.Since(start), n, a.stores())
		}
	})
}

// winding is how long a patient anchor takes to end.
const winding = time.Millisecond

// patient is an anchor whose first Store only ends some time after its context.
type patient struct {
	anchor
	first atomic.Bool
	under atomic.Int64
}

func (p *patient) Store(ctx context.Context, h record.Head) error {
	p.under.Add(1)
	defer p.under.Add(-1)
	if p.first.CompareAndSwap(false, true) {
		<-ctx.Done()
		<-time.After(winding)
		return ctx.Err()
	}
	return p.anchor.Store(ctx, h)
}

// A failure that somebody else's success has overtaken is forgotten: nothing would come back to find out that it works.
func TestDevice_FailureOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &overtaken{failure: make(chan error)}
		d := file.New(t.TempDir(), file.Options{Signer: newSigner(), Anchor: a})
		must(t, d.Append(t.Context(), batch(1, false)))
		pass(time.Second) // the first store is under way
		must(t, d.Append(t.Context(), batch(1, true)))
		must(t, d.Settle(t.Context()))
		a.failure <- errors.New("database is locked")
		pass(time.Hour)
		must(t, d.Append(t.Context(), batch(1, false)))
		must(t, d.Close(t.Context()))
		if a.stores() != 2 {
			t.Errorf("the anchor was stored %d times", a.stores())
		}
	})
}

// overtaken is an anchor whose first Store waits and then fails.
type overtaken struct {
	anchor
	first   atomic.Bool
	failure chan error
}

func (o *overtaken) Store(ctx context.Context, h record.Head) error {
	if o.first.CompareAndSwap(false, true) {
		return <-o.failure
	}
	return o.anchor.Store(ctx, h)
}

// Who waits for the lock writes nothing once the context has ended.
func TestDevice_WaitsForLock(t *testing.T) {
	t.Parallel()
	dir, s := t.TempDir(), newSigner()
	holding, entered := make(chan struct{}), make(chan struct{})
	// An anchor cannot hold the lock, a signer does: it is asked while the lines are made.
	slow := file.New(dir, file.Options{Signer: blocking{s, entered, holding}})
	done := make(chan error, 1)
	go func() { done <- slow.Append(context.Background(), batch(1, true)) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	waiting := file.New(dir, file.Options{Signer: s})
	waited := make(chan error, 1)
	go func() { waited <- waiting.Append(ctx, batch(1, true)) }()
	cancel()
	close(holding)
	must(t, <-done)
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that waited: %v", err)
	}
	must(t, waiting.Append(t.Context(), batch(1, true)))
	must(t, errors.Join(slow.Close(t.Context()), waiting.Close(t.Context())))
	if r := verify(t, dir, s, nil); r.Entries != 2 {
		t.Errorf("report %+v", r)
	}
}

// blocking is a signer that waits.
type blocking struct {
	*signer
	entered, holding chan struct{}
}

func (b blocking) Sign(message []byte) []byte {
	close(b.entered)
	<-b.holding
	return b.signer.Sign(message)
}

// An empty batch writes nothing, a final one only what is due.
func TestDevice_EmptyBatches(t *testing.T) {
	t.Parallel()
	dir, s, a := t.TempDir(), newSigner(), &anchor{}
	d := file.New(dir, file.Options{Signer: s, Anchor: a, Delay: time.Hour})
	must(t, d.Append(t.Context(), batch(0, false)))
	must(t, d.Append(t.Context(), batch(0, true)))
	if _, err := os.Stat(filepath.Join(dir, file.First)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("something was written: %v", err)
	}
	must(t, d.Append(t.Context(), batch(3, false)))
	for range 3 {
		must(t, d.Append(t.Context(), batch(0, true)))
		must(t, d.Settle(t.Context()))
	}
	if s.count() != 1 || a.stores() != 1 {
		t.Errorf("%d checkpoints, anchor stored %d times", s.count(), a.stores())
	}
	must(t, d.Close(t.Context()))
}

// A line that says it is continued in a file of some other name is not believed.
func TestDevice_StrangeNext(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"../audit.log", "/etc/passwd", "audit-000000000009.log"} {
		dir := t.TempDir()
		b, head := record.AppendLine(nil, record.AppendHeader(nil, time.Unix(1, 0)), record.Head{})
		b, _ = record.AppendLine(b, record.AppendContinued(nil, time.Unix(1, 0), next), head)
		must(t, os.WriteFile(filepath.Join(dir, file.First), b, 0o600))
		d := file.New(dir, file.Options{})
		if err := d.Append(t.Context(), batch(1, false)); !errors.Is(err, file.ErrTampered) {
			t.Errorf("next %q: %v", next, err)
		}
		must(t, d.Close(t.Context()))
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		must(t, err)
		if len(names) != 1 || strings.Contains(strings.Join(names, ""), "passwd") {
			t.Errorf("next %q: files %v", next, names)
		}
	}
}
