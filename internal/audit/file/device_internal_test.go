package file

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// counted makes d count its syncs and fail where told.
type counted struct {
	data, dir int
	err       error
}

func (c *counted) attach(d *Device) {
	under := d.disk
	d.disk = disk{
		data: func(f *os.File) error { c.data++; return errors.Join(c.err, under.data(f)) },
		dir:  func(dir string) error { c.dir++; return errors.Join(c.err, under.dir(dir)) },
	}
}

type key struct{ ed25519.PrivateKey }

func (k key) Sign(message []byte) []byte { return ed25519.Sign(k.PrivateKey, message) }
func (k key) Public() ed25519.PublicKey  { return k.PrivateKey.Public().(ed25519.PublicKey) }

func options() Options {
	return Options{Signer: key{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}, Delay: time.Hour}
}

func entries(n int, final bool) record.Batch {
	b := record.Batch{Final: final}
	for range n {
		e := record.Entry{Time: time.Unix(1, 0), Action: "secret.reveal", Outcome: record.OK}
		b.Bodies = append(b.Bodies, record.AppendEntry(nil, &e))
	}
	return b
}

// appendAll appends batches and returns the first error.
func appendAll(d *Device, batches ...record.Batch) error {
	for _, b := range batches {
		if err := d.Append(context.Background(), b); err != nil {
			return err
		}
	}
	return nil
}

// A batch pays one sync, its checkpoint none of its own; a new file's name one more.
func TestDevice_Syncs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change    func(*Options)
		batches   []record.Batch
		data, dir int
	}{
		"one":            {func(*Options) {}, []record.Batch{entries(1, true)}, 1, 1},
		"many":           {func(*Options) {}, []record.Batch{entries(50, true)}, 1, 1},
		"three":          {func(*Options) {}, []record.Batch{entries(1, false), entries(1, false), entries(1, true)}, 3, 1},
		"by the system":  {func(o *Options) { o.Sync = SyncOS }, []record.Batch{entries(1, false), entries(1, true)}, 0, 0},
		"to a new file":  {func(o *Options) { o.MaxFile = 500 }, []record.Batch{entries(1, true), entries(1, true)}, 3, 2},
		"always the end": {func(o *Options) { o.MaxFile, o.Sync = 500, SyncOS }, []record.Batch{entries(1, true), entries(1, true)}, 1, 1},
	} {
		opts := options()
		c.change(&opts)
		d, n := New(t.TempDir(), opts), &counted{}
		n.attach(d)
		if err := errors.Join(appendAll(d, c.batches...), d.Close(context.Background())); err != nil {
			t.Fatal(err)
		}
		if n.data != c.data || n.dir != c.dir {
			t.Errorf("%s: %d syncs of data and %d of names, want %d and %d", name, n.data, n.dir, c.data, c.dir)
		}
	}
}

// After a sync that failed, nothing is believed any more until the log is opened again.
func TestDevice_SyncFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, n := New(dir, options()), &counted{}
	n.attach(d)
	if err := appendAll(d, entries(1, false)); err != nil {
		t.Fatal(err)
	}
	n.err = errors.New("input/output error")
	if err := appendAll(d, entries(1, false)); !errors.Is(err, n.err) || !errors.Is(err, ErrBroken) {
		t.Fatalf("the sync's failure: %v", err)
	}
	before, err := os.ReadFile(filepath.Join(dir, First))
	if err != nil {
		t.Fatal(err)
	}
	n.err = nil
	for _, b := range []record.Batch{entries(1, false), entries(1, true), entries(0, true)} {
		if err := appendAll(d, b); !errors.Is(err, ErrBroken) {
			t.Fatalf("after it: %v", err)
		}
	}
	if err := d.Close(context.Background()); !errors.Is(err, ErrBroken) {
		t.Fatalf("closing: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, First)); err != nil || string(after) != string(before) {
		t.Fatalf("something was written after the failure (%v)", err)
	}
	again := New(dir, options())
	if err := errors.Join(appendAll(again, entries(1, true)), again.Close(context.Background())); err != nil {
		t.Fatal(err)
	}
}
