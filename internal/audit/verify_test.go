package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// small returns a log of 12 lines (two sessions, a recovered write between them) and its head.
func small(t testing.TB) (*bench, []string) {
	t.Helper()
	b := newBench(t)
	b.write(t, 0, 3)
	b.overwrite(t, append(b.read(t), `{"seq":6,"type":"entry","ti`...))
	b.write(t, 3, 7)
	r := b.verify(t)
	if r.Lines != 11 || r.Recovered != 1 {
		t.Fatalf("report %+v", r)
	}
	return b, splitLines(b.read(t))
}

func join(lines []string) []byte { return []byte(strings.Join(lines, "")) }

// verify checks content as small's log.
func verifyBytes(b *bench, content []byte, head *audit.Head) (audit.Report, error) {
	return audit.Verify(bytes.NewReader(content), testSigner.Public(), head)
}

// Every way to tamper with whole lines, at every line, is found, and the place is named.
func TestVerify_EveryManipulation(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	head := b.anchor.now()
	if _, err := verifyBytes(b, join(lines), head); err != nil {
		t.Fatal(err)
	}
	manipulations := map[string]func(i int) []string{
		"remove":    func(i int) []string { return slices.Delete(slices.Clone(lines), i, i+1) },
		"duplicate": func(i int) []string { return slices.Insert(slices.Clone(lines), i, lines[i]) },
		"truncate":  func(i int) []string { return lines[:i] },
		"swap": func(i int) []string {
			c, j := slices.Clone(lines), (i+1)%len(lines)
			c[i], c[j] = c[j], c[i]
			return c
		},
		"move to the end": func(i int) []string { return append(slices.Delete(slices.Clone(lines), i, i+1), lines[i]) },
		"empty line":      func(i int) []string { return slices.Insert(slices.Clone(lines), i, "\n") },
		"line feed":       func(i int) []string { return replaceLine(lines, i, strings.TrimSuffix(lines[i], "\n")) },
		"change name":     func(i int) []string { return replaceLine(lines, i, strings.Replace(lines[i], `e`, `i`, 1)) },
		"change and rehash": func(i int) []string {
			l, _, err := record.ParseLine([]byte(lines[i]))
			if err != nil {
				return replaceLine(lines, i, "x\n") // the torn line has no hash to mend
			}
			l.Time = l.Time.Add(1)
			l.Entry.Time = l.Time
			changed, _ := record.AppendLine(nil, record.AppendBody(nil, &l), record.Head{Seq: l.Seq - 1, Hash: l.Prev})
			return replaceLine(lines, i, string(changed))
		},
	}
	for name, manipulate := range manipulations {
		for i := range lines {
			changed := manipulate(i)
			if slices.Equal(changed, lines) {
				continue // the last line moved to the end
			}
			r, err := verifyBytes(b, join(changed), head)
			var broken *audit.Break
			if !errors.Is(err, audit.ErrBroken) || !errors.As(err, &broken) {
				t.Errorf("%s line %d: %v, report %+v", name, i+1, err, r)
				continue
			}
			// A break is found at the line or, where a line is merely missing, at the one that stands there now; where
			// the damaged part of the log is concerned, at its beginning. Only lines before it were counted as good.
			if broken.Line > i+2 || broken.Line < i-1 && name != "swap" || r.Lines >= broken.Line {
				t.Errorf("%s line %d: found at line %d: %v", name, i+1, broken.Line, err)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("line %d (seq %d)", broken.Line, broken.Seq)) {
				t.Errorf("the place is not named: %v", err)
			}
		}
	}
}

func replaceLine(lines []string, i int, line string) []string {
	c := slices.Clone(lines)
	c[i] = line
	return c
}

