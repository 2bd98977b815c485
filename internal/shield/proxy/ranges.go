package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A program could ask for a secret in pieces, by ranges of bytes that cut it. So the server is asked for a range that is wider
// on both sides by the longest form of a value, and the answer is cut back after it was masked. What this cannot be done for
// (several ranges) is asked for as a whole, which a server may do at any time.

// window is the range that a program wants: from first to last, or the last bytes if suffix is not 0.
type window struct {
	first, last int64 // last is -1 for up to the end
	suffix      int64
}

// readRange reads "bytes=A-B" (RFC 9110, 14.1.2).
func readRange(field string) (*window, bool) {
	spec, ok := strings.CutPrefix(strings.TrimSpace(field), "bytes=")
	a, b, dash := strings.Cut(spec, "-")
	if !ok || !dash {
		return nil, false
	}
	w := &window{last: -1}
	var err error
	if a == "" {
		w.suffix, err = strconv.ParseInt(b, 10, 64)
		return w, err == nil && w.suffix > 0
	}
	if w.first, err = strconv.ParseInt(a, 10, 64); err != nil || w.first < 0 {
		return nil, false
	}
	if b != "" {
		if w.last, err = strconv.ParseInt(b, 10, 64); err != nil || w.last < w.first {
			return nil, false
		}
	}
	return w, true
}

// widenRange changes what range a server is asked for.
func (v *visit) widenRange(h http.Header) {
	field := h.Get("Range")
	if field == "" || v.p.scrub.Longest() == 0 {
		return
	}
	h.Set("Accept-Encoding", "identity") // a part of an encoded body cannot be decoded
	w, ok := readRange(field)
	if !ok {
		h.Del("Range")
		h.Del("If-Range")
		return
	}
	v.window = w
	more := int64(v.p.scrub.Longest())
	switch {
	case w.suffix > 0:
		h.Set("Range", fmt.Sprintf("bytes=-%d", w.suffix+more))
	case w.last < 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-", max(0, w.first-more)))
	default:
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", max(0, w.first-more), w.last+more))
	}
}

// cutRange cuts an answer with a part of a body back to what was asked for.
func (v *visit) cutRange(answer *http.Response, body *incoming) error {
	if v.window == nil || answer.StatusCode != http.StatusPartialContent {
		return nil
	}
	from, to, size, ok := readContentRange(answer.Header.Get("Content-Range"))
	if !ok {
		return fmt.Errorf("the server answers a range with %q", answer.Header.Get("Content-Range"))
	}
	first, last := v.window.first, v.window.last
	if v.window.suffix > 0 {
		first = max(0, to+1-v.window.suffix)
	}
	if last < 0 || last > to {
		last = to
	}
	if first > last || first < from {
		answer.StatusCode, answer.Status = http.StatusRequestedRangeNotSatisfiable, ""
		answer.Header.Set("Content-Range", "bytes */"+size)
		answer.Header.Set("Content-Length", "0")
		answer.ContentLength, answer.Body = 0, &section{body: body}
		return nil
	}
	answer.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", first, last, size))
	answer.ContentLength = last - first + 1
	answer.Header.Set("Content-Length", strconv.FormatInt(answer.ContentLength, 10))
	answer.Body = &section{body: body, skip: first - from, left: answer.ContentLength}
	return nil
}

// readContentRange reads "bytes A-B/SIZE".
func readContentRange(field string) (from, to int64, size string, ok bool) {
	spec, ok := strings.CutPrefix(field, "bytes ")
	span, size, ok2 := strings.Cut(spec, "/")
	a, b, ok3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(a, 10, 64)
	to, err2 := strconv.ParseInt(b, 10, 64)
	return from, to, size, ok && ok2 && ok3 && err == nil && err2 == nil && from <= to
}

// section is a part of a body.
type section struct {
	body       io.ReadCloser
	skip, left int64
}

// Read implements io.Reader.
func (s *section) Read(b []byte) (int, error) {
	if s.skip > 0 {
		n, err := io.CopyN(io.Discard, s.body, s.skip)
		if s.skip -= n; err != nil {
			return 0, io.ErrUnexpectedEOF
		}
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.body.Read(b[:min(int64(len(b)), s.left)])
	if s.left -= int64(n); s.left == 0 {
		return n, io.EOF
	}
	return n, err
}

// Close implements io.Closer.
func (s *section) Close() error { return s.body.Close() }
