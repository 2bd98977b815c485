package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Backward reads the lines of a file from the last to the first. It is for one goroutine.
type Backward struct {
	r    io.ReaderAt
	pos  int64  // where buf begins in the file
	buf  []byte // what has been read and not yet returned
	step int
}

// NewBackward returns a Backward through the first size bytes of r.
func NewBackward(r io.ReaderAt, size int64) *Backward {
	return &Backward{r: r, pos: size, step: 4 << 10}
}

// Next returns the line before the one returned last and the offset at which it begins; io.EOF at the file's
// beginning. Every line but the last of the file ends in its line feed. The bytes are valid until the next call.
func (b *Backward) Next() (line []byte, offset int64, err error) {
	for {
		if n := len(b.buf); n > 0 {
			start := bytes.LastIndexByte(b.buf[:n-1], '\n') + 1
			if start > 0 || b.pos == 0 {
				line, b.buf = b.buf[start:], b.buf[:start]
				return line, b.pos + int64(start), nil
			}
		} else if b.pos == 0 {
			return nil, 0, io.EOF
		}
		if err := b.more(); err != nil {
			return nil, 0, err
		}
	}
}

// Skip steps over the n bytes before the line returned last.
func (b *Backward) Skip(n int64) {
	have := int64(len(b.buf))
	if n <= have {
		b.buf = b.buf[:have-n]
		return
	}
	b.buf = b.buf[:0]
	b.pos = max(b.pos-(n-have), 0)
}

// more reads the piece of the file before buf; each is twice as long as the one before, up to a limit.
func (b *Backward) more() error {
	n := int(min(int64(b.step), b.pos))
	b.step = min(2*b.step, 1<<20)
	grown := make([]byte, n+len(b.buf))
	copy(grown[n:], b.buf)
	if _, err := b.r.ReadAt(grown[:n], b.pos-int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // io.EOF would read as the file's beginning
		}
		return fmt.Errorf("reading the audit log: %w", err)
	}
	b.buf, b.pos = grown, b.pos-int64(n)
	return nil
}
