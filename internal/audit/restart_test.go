package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// A log that lacks lines can be gone on with by the keeper's decision, and tells of it ever after.
func TestRestart(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		damage func(t *testing.T, b *bench, paths []string)
		from   uint64 // first line that is lost
		kept   bool   // files stay in place
	}{
		"log gone":        {func(t *testing.T, b *bench, _ []string) { must(t, os.RemoveAll(b.dir)) }, 1, false},
		"first file gone": {func(t *testing.T, _ *bench, paths []string) { must(t, os.Remove(paths[0])) }, 1, false},
		"changed": {func(t *testing.T, b *bench, _ []string) {
			b.overwrite(t, []byte(strings.Replace(string(b.read(t)), "dana", "dina", 1)))
		}, 1, false},
		"another log, longer": {func(t *testing.T, b *bench, paths []string) {
			for _, p := range paths {
				must(t, os.Remove(p))
			}
			other := newBench(t)
			other.write(t, 0, 100)
			b.overwrite(t, other.read(t))
		}, 1, false},
		"last file gone": {func(t *testing.T, _ *bench, paths []string) { must(t, os.Remove(paths[len(paths)-1])) }, 0, true},
		"cut": {func(t *testing.T, _ *bench, paths []string) {
			lines := splitLines(readFile(t, paths[len(paths)-1]))
			writeFile(t, paths[len(paths)-1], join(lines[:len(lines)-2]))
		}, 0, true},
		"cut within a line": {func(t *testing.T, _ *bench, paths []string) {
			content := readFile(t, paths[len(paths)-1])
			writeFile(t, paths[len(paths)-1], content[:len(content)-10])
		}, 0, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, paths := rotated(t, 40)
			head := *b.anchor.now()
			c.damage(t, b, paths)
			if name != "first file gone" && name != "changed" { // in these only a whole verification finds it
				wantIs(t, b.open(t).Record(t.Context(), entry(40)), audit.ErrTampered)
			}
			before, err := filepath.Glob(filepath.Join(b.dir, "*.log"))
			must(t, err)
			must(t, audit.Restart(t.Context(), b.dir, b.opts, "the disk was replaced"))
			b.write(t, 40, 42)
			b.write(t, 42, 60)
			r := b.verify(t)
			if len(r.Gaps) != 1 || r.Gaps[0].To < head.Seq || r.Gaps[0].To > head.Seq+1 || r.Gaps[0].Reason != "the disk was replaced" ||
				c.from != 0 && r.Gaps[0].From != c.from || !c.kept && r.Entries != 20 || r.Uncovered != 0 {
				t.Errorf("report %+v, head was %d", r, head.Seq)
			}
			aside, err := filepath.Glob(filepath.Join(b.dir, "*.aside-*"))
			must(t, err)
			if c.kept && len(aside) > 0 || !c.kept && len(aside) != len(before) {
				t.Errorf("%d files, set aside %d", len(before), len(aside))
			}
			wantIs(t, audit.Restart(t.Context(), b.dir, b.opts, "again"), audit.ErrIntact)
		})
	}
}

