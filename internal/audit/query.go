package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// Query yields the entries of the log in dir that f lets through, in the order of the log or from its end. It checks
// no hashes; that is what VerifyDir is for. A line that cannot be read is yielded as an error in its place, after
// which the caller may go on; after any other error there is nothing more. What is written meanwhile may be missing.
func Query(ctx context.Context, dir string, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		parts, err := file.Parts(dir)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		if f.Newest {
			slices.Reverse(parts)
		}
		q := query{filter: f, words: f.words(), yield: yield}
		for _, p := range parts {
			if err := q.file(ctx, dir, p.Name); err != nil {
				if !errors.Is(err, errEnough) {
					yield(Entry{}, err)
				}
				return
			}
		}
	}
}

// Query is the function Query for the Log's folder.
func (l *Log) Query(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return Query(ctx, l.dir, f)
}

// errEnough ends a query that has yielded all that is wanted.
var errEnough = errors.New("enough")

// query is one run of Query.
type query struct {
	filter Filter
	words  []string
	yield  func(Entry, error) bool
	name   string // of the file
	lines  int
	found  int
}

func (q *query) file(ctx context.Context, dir, name string) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	q.name = name
	if q.filter.Newest {
		return q.backward(ctx, f, info.Size())
	}
	return q.forward(ctx, io.NewSectionReader(f, 0, info.Size()))
}

// forward goes through the lines from the first. A line that cannot be read is held back until it is clear that no
// recovered line accounts for it.
func (q *query) forward(ctx context.Context, r io.Reader) error {
	lines := record.NewForward(r)
	var held []error
	for offset := int64(0); ; {
		b, err := lines.Next()
		if errors.Is(err, io.EOF) || err == nil && b[len(b)-1] != '\n' && len(b) < record.MaxLine {
			return q.errors(held) // an unfinished line at the end is being written or will be recovered
		}
		if err == nil {
			err = q.tick(ctx)
		}
		if err != nil {
			return err
		}
		l, ok := q.parse(b, len(held) > 0)
		switch {
		case !ok:
			held = append(held, q.unreadable(offset))
		case l != nil && l.Kind == record.KindRecovered:
			held = nil
		case l != nil:
			if err := errors.Join(q.errors(held), q.entry(l)); err != nil {
				return err
			}
			held = nil
		}
		offset += int64(len(b))
	}
}

// backward goes through the lines from the last.
func (q *query) backward(ctx context.Context, r io.ReaderAt, size int64) error {
	lines := record.NewBackward(r, size)
	for {
		b, offset, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = q.tick(ctx)
		}
		if err != nil {
			return err
		}
		if b[len(b)-1] != '\n' {
			continue
		}
		l, ok := q.parse(b, false)
		switch {
		case !ok:
			err = q.errors([]error{q.unreadable(offset)})
		case l != nil && l.Kind == record.KindRecovered:
			lines.Skip(int64(min(l.Bytes, uint64(offset))) + int64(len(record.Mark)))
		case l != nil:
			err = q.entry(l)
		}
		if err != nil {
			return err
		}
	}
}

// tick looks from time to time whether ctx has ended.
func (q *query) tick(ctx context.Context) error {
	if q.lines++; q.lines%1024 == 0 {
		return ctx.Err()
	}
	return nil
}

// parse returns the line b, or nil if the filter does not care for it; not ok if b is no line.
func (q *query) parse(b []byte, always bool) (*record.Line, bool) {
	if !always && !q.cares(b) {
		return nil, true
	}
	l, _, err := record.ParseLine(b)
	return &l, err == nil
}

// cares reports whether b may be of interest: an entry that the filter may let through, or the account of damage.
func (q *query) cares(b []byte) bool {
	if bytes.Contains(b[:min(len(b), 64)], []byte(`"type":"recovered"`)) {
		return true
	}
	for _, w := range q.words {
		if !bytes.Contains(b, []byte(w)) {
			return false
		}
	}
	return true
}

func (q *query) unreadable(offset int64) error {
	return fmt.Errorf("%w: %s at byte %d", record.ErrMalformed, q.name, offset)
}

// entry yields l's entry if l has one and the filter lets it through.
func (q *query) entry(l *record.Line) error {
	if l.Kind != record.KindEntry || !q.filter.matches(&l.Entry) {
		return nil
	}
	if !q.yield(l.Entry, nil) {
		return errEnough
	}
	if q.found++; q.found == q.filter.Limit {
		return errEnough
	}
	return nil
}

// errors yields errs.
func (q *query) errors(errs []error) error {
	for _, err := range errs {
		if !q.yield(Entry{}, err) {
			return errEnough
		}
	}
	return nil
}
