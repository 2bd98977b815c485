package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

func TestLog_Record(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 5)
	b.write(t, 5, 6)
	b.wantEntries(t, 6)
	r := b.verify(t)
	if r.Lines != 9 || r.Entries != 6 || r.Checkpoints != 2 || r.Uncovered != 0 || r.Head != *b.anchor.now() || r.Files != 1 {
		t.Errorf("report %+v", r)
	}
	if !r.First.Before(r.Last) {
		t.Errorf("first line at %v, last at %v", r.First, r.Last)
	}
}

func TestLog_OpenMakesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if b.anchor.stores != 0 {
		t.Error("the anchor was stored")
	}
}

func TestLog_Modes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // there are no such modes
	}
	b := newBench(t)
	b.write(t, 0, 1)
	for path, want := range map[string]fs.FileMode{b.dir: 0o700, b.path(): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", filepath.Base(path), info.Mode().Perm(), want)
		}
	}
}

// RecordFinal leaves a log that is signed to the end, and nothing for Close to do.
func TestLog_RecordFinal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	if err := l.RecordFinal(t.Context(), entry(0)); err != nil {
		t.Fatal(err)
	}
	before := b.read(t)
	if r := b.verify(t); r.Lines != 3 || r.Checkpoints != 1 || r.Uncovered != 0 || r.Head != *b.anchor.now() || b.anchor.stores != 1 {
		t.Errorf("report %+v, anchor %+v stored %d times", r, b.anchor.head, b.anchor.stores)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, b.read(t)) || b.anchor.stores != 1 {
		t.Error("Close did something")
	}
	b.wantEntries(t, 1)
}

// Record never stores the anchor: its caller may hold the database.
func TestLog_RecordLeavesAnchor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	if err := l.Record(t.Context(), entry(0)); err != nil {
		t.Fatal(err)
	}
	if b.anchor.stores != 0 {
		t.Error("Record stored the anchor")
	}
	if r := b.verify(t); r.Uncovered != 1 || r.Checkpoints != 0 {
		t.Errorf("report %+v", r)
	}
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := b.verify(t); r.Uncovered != 0 || r.Checkpoints != 1 || b.anchor.stores != 1 || *b.anchor.now() != r.Head {
		t.Errorf("report %+v", r)
	}
}

func TestLog_Concurrent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	logs := []*audit.Log{b.open(t), b.open(t), b.open(t)} // as three processes
	const each = 40
	var wg sync.WaitGroup
	errs := make(chan error, 3*8*each)
	for g := range 3 * 8 {
		wg.Go(func() {
			for i := range each {
				errs <- logs[g%3].Record(t.Context(), entry(g*each+i))
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range logs {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.verify(t); r.Entries != 3*8*each || r.Uncovered != 0 {
		t.Errorf("report %+v", r)
	}
	last := map[int]int{} // of each goroutine
	for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		var n int
		if _, scan := fmt.Sscanf(e.Request, "r-%d", &n); err != nil || scan != nil {
			t.Fatal(err, scan)
		}
		if g, i := n/each, n%each; last[g] != i {
			t.Fatalf("goroutine %d: entry %d where %d should be", g, i, last[g])
		}
		last[n/each]++
	}
}

func TestLog_RefusesEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	invalid, large := entry(0), entry(0)
	invalid.Action = "Not An Action"
	large.Request = strings.Repeat("x", 5<<20)
	wantIs(t, l.Record(t.Context(), invalid), audit.ErrUnavailable, audit.ErrInvalid)
	wantIs(t, l.Record(t.Context(), large), audit.ErrUnavailable, audit.ErrTooLarge)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantIs(t, l.Record(ended, entry(0)), audit.ErrUnavailable, context.Canceled)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantIs(t, l.Record(t.Context(), entry(0)), audit.ErrUnavailable, audit.ErrClosed)
	wantIs(t, l.RecordFinal(t.Context(), entry(0)), audit.ErrUnavailable, audit.ErrClosed)
	if _, err := os.Stat(b.path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

// What is recorded while the vault is sealed is covered by the next checkpoint.
func TestLog_WithoutKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(t, 0, 2)
	if r := b.verify(t); r.Uncovered != 2 {
		t.Errorf("report %+v", r)
	}
	b.write(t, 2, 3)
	if r := b.verify(t); r.Uncovered != 0 || r.Entries != 3 {
		t.Errorf("report %+v", r)
	}
	b.wantEntries(t, 3)
}

func TestLog_ManyKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := entry(0)
	e.Keys = nil
	for i := range 1000 {
		e.Keys = append(e.Keys, fmt.Sprintf("SERVICE_%d_TOKEN", i))
	}
	l := b.open(t)
	if err := l.RecordFinal(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"SERVICE_999_TOKEN": 1, "SERVICE_0_TOKEN": 1, "SERVICE_1000_TOKEN": 0, "SERVICE": 0} {
		n := 0
		for got, err := range l.Query(t.Context(), audit.Filter{Key: key}) {
			if err != nil || len(got.Keys) != 1000 {
				t.Fatal(err, len(got.Keys))
			}
			n++
		}
		if n != want {
			t.Errorf("%d entries with key %s, want %d", n, key, want)
		}
	}
}

func TestLog_Digest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	d := l.Digest("token", []byte("hunter2"))
	if !strings.HasPrefix(d, "hmac-sha256:") || len(d) != len("hmac-sha256:")+64 || strings.Contains(d, "hunter2") {
		t.Errorf("digest %q", d)
	}
	if d != l.Digest("token", []byte("hunter2")) {
		t.Error("the same value has two digests")
	}
	if d == l.Digest("password", []byte("hunter2")) || d == l.Digest("token", []byte("hunter3")) {
		t.Error("two values or fields have one digest")
	}
	b.opts.Key = macKey("other")
	if d == b.open(t).Digest("token", []byte("hunter2")) {
		t.Error("two keys make one digest")
	}
	b.opts.Key = nil
	if d := b.open(t).Digest("token", []byte("hunter2")); d != "" {
		t.Errorf("digest %q without a key", d)
	}
}

func TestOpen_Errors(t *testing.T) {
	t.Parallel()
	if _, err := audit.Open(t.TempDir(), audit.Options{Sync: 9}); err == nil {
		t.Error("unknown sync accepted")
	}
	more := []audit.Attached{{Device: &device{}, Name: "syslog"}}
	if _, err := audit.Open(t.TempDir(), audit.Options{More: more}); err == nil {
		t.Error("a device that nobody is warned of was accepted")
	}
}