// Only the keeper of the key can accept a loss: a gap that no checkpoint of his follows is a break.
func TestVerify_ForgedGap(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 5)
	head := *b.anchor.now()
	must(t, os.Remove(b.path()))
	must(t, audit.Restart(t.Context(), b.dir, b.opts, "lost"))
	b.write(t, 5, 6)
	paths, err := filepath.Glob(filepath.Join(b.dir, "*.log"))
	must(t, err)
	if len(paths) != 1 || filepath.Base(paths[0]) != "audit-000000000008.log" || head.Seq != 7 {
		t.Fatalf("files %v, head %d", paths, head.Seq)
	}
	lines := splitLines(readFile(t, paths[0]))
	var chain record.Head
	for name, c := range map[string]struct {
		content []string
		want    error
	}{
		"no checkpoint": {lines[:1], record.ErrPlace},
		"entry instead": {[]string{lines[0], rechain(t, lines[0], lines[2])}, record.ErrPlace},
		"other reason":  {[]string{strings.Replace(lines[0], "lost", "gone", 1)}, record.ErrChanged},
	} {
		r, err := verifyBytes(b, join(c.content), nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	other := newSigner(9)
	forged, chain := record.AppendLine(nil, record.AppendGap(nil, head1(t, lines[0]).Time, 1, "nothing to see"), head)
	sig := other.Sign(record.CheckpointMessage(nil, chain.Seq+1, chain.Hash, head1(t, lines[0]).Time))
	forged, _ = record.AppendLine(forged, record.AppendCheckpoint(nil, head1(t, lines[0]).Time, record.KeyIDOf(testSigner.Public()), record.Signature(sig)), chain)
	_, err = verifyBytes(b, forged, nil)
	wantIs(t, err, audit.ErrBroken, audit.ErrSignature)
}

func head1(t *testing.T, line string) record.Line {
	t.Helper()
	l, _, err := record.ParseLine([]byte(line))
	must(t, err)
	return l
}

// rechain writes line as the one after before.
func rechain(t *testing.T, before, line string) string {
	t.Helper()
	l := head1(t, line)
	b, _ := record.AppendLine(nil, record.AppendBody(nil, &l), head1(t, before).Head)
	return string(b)
}

// A process may die between the gap and the anchor.
func TestRestart_Killed(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		b := newBench(t)
		b.write(t, 0, 5)
		lines := splitLines(b.read(t))
		if keep {
			b.overwrite(t, join(lines[:3]))
		} else {
			must(t, os.Remove(b.path()))
		}
		head := *b.anchor.now()
		must(t, audit.Restart(t.Context(), b.dir, b.opts, "lost"))
		b.anchor = &anchor{head: head}
		b.opts.Anchor = b.anchor
		b.write(t, 5, 6)
		if r := b.verify(t); len(r.Gaps) != 1 || r.Gaps[0].To != head.Seq {
			t.Errorf("kept %v: report %+v", keep, r)
		}
	}
}

func TestRestart_Errors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wantIs(t, audit.Restart(t.Context(), b.dir, b.opts, "x"), audit.ErrIntact)
	b.write(t, 0, 1)
	wantIs(t, audit.Restart(t.Context(), b.dir, b.opts, "x"), audit.ErrIntact)
	for _, opts := range []audit.Options{{Signer: testSigner}, {Anchor: b.anchor}} {
		if err := audit.Restart(t.Context(), b.dir, opts, "x"); err == nil || errors.Is(err, audit.ErrIntact) {
			t.Error(err)
		}
	}
	failure := errors.New("database is gone")
	b.anchor.fail(failure)
	wantIs(t, audit.Restart(t.Context(), b.dir, b.opts, "x"), failure)
}

// With SyncOS a power cut may take lines that the vault remembers; the log goes on and says so.
func TestLog_SyncOSLostLines(t *testing.T) {
	t.Parallel()
	for cut := 1; cut <= 5; cut++ {
		b := newBench(t)
		b.opts.Sync = audit.SyncOS
		b.write(t, 0, 4)
		lines := splitLines(b.read(t))
		for _, torn := range []string{"", "torn"} {
			b.anchor.head = audit.Head{Seq: uint64(len(lines)), Hash: head1(t, lines[len(lines)-1]).Hash}
			b.overwrite(t, slices.Concat(join(lines[:len(lines)-cut]), []byte(torn)))
			l := b.open(t)
			must(t, l.Record(t.Context(), entry(4)))
			must(t, l.Close())
			r := b.verify(t)
			first := uint64(len(lines) - cut + 1)
			if torn != "" {
				first++ // the account of it stands before the gap
			}
			if len(r.Gaps) != 1 || r.Gaps[0].From != first || r.Gaps[0].To < uint64(len(lines)) || r.Uncovered != 0 {
				t.Errorf("%d lines cut, %q: report %+v", cut, torn, r)
			}
			if r.Head != *b.anchor.now() {
				t.Errorf("%d lines cut, %q: the anchor did not follow", cut, torn)
			}
		}
	}
}

// The file in which the log goes on may be full.
func TestLog_SyncOSLostLinesFull(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opts.Sync = audit.SyncOS
	b.write(t, 0, 4)
	lines := splitLines(b.read(t))
	b.overwrite(t, join(lines[:4]))
	b.opts.MaxFile = int64(len(b.read(t))) + 100
	b.write(t, 4, 5)
	if r := b.verify(t); r.Files != 2 || len(r.Gaps) != 1 || r.Gaps[0].To < uint64(len(lines)) || r.Uncovered != 0 || r.Entries != 4 {
		t.Errorf("report %+v", r)
	}
}

// With SyncOS, too, a log that is gone is no power cut's work.
func TestLog_SyncOSMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opts.Sync = audit.SyncOS
	b.write(t, 0, 4)
	must(t, os.Remove(b.path())) // no power cut does that
	wantIs(t, b.open(t).Record(t.Context(), entry(4)), audit.ErrTampered)
}
