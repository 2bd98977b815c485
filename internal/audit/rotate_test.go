package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// rotated returns a log of n entries in several files, and the files' paths in order.
func rotated(t *testing.T, n int) (*bench, []string) {
	t.Helper()
	b := newBench(t)
	b.opts.MaxFile = 4 << 10
	b.write(t, 0, n/2)
	b.write(t, n/2, n)
	parts, err := file.Parts(b.dir)
	must(t, err)
	if len(parts) < 4 {
		t.Fatalf("%d files only", len(parts))
	}
	var paths []string
	for _, p := range parts {
		paths = append(paths, filepath.Join(b.dir, p.Name))
	}
	return b, paths
}

func TestLog_Rotation(t *testing.T) {
	t.Parallel()
	b, paths := rotated(t, 40)
	if r := b.verify(t); r.Entries != 40 || r.Uncovered != 0 || r.Files != len(paths) {
		t.Errorf("report %+v", r)
	}
	b.wantEntries(t, 40)
	newest(t, b, 40)
	var all []byte
	for i, p := range paths {
		content := readFile(t, p)
		all = append(all, content...)
		if len(content) > 5<<10 {
			t.Errorf("%s has %d bytes", filepath.Base(p), len(content))
		}
		lines := splitLines(content)
		first, _, err := record.ParseLine([]byte(lines[0]))
		must(t, err)
		last, _, err := record.ParseLine([]byte(lines[len(lines)-1]))
		must(t, err)
		if first.Kind != record.KindHeader || filepath.Base(p) != file.Name(first.Seq) {
			t.Errorf("%s begins with %s %d", filepath.Base(p), first.Kind, first.Seq)
		}
		if i < len(paths)-1 && (last.Kind != record.KindContinued || last.Next != filepath.Base(paths[i+1])) {
			t.Errorf("%s ends with %s %q", filepath.Base(p), last.Kind, last.Next)
		}
	}
	if r, err := audit.Verify(bytes.NewReader(all), testSigner.Public(), b.anchor.now()); err != nil || r.Entries != 40 {
		t.Errorf("the files one after the other: %+v, %v", r, err)
	}
}

// A file that is missing, empty, swapped with another, or cut is found.
func TestVerifyDir_FilesTamperedWith(t *testing.T) {
	t.Parallel()
	b, paths := rotated(t, 40)
	contents := make([][]byte, len(paths))
	for i, p := range paths {
		contents[i] = readFile(t, p)
	}
	check := func(what string) {
		t.Helper()
		if _, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), b.anchor.now()); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, p := range paths {
		must(t, os.Remove(p))
		check("removed " + filepath.Base(p))
		writeFile(t, p, nil)
		check("emptied " + filepath.Base(p))
		writeFile(t, p, contents[(i+1)%len(paths)])
		check("replaced " + filepath.Base(p))
		lines := splitLines(contents[i])
		writeFile(t, p, join(lines[:len(lines)-1]))
		check("last line cut from " + filepath.Base(p))
		writeFile(t, p, contents[i][:len(contents[i])-5])
		check("cut within the last line of " + filepath.Base(p))
		writeFile(t, p, join(lines[1:]))
		check("first line removed from " + filepath.Base(p))
		writeFile(t, p, append(bytes.Clone(contents[i]), 'x'))
		if i < len(paths)-1 {
			check("something added to " + filepath.Base(p))
		} else if r := b.verify(t); r.Torn != 1 {
			t.Errorf("report %+v", r)
		}
		writeFile(t, p, contents[i])
	}
	b.verify(t)
}

// The next process notices that the file that it should append to is gone, and one that lives follows to the next.
func TestLog_LastFileMissing(t *testing.T) {
	t.Parallel()
	b, paths := rotated(t, 40)
	must(t, os.Remove(paths[len(paths)-1]))
	wantIs(t, b.open(t).Record(t.Context(), entry(40)), audit.ErrUnavailable, audit.ErrTampered)
}

