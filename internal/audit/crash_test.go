package audit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// A write can be cut short at any byte. Whatever it left is accounted for by the next entry; nothing else changes.
func TestLog_TornAtEveryByte(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 2)
	acknowledged := b.read(t)
	b.crash(t, 2, 4)
	all := b.read(t)
	for n := len(acknowledged) + 1; n < len(all); n++ {
		whole := bytes.Count(all[len(acknowledged):n], []byte("\n")) // entries that were written whole
		b.overwrite(t, all[:n])
		torn := int64(n - 1 - bytes.LastIndexByte(all[:n], '\n'))
		head := b.anchor.now()
		if r := b.verify(t); r.Torn != torn || r.Recovered != 0 || r.Entries != 2+whole {
			t.Fatalf("cut to %d bytes: report %+v", n, r)
		}
		b.wantEntries(t, 2+whole)
		opts := b.opts
		opts.Anchor = &anchor{head: *head}
		l, err := audit.Open(b.dir, opts)
		must(t, err)
		must(t, l.RecordFinal(t.Context(), entry(2+whole)))
		must(t, l.Close())
		r := b.verify(t)
		if r.Entries != 3+whole || r.Uncovered != 0 || r.Torn != 0 || (torn > 0) != (r.Recovered == 1) || r.Damaged != uint64(torn) {
			t.Fatalf("cut to %d bytes, then continued: report %+v", n, r)
		}
		b.wantEntries(t, 3+whole)
		if !bytes.HasPrefix(b.read(t), all[:n]) {
			t.Fatalf("cut to %d bytes: what the crash left was not kept", n)
		}
	}
}

// garbage is what may stand behind the last acknowledged line after a power cut.
var garbage = map[string]string{
	"zeros":               strings.Repeat("\x00", 5000),
	"zeros and line feed": strings.Repeat("\x00", 5000) + "\n",
	"lines":               "a\nb\n\n\nc",
	"line feeds":          "\n\n\n",
	"a line's beginning":  `{"seq":6,"type":"entry"` + "\n",
	"binary":              "\xff\xfe\x00\n\x80",
	"long":                strings.Repeat("x", 300<<10),
}

func TestLog_Garbage(t *testing.T) {
	t.Parallel()
	for name, g := range garbage {
		for _, with := range []string{"anchor", "none"} {
			t.Run(name+"/"+with, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				if with == "none" {
					b.opts.Anchor = nil
				}
				b.write(t, 0, 2)
				b.overwrite(t, append(b.read(t), g...))
				b.write(t, 2, 4)
				b.overwrite(t, append(b.read(t), g...))
				b.write(t, 4, 5)
				if r := b.verify(t); r.Recovered != 2 || r.Damaged != 2*uint64(len(g)) || r.Entries != 5 {
					t.Errorf("report %+v", r)
				}
				b.wantEntries(t, 5)
				newest(t, b, 5)
			})
		}
	}
}

// newest fails the test unless the log has n entries when read from its end.
func newest(t *testing.T, b *bench, n int) {
	t.Helper()
	for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{Newest: true}) {
		n--
		if err != nil || e.Request != request(n) {
			t.Fatalf("entry %q, want %q (%v)", e.Request, request(n), err)
		}
	}
	if n != 0 {
		t.Fatalf("%d entries are missing", n)
	}
}

// A process that lives on accounts for what another one left.
func TestLog_TornByAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.open(t)
	must(t, l.Record(t.Context(), entry(0)))
	for i := range 3 {
		b.crash(t, 2*i+1, 2*i+2)
		b.overwrite(t, append(b.read(t), "torn"...))
		must(t, l.Record(t.Context(), entry(2*i+2)))
	}
	must(t, l.Close())
	if r := b.verify(t); r.Recovered != 3 || r.Entries != 7 {
		t.Errorf("report %+v", r)
	}
	b.wantEntries(t, 7)
}

