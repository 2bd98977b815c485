package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// signer is an Ed25519 key.
type signer struct{ key ed25519.PrivateKey }

func newSigner(seed byte) signer {
	return signer{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))}
}

func (s signer) Sign(message []byte) []byte { return ed25519.Sign(s.key, message) }
func (s signer) Public() ed25519.PublicKey  { return s.key.Public().(ed25519.PublicKey) }

var testSigner = newSigner(7)

// macKey is an HMAC key.
type macKey string

func (k macKey) MAC(purpose string, data []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, []byte(string(k)+"\x00"+purpose))
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}

// anchor remembers the highest head in memory.
type anchor struct {
	mu     sync.Mutex
	head   audit.Head
	stores int
	err    error
}

func (a *anchor) Load(context.Context) (audit.Head, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head, a.err
}

func (a *anchor) Store(_ context.Context, h audit.Head) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.stores++
	if h.Seq > a.head.Seq {
		a.head = h
	}
	return nil
}

func (a *anchor) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

func (a *anchor) now() *audit.Head {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.head
	return &h
}

// clock goes on by a millisecond at every look.
type clock struct{ n atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.n.Add(1)) * time.Millisecond)
}

// bench is a log in a folder of its own with what it needs.
type bench struct {
	dir    string
	anchor *anchor
	opts   audit.Options
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{dir: filepath.Join(t.TempDir(), "audit"), anchor: &anchor{}}
	// The delay is beyond any test's end: what happens after it is tested in package file, with a clock of its own.
	b.opts = audit.Options{Key: macKey("k"), Signer: testSigner, Anchor: b.anchor, Clock: new(clock).now, Delay: 24 * time.Hour}
	return b
}

func (b *bench) open(t testing.TB) *audit.Log {
	t.Helper()
	l, err := audit.Open(b.dir, b.opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a second Close does nothing; tests that care close themselves
	return l
}

// write opens the log, records the entries n to m-1 and closes it.
func (b *bench) write(t testing.TB, n, m int) {
	t.Helper()
	l := b.open(t)
	for i := n; i < m; i++ {
		if err := l.Record(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// crash records the entries n to m-1 as a process that then dies: nothing is signed, the anchor not stored.
func (b *bench) crash(t testing.TB, n, m int) {
	t.Helper()
	opts := b.opts
	opts.Signer, opts.Anchor = nil, nil
	l, err := audit.Open(b.dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := n; i < m; i++ {
		if err := l.Record(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// verify fails the test unless the log holds.
func (b *bench) verify(t testing.TB) audit.Report {
	t.Helper()
	r, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), b.anchor.now())
	if err != nil {
		t.Fatalf("%v; so far %+v", err, r)
	}
	return r
}

// wantEntries fails the test unless the log has exactly the entries 0 to n-1, in order.
func (b *bench) wantEntries(t testing.TB, n int) {
	t.Helper()
	i := 0
	for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Request != request(i) {
			t.Fatalf("entry %d is %q", i, e.Request)
		}
		i++
	}
	if i != n {
		t.Fatalf("%d entries, want %d", i, n)
	}
}

// path returns the path of the log's first file.
func (b *bench) path() string { return filepath.Join(b.dir, "audit.log") }

func (b *bench) read(t testing.TB) []byte { return readFile(t, b.path()) }

func (b *bench) overwrite(t testing.TB, content []byte) { writeFile(t, b.path(), content) }

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	c, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func request(i int) string { return fmt.Sprintf("r-%d", i) }

func entry(i int) audit.Entry {
	return audit.Entry{
		Actor:  audit.Actor{Kind: audit.Person, ID: "u1", Name: "dana"},
		Client: audit.Client{Kind: audit.CLI, Name: "zvault", Version: "1.0.0", PID: 412},
		Action: "secret.reveal", Project: "web", Environment: "production", Keys: []string{"DATABASE_URL", fmt.Sprintf("KEY_%d", i)},
		Revision: 3, Outcome: audit.OK, Request: request(i),
	}
}

func splitLines(content []byte) []string { return slices.Collect(strings.Lines(string(content))) }

// wantIs fails the test unless err matches all targets.
func wantIs(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("error %v does not match %v", err, target)
		}
	}
}
