package redact

import (
	"errors"
	"io"
)

// Writer masks what passes through it. It holds back what may still turn out to be a secret: less than the longest form.
// It is not safe for concurrent use.
type Writer struct {
	m *Matcher
	w io.Writer
	// held is what has come and may still matter. No form starts before scanned that was not found. What is before done was
	// written or is masked; done can be ahead of scanned, for a form may start within another.
	held          []byte
	scanned, done int
	out           []byte
	err           error
}

// ErrClosed is returned by Write after Close.
var ErrClosed = errors.New("the redacting writer is closed")

// Writer returns a Writer in front of w.
func (m *Matcher) Writer(w io.Writer) *Writer { return &Writer{m: m, w: w} }

// Write takes b and writes what is certain. The first error of the writer behind stays.
func (w *Writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.m.index == nil {
		n, err := writeAll(w.w, b)
		w.err = err
		return n, err
	}
	w.held = append(w.held, b...)
	w.scan(false)
	w.release(w.scanned)
	if err := w.send(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flush writes everything but what is the beginning of a secret. Call it when nothing more comes for a while.
func (w *Writer) Flush() error {
	if w.err != nil || w.m.index == nil {
		return w.err
	}
	for w.scanned < len(w.held) && !w.m.index.mayGrow(w.held[w.scanned:]) {
		w.scanned++
	}
	w.release(w.scanned)
	return w.send()
}

// Close writes the rest. It does not close the writer behind.
func (w *Writer) Close() error {
	if errors.Is(w.err, ErrClosed) {
		return nil
	}
	err := w.err
	if err == nil && w.m.index != nil {
		w.scan(true)
		w.release(len(w.held))
		err = w.send()
	}
	clear(w.held[:cap(w.held)]) // it may hold pieces of secrets
	w.held, w.out, w.err = nil, nil, ErrClosed
	return err
}

// scan finds forms as far as it can be told what they are; final says that nothing more comes.
func (w *Writer) scan(final bool) {
	for {
		f, next := w.m.index.next(w.held, w.scanned, final)
		w.scanned = next
		if f.end == 0 {
			return
		}
		if f.start >= w.done {
			w.release(f.start)
			w.out = append(w.out, w.m.mask(w.m.names[f.name])...)
		}
		w.done = max(w.done, f.end)
	}
}

// release moves what is before a place to out, unless it was or is masked.
func (w *Writer) release(upTo int) {
	if upTo > w.done {
		w.out = append(w.out, w.held[w.done:upTo]...)
		w.done = upTo
	}
}

// send writes out and drops what is held no longer.
func (w *Writer) send() error {
	if len(w.out) > 0 {
		if _, err := writeAll(w.w, w.out); err != nil {
			w.err = err
			return err
		}
		w.out = w.out[:0]
	}
	gone := min(w.scanned, w.done)
	w.held = w.held[:copy(w.held, w.held[gone:])]
	w.scanned -= gone
	w.done -= gone
	return nil
}

// writeAll is Write, with an error if not all of b was taken.
func writeAll(w io.Writer, b []byte) (int, error) {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}