// Several processes append while the files grow to their limit.
func TestLog_RotationByMany(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opts.MaxFile = 8 << 10
	var wg sync.WaitGroup
	errs := make(chan error, 6*60)
	for g := range 6 {
		l := b.open(t)
		wg.Go(func() {
			for i := range 60 {
				errs <- l.Record(t.Context(), entry(g*100+i))
			}
			errs <- l.Close()
		})
	}
	go func() { wg.Wait(); close(errs) }()
	for err := range errs {
		must(t, err)
	}
	if r := b.verify(t); r.Entries != 360 || r.Uncovered != 0 || r.Files < 10 {
		t.Errorf("report %+v", r)
	}
}

// A process may die at each step of going over to a new file.
func TestLog_KilledWhileRotating(t *testing.T) {
	t.Parallel()
	b, paths := rotated(t, 40)
	last := paths[len(paths)-1]
	content := readFile(t, last)
	header := bytes.IndexByte(content, '\n') + 1
	previous := readFile(t, paths[len(paths)-2])
	l, _, err := record.ParseLine([]byte(slices.Collect(strings.Lines(string(previous)))[bytes.Count(previous, []byte("\n"))-1]))
	must(t, err)
	for _, n := range []int{-1, 0, 1, header - 1, header} {
		must(t, os.Remove(last))
		if n >= 0 {
			writeFile(t, last, content[:n])
		}
		b.anchor = &anchor{head: l.Head} // as it was before the new file
		for _, a := range []audit.Anchor{b.anchor, nil} {
			b.opts.Anchor = a
			b.write(t, 100, 102)
		}
		r := b.verify(t)
		if want := n > 0 && n != header; r.Files != len(paths) || r.Uncovered != 0 || (r.Recovered == 1) != want {
			t.Errorf("%d bytes of the new file: report %+v", n, r)
		}
		if got := splitLines(readFile(t, paths[len(paths)-2])); len(got) != bytes.Count(previous, []byte("\n")) {
			t.Errorf("%d bytes of the new file: the file before it was appended to", n)
		}
	}
	must(t, os.Remove(last))
	writeFile(t, paths[len(paths)-2], join(splitLines(previous)[:2]))
	writeFile(t, last, nil)
	b.opts.Anchor = nil
	wantIs(t, b.open(t).Record(t.Context(), entry(0)), audit.ErrUnavailable, audit.ErrTampered)
}

// An empty file does not hide that the one before it is another than the vault remembers.
func TestLog_EmptyFileAfterAnother(t *testing.T) {
	t.Parallel()
	b, paths := rotated(t, 40)
	previous := readFile(t, paths[len(paths)-2])
	lines := splitLines(previous)
	b.anchor.head = head1(t, lines[len(lines)-1]).Head
	b.anchor.head.Hash[0] ^= 1
	writeFile(t, paths[len(paths)-1], nil)
	wantIs(t, b.open(t).Record(t.Context(), entry(40)), audit.ErrUnavailable, audit.ErrTampered)
}

// What is called almost as a log's file is none.
func TestParts_OtherNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"audit.log", "audit-000000000012.log", "audit-12.log", "audit-000000000001.log", "audit-x.log",
		"audit-1234567890123.log", "audit-.log", "audit.log.aside-1", "audit-000000000012.log.aside-1", "audit-000000000013.lo",
		"audit-000000000014", "x.log", "audit--00000000012.log", "audit-+00000000012.log"} {
		writeFile(t, filepath.Join(dir, name), nil)
	}
	parts, err := file.Parts(dir)
	must(t, err)
	want := []file.Part{{Name: "audit.log", Seq: 1}, {Name: "audit-000000000012.log", Seq: 12}, {Name: "audit-1234567890123.log", Seq: 1234567890123}}
	if !slices.Equal(parts, want) {
		t.Errorf("parts %v", parts)
	}
}