// Any change of any one byte is found.
func TestVerify_EveryByte(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	content, head := join(lines), b.anchor.now()
	for i := range content {
		for _, x := range []byte{0x01, 0x20, 0x80} {
			content[i] ^= x
			if _, err := verifyBytes(b, content, head); !errors.Is(err, audit.ErrBroken) {
				t.Fatalf("byte %d changed from %q to %q: %v", i, content[i]^x, content[i], err)
			}
			content[i] ^= x
		}
		if _, err := verifyBytes(b, slices.Concat(content[:i], content[i+1:]), head); !errors.Is(err, audit.ErrBroken) {
			t.Fatalf("byte %d (%q) removed: %v", i, content[i], err)
		}
		if _, err := verifyBytes(b, content[:i], head); !errors.Is(err, audit.ErrBroken) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
}

// Whoever can write to the file can recompute every hash: then the signature or the head gives it away.
func TestVerify_RecomputedChain(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	for i := range lines {
		var head record.Head
		var forged []byte
		for j, line := range lines {
			l, _, err := record.ParseLine([]byte(line))
			if err != nil || l.Kind == record.KindRecovered {
				continue // the forger removes the damage and the account of it
			}
			if j == i {
				l.Time, l.Entry.Time = l.Time.Add(1), l.Time.Add(1)
			}
			forged, head = record.AppendLine(forged, record.AppendBody(nil, &l), head)
		}
		_, err := verifyBytes(b, forged, nil)
		wantIs(t, err, audit.ErrBroken, audit.ErrSignature)
	}
	// Without any checkpoint only the head tells.
	var head record.Head
	var forged []byte
	for range lines {
		forged, head = record.AppendLine(forged, forgedBody(head), head)
	}
	if _, err := verifyBytes(b, forged, nil); err != nil {
		t.Fatal(err)
	}
	_, err := verifyBytes(b, forged, b.anchor.now())
	wantIs(t, err, audit.ErrBroken, audit.ErrRewritten)
}

func forgedBody(head record.Head) []byte {
	e := entry(0)
	e.Time = new(clock).now()
	if head.Seq == 0 {
		return record.AppendHeader(nil, e.Time)
	}
	return record.AppendEntry(nil, &e)
}

// The causes are told apart.
func TestVerify_Causes(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	for name, c := range map[string]struct {
		content []byte
		want    error
		line    int
		seq     uint64
	}{
		"changed":     {join(replaceLine(lines, 2, strings.Replace(lines[2], "dana", "dina", 1))), record.ErrChanged, 3, 3},
		"removed":     {join(slices.Delete(slices.Clone(lines), 2, 3)), record.ErrSequence, 3, 3},
		"repeated":    {join(slices.Insert(slices.Clone(lines), 2, lines[1])), record.ErrSequence, 3, 3},
		"no header":   {join(lines[1:]), record.ErrSequence, 1, 1},
		"no line":     {join(slices.Insert(slices.Clone(lines), 1, "hello\n")), record.ErrMalformed, 2, 2},
		"cut off":     {join(lines[:9]), audit.ErrTruncated, 10, 9},
		"damage gone": {slices.Concat(join(lines[:5]), join(lines[6:])), record.ErrPlace, 6, 6},
		"nothing":     {nil, audit.ErrTruncated, 1, 1},
	} {
		_, err := verifyBytes(b, c.content, b.anchor.now())
		var broken *audit.Break
		if !errors.Is(err, c.want) || !errors.As(err, &broken) || broken.Line != c.line || broken.Seq != c.seq {
			t.Errorf("%s: %v, want line %d (seq %d): %v", name, err, c.line, c.seq, c.want)
		}
	}
}

func TestVerify_Key(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	other := newSigner(8).Public()
	_, err := audit.Verify(bytes.NewReader(join(lines)), other, nil)
	wantIs(t, err, audit.ErrBroken, audit.ErrSignature)
	for _, none := range []ed25519.PublicKey{nil, other[:31]} {
		if _, err := audit.Verify(bytes.NewReader(join(lines)), none, nil); err == nil || errors.Is(err, audit.ErrBroken) {
			t.Errorf("key of %d bytes: %v", len(none), err)
		}
		if _, err := audit.VerifyDir(t.Context(), b.dir, none, nil); err == nil || errors.Is(err, audit.ErrBroken) {
			t.Errorf("key of %d bytes: %v", len(none), err)
		}
	}
}

// An error of reading is not a broken log.
func TestVerify_ReadError(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	r := io.MultiReader(bytes.NewReader(join(lines[:3])), iotest.ErrReader(os.ErrPermission))
	_, err := audit.Verify(r, testSigner.Public(), b.anchor.now())
	if !errors.Is(err, os.ErrPermission) || errors.Is(err, audit.ErrBroken) {
		t.Error(err)
	}
}

// However the bytes arrive, the result is the same.
func TestVerify_ShortReads(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	want := b.verify(t)
	want.Files = 0
	got, err := audit.Verify(iotest.OneByteReader(bytes.NewReader(join(lines))), testSigner.Public(), b.anchor.now())
	if err != nil || got.Head != want.Head || got.Lines != want.Lines || got.Damaged != want.Damaged {
		t.Errorf("report %+v, want %+v (%v)", got, want, err)
	}
}

func TestLog_Verify(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 2)
	l := b.open(t)
	if r, err := l.Verify(t.Context()); err != nil || r.Entries != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	content := b.read(t)
	b.overwrite(t, bytes.Replace(content, []byte("KEY_1"), []byte("KEY_2"), 1))
	r, err := l.Verify(t.Context())
	wantIs(t, err, audit.ErrBroken, record.ErrChanged)
	if r.Lines != 2 || !strings.Contains(err.Error(), "audit.log line 3 (seq 3)") {
		t.Errorf("%+v, %v", r, err)
	}
	failure := errors.New("database is gone")
	b.anchor.fail(failure)
	_, err = l.Verify(t.Context())
	wantIs(t, err, failure)
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	_, err = audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), b.anchor.now())
	wantIs(t, err, audit.ErrBroken, audit.ErrTruncated)
}

