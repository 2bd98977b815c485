package record

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

var (
	// ErrBroken is returned, as a *Break, where a chain does not hold.
	ErrBroken = errors.New("the audit log has been changed")
	// ErrChanged tells that a line's bytes do not match its hash.
	ErrChanged = errors.New("the line does not match its hash")
	// ErrSequence tells that lines are missing, repeated or in another order.
	ErrSequence = errors.New("sequence number out of order")
	// ErrChain tells that a line does not hold the hash of the line before it.
	ErrChain = errors.New("the line does not follow the one before it")
	// ErrPlace tells that a line stands where its kind must not.
	ErrPlace = errors.New("line out of place")
)

// Break says where a chain does not hold and why. It matches ErrBroken and its cause.
type Break struct {
	File string // name of the file, if known
	Line int    // number of the line in that file, from 1
	Seq  uint64 // sequence number that the line should have
	Err  error  // why
}

// Error names the place and the cause.
func (b *Break) Error() string {
	at := fmt.Sprintf("line %d", b.Line)
	if b.File != "" {
		at = b.File + " " + at
	}
	return fmt.Sprintf("%v: %s (seq %d): %v", ErrBroken, at, b.Seq, b.Err)
}

// Unwrap returns ErrBroken and the cause.
func (b *Break) Unwrap() []error { return []error{ErrBroken, b.Err} }

// Walker follows the chain through a log. It is for one goroutine.
type Walker struct {
	Head   Head  // the last line that holds
	Offset int64 // where that line ends in the file
	Line   int   // its number in the file
	// Damage is the number of recovered lines seen, DamagedBytes what they account for.
	Damage       int
	DamagedBytes uint64
	// Torn is the length of an unfinished line at the end: a write that is under way or was cut short.
	Torn int64

	file  string
	lines *Forward
	last  Kind // of the line at Head; "" where the walk began
	due   bool // a header has to come
	open  bool // no header may come; where a walk begins in the middle, neither is known
}

// NewWalker returns a Walker through r, which begins with the line that follows head. A file's name may be given for
// error messages.
func NewWalker(r io.Reader, head Head, file string) *Walker {
	return &Walker{Head: head, file: file, lines: NewForward(r), due: head.Seq == 0}
}

// Continue goes on in the next file. It returns a *Break if the one before ended in an unfinished line.
func (w *Walker) Continue(r io.Reader, file string) error {
	if w.Torn > 0 {
		return w.Broken(ErrMalformed)
	}
	w.lines = NewForward(r)
	w.Offset, w.Line, w.file = 0, 0, file
	return nil
}

// Next returns the next line of the chain, stepping over damage that a recovered line accounts for. At the end it
// returns io.EOF; where the chain does not hold, a *Break.
func (w *Walker) Next() (Line, error) {
	piece, err := w.lines.Next()
	if err != nil {
		return Line{}, err
	}
	l, err := w.accept(piece)
	if err == nil && l.Kind == KindRecovered {
		err = fmt.Errorf("%w: nothing damaged stands before it", ErrPlace)
	}
	if err != nil {
		return w.recover(piece, w.Broken(err))
	}
	w.advance(&l, len(piece), 1)
	return l, nil
}

func (w *Walker) advance(l *Line, bytes, lines int) {
	w.Head, w.last = l.Head, l.Kind
	switch l.Kind {
	case KindContinued:
		w.due, w.open = true, false
	case KindRecovered: // may come before a file's header
	default:
		w.due, w.open = false, true
	}
	w.Offset += int64(bytes)
	w.Line += lines
}

// Broken returns a Break at the line after the last that holds.
func (w *Walker) Broken(err error) *Break {
	return &Break{File: w.file, Line: w.Line + 1, Seq: w.Head.Seq + 1, Err: err}
}

// accept parses piece as the line that follows Head.
func (w *Walker) accept(piece []byte) (Line, error) {
	l, ok, err := ParseLine(piece)
	switch {
	case err != nil:
		return Line{}, err
	case !ok:
		return Line{}, ErrChanged
	}
	return l, w.follows(&l)
}

// follows checks that l is the line after Head and stands where its kind may.
func (w *Walker) follows(l *Line) error {
	jump := l.Kind == KindGap && l.From == w.Head.Seq+1 && l.Seq > l.From
	switch {
	case !jump && l.Seq != w.Head.Seq+1:
		return fmt.Errorf("%w: %d where %d should be", ErrSequence, l.Seq, w.Head.Seq+1)
	case !jump && l.Prev != w.Head.Hash:
		return ErrChain
	case l.Kind == KindRecovered:
		return nil
	}
	starts := l.Kind == KindHeader || l.Kind == KindGap
	switch {
	case w.due && !starts:
		return fmt.Errorf("%w: %s where a header should be", ErrPlace, l.Kind)
	case w.open && l.Kind == KindHeader:
		return fmt.Errorf("%w: header after %s", ErrPlace, w.last)
	case w.last == KindGap && l.Kind != KindCheckpoint:
		return fmt.Errorf("%w: gap without a checkpoint", ErrPlace)
	}
	return nil
}

// recover looks for the recovered line that accounts for the damage which begins with piece. If there is none it
// returns cause; if the damage is but an unfinished last line, io.EOF.
func (w *Walker) recover(piece []byte, cause *Break) (Line, error) {
	d := damage{sum: sha256.New()}
	for {
		d.add(piece)
		var err error
		if piece, err = w.lines.Next(); errors.Is(err, io.EOF) {
			if d.lines == 0 && d.length < MaxLine {
				w.Torn = int64(d.length) + int64(len(d.held))
				return Line{}, io.EOF
			}
			return Line{}, cause
		} else if err != nil {
			return Line{}, err
		}
		if string(d.held) != Mark || !bytes.HasPrefix(piece, []byte(`{"seq":`)) {
			continue
		}
		l, err := w.accept(piece)
		if err == nil && l.Kind == KindRecovered && l.Bytes == d.length && l.Sum == d.total() {
			w.Damage++
			w.DamagedBytes += d.length
			w.advance(&l, int(d.length)+len(Mark)+len(piece), d.lines+1)
			return l, nil
		}
	}
}

// damage sums up bytes that are no lines of the chain. What may be the Mark is held back, as that is not one of them.
type damage struct {
	sum    hash.Hash
	length uint64 // without what is held back
	lines  int    // line feeds, one held back too
	held   []byte
}

func (d *damage) add(piece []byte) {
	d.lines += bytes.Count(piece[len(piece)-1:], []byte{'\n'}) // it can only be the last byte
	d.held = append(d.held, piece...)
	n := max(len(d.held)-len(Mark), 0)
	_, _ = d.sum.Write(d.held[:n]) // a hash.Hash never fails
	d.length += uint64(n)
	d.held = append(d.held[:0], d.held[n:]...)
}

func (d *damage) total() (h Hash) {
	d.sum.Sum(h[:0])
	return h
}
