package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// tail is where the chain in a file ends.
type tail struct {
	known   bool
	offset  int64       // where the last line ends; 0 if the file has none
	damaged int64       // bytes behind it that are no line: a write that a crash cut short
	head    record.Head // the last line, of the file before if this one has none
	next    string      // the next file's name if that line says so
}

// end returns the file's size when the tail was looked at.
func (t *tail) end() int64 { return t.offset + t.damaged }

func (t *tail) set(l *record.Line, offset, size int64) {
	*t = tail{known: true, offset: offset, damaged: size - offset, head: l.Head, next: l.Next}
}

// back looks for the last line in the first size bytes of r, not before what the tail knows already. Usually it is the
// first that it looks at. If there is none, all that is behind the tail is damaged.
func (t *tail) back(r io.ReaderAt, size int64) error {
	lines := record.NewBackward(r, size)
	for {
		b, start, err := lines.Next()
		if errors.Is(err, io.EOF) || err == nil && start < t.offset {
			t.known, t.damaged = true, size-t.offset
			return nil
		}
		if err != nil {
			return err
		}
		if l, ok, err := record.ParseLine(b); err == nil && ok {
			t.set(&l, start+int64(len(b)), size)
			return nil
		}
	}
}

// ready brings the tail up to date with the locked file.
func (d *Device) ready() error {
	size, err := d.check()
	if err != nil {
		return err
	}
	switch {
	case !d.tail.known:
		return d.firstLook(size)
	case size < d.tail.end():
		return fmt.Errorf("%w: %s has been cut", ErrReplaced, d.name)
	case size > d.tail.end():
		d.tail.damaged = 0
		return d.tail.back(d.f, size)
	}
	return nil
}

// firstLook finds the tail of a file that has just been opened and holds it against the anchor.
func (d *Device) firstLook(size int64) error {
	var t tail
	if err := t.back(d.f, size); err != nil {
		return err
	}
	if t.offset == 0 && d.name != First && !d.gap {
		if err := d.before(&t); err != nil {
			return err
		}
	}
	switch {
	case d.gap, t.head == d.anchor, d.anchor.Seq == 0:
	case t.head.Seq < d.anchor.Seq:
		if d.opts.Sync != SyncOS || d.opts.Signer == nil || t.head.Seq == 0 {
			return fmt.Errorf("%w: it ends with line %d of %d", ErrTampered, t.head.Seq, d.anchor.Seq)
		}
		d.gap, d.reason = true, "not on the disk after a crash"
	case t.head.Seq == d.anchor.Seq:
		return fmt.Errorf("%w: line %d is another", ErrTampered, t.head.Seq)
	default:
		if err := d.walk(&t, size); err != nil {
			return err
		}
	}
	d.tail = t
	return nil
}

// before sets t to the end of the file before the open one, which has no line yet.
func (d *Device) before(t *tail) error {
	parts, err := Parts(d.dir)
	if err != nil {
		return err
	}
	for i := 1; i < len(parts); i++ {
		if parts[i].Name != d.name {
			continue
		}
		var previous tail
		if err := withFile(filepath.Join(d.dir, parts[i-1].Name), previous.back); err != nil {
			return err
		}
		if previous.next == d.name {
			t.head = previous.head
			return nil
		}
	}
	return fmt.Errorf("%w: nothing leads to %s", ErrTampered, d.name)
}

// walk follows the chain from the anchor, or from the beginning of the open file if the anchor lies before it, to the
// end. Where it does not hold, a crash has left something behind, for what was acknowledged was on the disk, and so
// was the file before: t ends there then.
func (d *Device) walk(t *tail, size int64) error {
	head, from := d.anchor, int64(0)
	first, _ := parseName(d.name)
	switch {
	case head.Seq+1 < first:
		var previous tail
		if err := d.before(&previous); err != nil {
			return err
		}
		head = previous.head
	case head.Seq+1 > first:
		var err error
		if from, err = find(d.f, size, head); err != nil {
			return fmt.Errorf("%w: %w", ErrTampered, err)
		}
	}
	w := record.NewWalker(io.NewSectionReader(d.f, from, size-from), head, d.name)
	var last record.Line
	for {
		l, err := w.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, record.ErrBroken) {
			break
		} else if err != nil {
			return err
		}
		last = l
	}
	last.Head = w.Head
	t.set(&last, from+w.Offset, size)
	return nil
}

// find returns the offset behind the line at head, or that of the gap in which it was lost.
func find(r io.ReaderAt, size int64, head record.Head) (int64, error) {
	lines := record.NewBackward(r, size)
	for {
		b, start, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("line %d is not there", head.Seq)
		} else if err != nil {
			return 0, err
		}
		if record.SeqOf(b) > head.Seq+1 {
			continue
		}
		l, ok, err := record.ParseLine(b)
		switch {
		case err != nil || !ok: // damaged: stepped over by the walk, or the anchor's line and then not found
		case l.Head == head:
			return start + int64(len(b)), nil
		case l.Kind == record.KindGap && l.Seq == head.Seq+1 && l.Prev == head.Hash:
			return start, nil
		case l.Seq <= head.Seq:
			return 0, fmt.Errorf("line %d is another", head.Seq)
		}
	}
}

// withFile calls fn with the file and its size.
func withFile(path string, fn func(io.ReaderAt, int64) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the audit log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("examining the audit log: %w", err)
	}
	return fn(f, info.Size())
}

// sumOf returns the SHA-256 of n bytes of r from offset on.
func sumOf(r io.ReaderAt, offset, n int64) (sum record.Hash, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, offset, n)); err != nil {
		return sum, fmt.Errorf("reading the audit log: %w", err)
	}
	h.Sum(sum[:0])
	return sum, nil
}