// The kept log is what a released version wrote: later ones must read it, find it whole and continue it.
func TestVerify_KeptLog(t *testing.T) {
	t.Parallel()
	kept, err := filepath.Glob("testdata/kept/*/audit.log")
	if err != nil || len(kept) == 0 {
		t.Fatal("no kept logs", err)
	}
	for _, path := range kept {
		b := newBench(t)
		if err := os.CopyFS(b.dir, os.DirFS(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		r, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), nil)
		if err != nil || r.Entries == 0 || r.Checkpoints == 0 || r.Recovered == 0 || r.Files < 2 {
			t.Fatalf("%s: %+v, %v", path, r, err)
		}
		b.anchor.head = r.Head
		if err := os.Chmod(filepath.Join(b.dir, "audit.log"), 0o600); err != nil {
			t.Fatal(err)
		}
		parts, err := filepath.Glob(filepath.Join(b.dir, "audit*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := os.Chmod(p, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b.write(t, r.Entries, r.Entries+1)
		b.wantEntries(t, r.Entries+1)
		if again := b.verify(t); again.Entries != r.Entries+1 {
			t.Errorf("%s: continued to %+v", path, again)
		}
	}
}

func FuzzVerify(f *testing.F) {
	b, lines := small(f)
	head := b.anchor.now()
	f.Add(join(lines))
	f.Add(join(lines[:3]))
	f.Add(slices.Concat(join(lines[:3]), []byte("torn")))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := audit.Verify(bytes.NewReader(content), testSigner.Public(), nil)
		if err == nil && len(content) > 0 && r.Lines == 0 && r.Torn == 0 {
			t.Fatalf("nothing read, nothing found: %+v", r)
		}
		_, withHead := audit.Verify(bytes.NewReader(content), testSigner.Public(), head)
		if whole := bytes.HasPrefix(content, join(lines)); withHead == nil && !whole {
			t.Fatalf("a log that does not begin with the one whose head is known was accepted: %q", content)
		}
		if err != nil && withHead == nil {
			t.Fatalf("broken without a head only: %v", err)
		}
	})
}
