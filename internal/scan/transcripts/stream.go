package transcripts

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	pieceSize = 4 << 20
	// maxExpanded bounds what a compressed file or cell is expanded to: a small one that becomes huge is not a history.
	maxExpanded = 1 << 30
)

// expand returns the content of a file that may be compressed.
func expand(r io.ReadSeeker, head []byte) (io.Reader, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return io.LimitReader(z, maxExpanded), nil
	case isZstd(head):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return io.LimitReader(z.IOReadCloser(), maxExpanded), nil
	}
	return r, nil
}

func isZstd(head []byte) bool { return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) }

// stream looks through a text in pieces that overlap by the longest form, so that nothing is torn.
func (s *Search) stream(ctx context.Context, r io.Reader, t *tally) error {
	overlap := s.Finder.Longest()
	buffer := make([]byte, 0, pieceSize+overlap)
	line := 1 // that buffer begins in
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		end := len(buffer)
		if !last {
			end -= overlap // what begins later is found whole in the next piece
		}
		for _, h := range s.Finder.Find(buffer) {
			if h.Start >= end {
				continue
			}
			t.add(h, line+bytes.Count(buffer[:h.Start], []byte("\n")), "", timeOf(lineAround(buffer, h.Start)))
		}
		if last {
			return nil
		}
		line += bytes.Count(buffer[:end], []byte("\n"))
		buffer = append(buffer[:0], buffer[end:]...)
	}
}

const maxLine = 64 << 10 // bytes to either side in which an entry's time is looked for

// lineAround is the line that a place is in, as far as it is near.
func lineAround(b []byte, at int) []byte {
	from, to := max(0, at-maxLine), min(len(b), at+maxLine)
	if i := bytes.LastIndexByte(b[from:at], '\n'); i >= 0 {
		from += i + 1
	}
	if i := bytes.IndexByte(b[at:to], '\n'); i >= 0 {
		to = at + i
	}
	return b[from:to]
}

// timestamp is a time as JSON histories write it.
var timestamp = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"(?:timestamp|ts|time|created_at|createdAt)"\s*:\s*"?([0-9T:.Z+-]+)"?`)
})

// zshTime is how zsh writes when a command was run: ": 1700000000:0;command".
var zshTime = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^: ([0-9]{9,11}):[0-9]+;`) })

// timeOf is when a line was written, by its own account; zero if it does not say.
func timeOf(line []byte) time.Time {
	if m := zshTime().FindSubmatch(line); m != nil {
		return unix(m[1])
	}
	m := timestamp().FindSubmatch(line)
	if m == nil {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, string(m[1])); err == nil {
		return t.UTC()
	}
	return unix(m[1])
}

// unix reads seconds or milliseconds since 1970; zero for anything that is neither.
func unix(digits []byte) time.Time {
	var n int64
	for _, d := range digits {
		if d < '0' || d > '9' || n > 1e14 {
			return time.Time{}
		}
		n = n*10 + int64(d-'0')
	}
	switch {
	case n > 1e12:
		return time.UnixMilli(n).UTC()
	case n > 1e8:
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}