// After a power cut a page in the middle of what was not acknowledged may be missing although later ones are there. What
// is behind the anchor is walked through by the next process, so the chain goes on where it still holds.
func TestLog_HoleBehindAnchor(t *testing.T) {
	t.Parallel()
	for hole := range 6 {
		b := newBench(t)
		b.write(t, 0, 2)
		n := len(splitLines(b.read(t)))
		b.crash(t, 2, 8)
		lines := splitLines(b.read(t))
		lines[n+hole] = strings.Repeat("\x00", len(lines[n+hole]))
		b.overwrite(t, join(lines))
		l := b.open(t)
		must(t, l.RecordFinal(t.Context(), entry(100)))
		must(t, l.Close())
		if r := b.verify(t); r.Recovered != 1 || r.Entries != 2+hole+1 || r.Uncovered != 0 {
			t.Errorf("hole %d: report %+v", hole, r)
		}
	}
}

// The first write of all may be torn, too.
func TestLog_TornHeader(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(t, 0, 1)
	all := b.read(t)
	header := bytes.IndexByte(all, '\n') + 1
	for _, n := range []int{0, 1, 20, header - 1, header, header + 1, len(all) - 1} {
		b.overwrite(t, all[:n])
		opts := b.opts
		opts.Anchor = &anchor{}
		l, err := audit.Open(b.dir, opts)
		must(t, err)
		must(t, l.RecordFinal(t.Context(), entry(0)))
		must(t, l.Close())
		r := b.verify(t)
		if r.Entries != 1 || r.Checkpoints != 1 || (r.Recovered == 1) != (n != 0 && n != header) {
			t.Errorf("cut to %d bytes: report %+v", n, r)
		}
		b.wantEntries(t, 1)
	}
}

// Damage that no recovered line accounts for is a break, not a remark.
func TestVerify_UnaccountedDamage(t *testing.T) {
	t.Parallel()
	b, lines := small(t)
	damaged := slices.IndexFunc(lines, func(l string) bool { _, _, err := record.ParseLine([]byte(l)); return err != nil })
	for name, c := range map[string][]string{
		"longer":   replaceLine(lines, damaged, "x"+lines[damaged]),
		"shorter":  replaceLine(lines, damaged, lines[damaged][1:]),
		"another":  replaceLine(lines, damaged, strings.Replace(lines[damaged], "entry", "Entry", 1)),
		"two":      slices.Insert(slices.Clone(lines), damaged, "\n"),
		"gone":     slices.Delete(slices.Clone(lines), damaged, damaged+1),
		"no tail":  lines[:damaged+1],
		"unclosed": {strings.Join(lines[:damaged], "") + strings.TrimSuffix(lines[damaged], "\n")},
	} {
		_, err := verifyBytes(b, join(c), b.anchor.now())
		wantIs(t, err, audit.ErrBroken)
		if name == "unclosed" { // before anybody went on, this was the end of the log
			r, err := verifyBytes(b, join(c), nil)
			if err != nil || r.Torn == 0 {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	}
}

// A damaged stretch that is longer than any line can be is stepped over in pieces.
func TestVerify_LongDamage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 1)
	b.overwrite(t, slices.Concat(b.read(t), bytes.Repeat([]byte{0}, 2*record.MaxLine+17)))
	if _, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), nil); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("before it is accounted for: %v", err)
	}
	b.write(t, 1, 2)
	if r := b.verify(t); r.Damaged != 2*record.MaxLine+17 {
		t.Errorf("report %+v", r)
	}
	b.wantEntries(t, 2)
	newest(t, b, 2)
}

// Backward gives the lines that a look from the front gives, whatever their lengths.
func TestBackward(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4094, 4095, 4096, 4097, 8191, 8192, 12287, 12288, 12289, 100000} {
		content := bytes.Repeat([]byte("\n"), 2)
		content = slices.Concat(content, bytes.Repeat([]byte("x"), size), []byte("\ny\n"), bytes.Repeat([]byte("z"), size))
		var got []byte
		lines := record.NewBackward(bytes.NewReader(content), int64(len(content)))
		for {
			line, offset, err := lines.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			if !bytes.HasPrefix(content[offset:], line) || bytes.IndexByte(line[:len(line)-1], '\n') >= 0 {
				t.Fatalf("size %d: wrong line of %d bytes at %d", size, len(line), offset)
			}
			got = slices.Concat(line, got)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("size %d: the lines do not make up the file", size)
		}
	}
	short := record.NewBackward(bytes.NewReader([]byte("abc")), 10)
	if _, _, err := short.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a file that is shorter than it was: %v", err)
	}
}
