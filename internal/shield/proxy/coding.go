package proxy

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the most that a zstd stream on the web may ask for (RFC 9659).
const maxZstdWindow = 8 << 20

// codings lists the content codings of a field, without "identity".
func codings(field string) []string {
	var all []string
	for _, c := range strings.Split(strings.ToLower(field), ",") {
		if c = strings.TrimSpace(c); c != "" && c != "identity" {
			all = append(all, c)
		}
	}
	return all
}

// decoders open the codings that we can look through.
func decoder(coding string) func(io.Reader) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "br":
		return func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }
	case "zstd":
		return func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
		}
	case "deflate":
		return inflate
	}
	return nil
}

// inflate reads zlib's format, which "deflate" means, or the bare one, which some servers take it for.
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	start, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(start) == 2 && start[0]&15 == 8 && (int(start[0])<<8|int(start[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}

// decode undoes the codings of a field Content-Encoding; known is false if there are none, or one that we do not know.
func decode(field string, r io.Reader) (decoded io.Reader, known bool) {
	all := codings(field)
	for _, c := range slices.Backward(all) {
		open := decoder(c)
		if open == nil {
			return r, false
		}
		r = &lazy{open: open, src: r}
	}
	return r, len(all) > 0
}

// lazy opens a decoder when it is first read: opening reads, which must not wait for a stream that has not begun.
type lazy struct {
	open func(io.Reader) (io.Reader, error)
	src  io.Reader
	r    io.Reader
	err  error
}

// Read implements io.Reader.
func (l *lazy) Read(b []byte) (int, error) {
	if l.r == nil && l.err == nil {
		l.r, l.err = l.open(l.src)
	}
	if l.err != nil {
		return 0, l.err
	}
	return l.r.Read(b)
}

// limitCodings takes from what a program accepts the codings that we could not look through.
func limitCodings(h http.Header, name string) {
	values, ok := h[name]
	if !ok {
		return
	}
	var kept []string
	for _, one := range strings.Split(strings.Join(values, ","), ",") {
		coding, _, _ := strings.Cut(strings.ToLower(one), ";")
		if coding = strings.TrimSpace(coding); coding == "identity" || decoder(coding) != nil {
			kept = append(kept, strings.TrimSpace(one))
		}
	}
	if len(kept) == 0 {
		kept = []string{"identity"}
	}
	h[name] = []string{strings.Join(kept, ", ")}
}
