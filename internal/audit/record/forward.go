package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Forward reads the lines of a stream. It is for one goroutine.
type Forward struct {
	r    *bufio.Reader
	long []byte // a line longer than r's buffer
}

// NewForward returns a Forward through r.
func NewForward(r io.Reader) *Forward { return &Forward{r: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the bytes up to and with the next line feed; without one at the end of the stream and, in pieces, where
// no line feed comes for longer than a line can be. At the end it returns io.EOF. The bytes are valid until the next
// call.
func (f *Forward) Next() ([]byte, error) {
	f.long = f.long[:0]
	for {
		piece, err := f.r.ReadSlice('\n')
		switch {
		case err == nil && len(f.long) == 0:
			return piece, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		f.long = append(f.long, piece...)
		end := errors.Is(err, io.EOF)
		switch {
		case end && len(f.long) == 0:
			return nil, io.EOF
		case end, err == nil, len(f.long) >= MaxLine:
			return f.long, nil
		}
	}
}
