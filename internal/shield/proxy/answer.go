package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// digests are the fields that a masked or decoded body no longer fits.
var digests = [...]string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Want-Digest", "X-Goog-Hash"}

// clean masks values in an answer: in its fields at once, in its body and trailers while they pass.
func (v *visit) clean(answer *http.Response) error {
	h := answer.Header
	v.p.scrubHeader(h)
	h.Del("Alt-Svc") // HTTP/3 would go past the proxy
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return v.cleanUpgrade(answer)
	}
	coded := len(codings(h.Get("Content-Encoding"))) > 0
	decoded, known := decode(h.Get("Content-Encoding"), answer.Body)
	if coded && (!known || answer.StatusCode == http.StatusPartialContent) && answer.Body != http.NoBody {
		return fmt.Errorf("the answer is encoded as %q, which cannot be looked through", h.Get("Content-Encoding"))
	}
	if known {
		v.decoded(answer)
	}
	if len(answer.Trailer) > 0 && v.in.ProtoMajor == 1 {
		h.Del("Content-Length") // HTTP/1.1 has trailers only behind chunks
		answer.ContentLength = -1
	}
	for _, name := range digests {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Checksum-") {
			h.Del(name)
		}
	}
	if answer.ContentLength == 0 && v.in.Method != http.MethodHead {
		answer.Body = http.NoBody // HTTP/2 has one of its own
	}
	v.empty = answer.Body == http.NoBody && len(answer.Trailer) == 0
	if answer.Body == http.NoBody || v.in.Method == http.MethodHead {
		return nil
	}
	body := &incoming{v: v, answer: answer, body: answer.Body, src: decoded, masks: v.p.overwriter()}
	if isGRPC(h) {
		var err error
		if body.frames, err = newFrames(h.Get("Grpc-Encoding")); err != nil {
			return err
		}
	}
	answer.Body = body
	return v.cutRange(answer, body)
}

// decoded changes the fields of an answer that is passed on without its content coding.
func (v *visit) decoded(answer *http.Response) {
	h := answer.Header
	h.Del("Content-Encoding")
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	answer.ContentLength = -1
	if tag := h.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("Etag", "W/"+tag) // no longer the same byte for byte
	}
}

// scrubHeader masks values in fields.
func (p *Proxy) scrubHeader(h http.Header) {
	for _, values := range h {
		for i, value := range values {
			if finds, _ := p.scrub.Scan([]byte(value), true); len(finds) > 0 {
				masked := []byte(value)
				p.overwriter().Mask(masked, true)
				values[i] = string(masked)
			}
		}
	}
}

// overwriter masks a stream. A value is overwritten by its placeholder if that is as long, so that a program that reads back
// what it has sent goes on working, and else by a mask of the same length: lengths, ranges and frames stay right.
func (p *Proxy) overwriter() *redact.Overwriter {
	pieces := p.c.Set.Pieces()
	return p.scrub.Overwriter(func(dst []byte, name string, e redact.Encoding) {
		i, err := strconv.Atoi(name)
		if err != nil {
			panic("a name that is no number: " + name) // makeScrubber gives no other
		}
		if piece := pieces[i]; e == redact.Plain && len(piece.Placeholder) == len(dst) {
			copy(dst, piece.Placeholder)
			return
		}
		mask := "[redacted:" + pieces[i].Secret + "]"
		if len(mask) > len(dst) {
			mask = ""
		}
		for j := copy(dst, mask); j < len(dst); j++ {
			dst[j] = '*'
		}
	})
}

// incoming is the body of an answer, masked as it is read. It holds back what may be the beginning of a value, and nothing else.
type incoming struct {
	v      *visit
	answer *http.Response
	body   io.Closer
	src    io.Reader
	masks  *redact.Overwriter
	frames *frames // of gRPC; nil for anything else

	held  []byte // read, not decided
	ready []byte // masked, not passed on
	err   error
}

// Read implements io.Reader. Mostly it reads into b and masks there.
func (r *incoming) Read(b []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.frames == nil && len(b) >= 2*len(r.held)+512 {
			if n := r.inPlace(b); n > 0 {
				return n, nil
			}
			continue
		}
		r.aside(max(len(b), 2*len(r.held)+512))
	}
	n := copy(b, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// inPlace reads behind what is held, masks both, and keeps what is not decided.
func (r *incoming) inPlace(b []byte) int {
	start := copy(b, r.held)
	n, err := r.src.Read(b[start:])
	text := b[:start+n]
	done := r.masks.Mask(text, errors.Is(err, io.EOF))
	r.held = append(r.held[:0], text[done:]...)
	r.end(err)
	return done
}

// aside does the same in a buffer of its own.
func (r *incoming) aside(size int) {
	piece := make([]byte, size)
	n, err := r.src.Read(piece)
	final := errors.Is(err, io.EOF)
	if r.frames != nil {
		ready, bad := r.frames.pass(piece[:n], final, r.message)
		if bad != nil {
			ready, err = nil, bad
		}
		r.ready = ready
		r.end(err)
		return
	}
	text := append(r.held, piece[:n]...)
	done := r.masks.Mask(text, final)
	r.ready, r.held = text[:done:done], append([]byte(nil), text[done:]...)
	r.end(err)
}

// message masks a message of gRPC.
func (r *incoming) message(message []byte, _ bool) ([]byte, error) {
	if finds, _ := r.v.p.scrub.Scan(message, true); len(finds) == 0 {
		return message, nil
	}
	masked := bytes.Clone(message)
	r.v.p.overwriter().Mask(masked, true)
	return masked, nil
}

// end takes the error of a read; behind the last byte come the trailers.
func (r *incoming) end(err error) {
	if err == nil {
		return
	}
	r.err = err
	if !errors.Is(err, io.EOF) {
		clear(r.held)
		r.held = nil
		return
	}
	r.v.p.scrubHeader(r.answer.Trailer)
}

// Close implements io.Closer.
func (r *incoming) Close() error { return r.body.Close() }
