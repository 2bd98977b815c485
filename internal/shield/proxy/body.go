package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

const (
	bodyPlace = "body"
	// maxBuffered is the largest body that is read as a whole before anything is sent.
	maxBuffered = 1 << 20
	// maxDecoded is how large such a body may be when it is decompressed.
	maxDecoded = 64 << 20
)

// openBody reads a small body as a whole and lists its placeholders. Larger ones, and those of unknown length, are looked
// through as they are sent.
func (v *visit) openBody(out *http.Request) ([]wanted, error) {
	if out.Body == nil || out.Body == http.NoBody || out.ContentLength <= 0 || out.ContentLength > maxBuffered || len(out.Trailer) > 0 || isGRPC(out.Header) {
		return nil, nil
	}
	raw := make([]byte, out.ContentLength)
	if _, err := io.ReadFull(out.Body, raw); err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	if err := out.Body.Close(); err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	text := raw
	if decoder, known := decode(out.Header.Get("Content-Encoding"), bytes.NewReader(raw)); known {
		decoded, err := io.ReadAll(io.LimitReader(decoder, maxDecoded+1))
		if text = decoded; err != nil || len(text) > maxDecoded {
			return nil, v.p.refuse(v.in.Context(), v.event("", bodyPlace, "the body is not of the encoding that it claims, or too large"), "")
		}
	}
	var all []wanted
	for _, f := range v.p.c.Set.Find(text) {
		all = append(all, wanted{piece: f.Piece, place: bodyPlace, unfit: unfitInBody(f), alarm: taken(f) != ""})
	}
	if len(all) > 0 && !bytes.Equal(text, raw) {
		out.Header.Del("Content-Encoding") // values go into the plain body
		raw = text
	}
	setBody(out, raw)
	return all, nil
}

// unfitInBody says why a placeholder in a body cannot be replaced.
func unfitInBody(f placeholder.Found) string {
	if why := taken(f); why != "" {
		return why
	}
	switch f.Encoding {
	case redact.Plain, redact.JSON, redact.Percent:
		return ""
	case redact.Base64, redact.Hex, redact.HTML, redact.Shell, redact.Reversed, redact.UTF16, redact.Line:
	}
	return fmt.Sprintf("it is encoded as %s", f.Encoding)
}

// setBody gives a request a body that it can send again if a kept connection turns out to be closed.
func setBody(out *http.Request, body []byte) {
	out.ContentLength = int64(len(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.Header.Del("Content-Length")
}

// bodyHash is what an approval of the request names its body by.
func (v *visit) bodyHash(out *http.Request, found []wanted) string {
	b, err := again(out)
	if err != nil {
		return ""
	}
	return grant.BodyHash(b)
}

// errUnread says that a body is looked through while it is sent.
var errUnread = errors.New("the body was not read as a whole")

// again reads a body that was read as a whole, once more.
func again(out *http.Request) ([]byte, error) {
	if out.GetBody == nil {
		return nil, errUnread
	}
	body, err := out.GetBody()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(body)
}

// sendBody puts values into a body that was read as a whole, or has one looked through as it is sent.
func (v *visit) sendBody(out *http.Request, found bool) error {
	switch {
	case out.Body == nil || out.Body == http.NoBody:
		return nil
	case out.GetBody == nil:
		return v.streamBody(out)
	case !found:
		return nil
	}
	b, err := io.ReadAll(out.Body)
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	setBody(out, v.fill(b, encodeFor(out.Header)))
	return nil
}

// encodeFor says how values are written into a body: as its type wants it.
func encodeFor(h http.Header) func(placeholder.Found, []byte) []byte {
	kind, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	kind = strings.TrimSpace(kind)
	return func(f placeholder.Found, value []byte) []byte {
		switch {
		case kind == "application/x-www-form-urlencoded":
			return []byte(url.QueryEscape(string(value)))
		case f.Encoding == redact.Percent:
			return []byte(url.PathEscape(string(value)))
		case f.Encoding == redact.JSON, kind == "application/json", strings.HasSuffix(kind, "+json"), kind == "application/x-ndjson":
			return jsonText(value)
		}
		return value
	}
}

// jsonText is a value within quotes of JSON.
func jsonText(value []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(string(value)) != nil {
		return value // a string can be encoded
	}
	return bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(b.Bytes()), []byte(`"`)), []byte(`"`))
}

// streamBody has a body looked through while it is sent.
func (v *visit) streamBody(out *http.Request) error {
	var src io.Reader = out.Body
	if decoder, known := decode(out.Header.Get("Content-Encoding"), src); known {
		out.Header.Del("Content-Encoding")
		out.Header.Del("Content-Length")
		src, out.ContentLength = decoder, -1
	}
	b := &outgoing{v: v, out: out, src: src, encode: encodeFor(out.Header), allowed: map[string]bool{}}
	b.fixed = out.ContentLength > 0 && !v.p.c.Policy.MayBody(v.to.host, v.to.port) || isGRPC(out.Header)
	if !b.fixed {
		out.ContentLength = -1
		out.Header.Del("Content-Length")
	}
	if isGRPC(out.Header) {
		var err error
		b.frames, err = newFrames(out.Header.Get("Grpc-Encoding"))
		if err != nil {
			return v.p.refuse(v.in.Context(), v.event("", bodyPlace, err.Error()), "")
		}
	}
	out.Body = b
	return nil
}

// outgoing is a body that is looked through as it is read. What may be the beginning of a placeholder is held back, and nothing
// of one is passed on unless it is replaced.
type outgoing struct {
	v      *visit
	out    *http.Request
	src    io.Reader
	encode func(placeholder.Found, []byte) []byte
	// fixed says that the length must stay.
	fixed   bool
	frames  *frames // of gRPC; nil for anything else
	allowed map[string]bool

	held  []byte // read, not decided
	ready []byte // decided, not passed on
	buf   []byte
	err   error
}

// Read implements io.Reader.
func (b *outgoing) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		if b.buf == nil {
			b.buf = make([]byte, bufferSize)
		}
		n, err := b.src.Read(b.buf)
		b.step(b.buf[:n], err)
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// step takes what was read.
func (b *outgoing) step(piece []byte, err error) {
	final := errors.Is(err, io.EOF)
	if err != nil {
		b.err = err
	}
	if b.frames != nil {
		if b.ready, err = b.frames.pass(piece, final, b.message); err != nil {
			b.refuse(err)
		} else if final {
			b.trailer()
		}
		return
	}
	text := piece
	if len(b.held) > 0 {
		text = append(b.held, piece...)
	}
	found, open := b.v.p.c.Set.Scan(text, final)
	if len(found) > 0 && found[len(found)-1].End > open {
		open = max(open, found[len(found)-1].End) // what overlaps a placeholder is none
	}
	done, err := b.values(text[:open], found)
	if err != nil {
		b.refuse(err)
		return
	}
	b.ready, b.held = done, append([]byte(nil), text[open:]...)
	if final {
		b.trailer()
	}
}

func (b *outgoing) refuse(err error) {
	b.ready, b.held, b.err = nil, nil, err
	var refused *Refusal
	if errors.As(err, &refused) {
		b.err = b.v.stop(refused)
	}
}

// values puts values into a text; an error is a refusal.
func (b *outgoing) values(text []byte, found []placeholder.Found) ([]byte, error) {
	if len(found) == 0 {
		return text, nil
	}
	var out []byte
	end := 0
	for _, f := range found {
		if f.Start < end {
			continue
		}
		value, err := b.value(f)
		if err != nil {
			return nil, err
		}
		out = append(append(out, text[end:f.Start]...), value...)
		end = f.End
	}
	return append(out, text[end:]...), nil
}

func (b *outgoing) value(f placeholder.Found) ([]byte, error) {
	name := f.Piece.Secret
	refuse := func(why string) error { return b.v.p.refuse(b.v.in.Context(), b.v.misplaced(f, bodyPlace, why), "") }
	if why := unfitInBody(f); why != "" {
		return nil, refuse(why)
	}
	if !b.allowed[name] {
		if err := b.v.permitOne(name, bodyPlace, "", false); err != nil {
			return nil, err
		}
		b.allowed[name] = true
	}
	value := b.encode(f, f.Piece.Value.Reveal())
	if b.fixed && len(value) != f.End-f.Start {
		return nil, refuse("its length differs from that of its placeholder, and the length of this body is fixed")
	}
	return value, nil
}

// message puts values into a message of gRPC, whose parts say how long they are. One that is compressed is not changed.
func (b *outgoing) message(message []byte, compressed bool) ([]byte, error) {
	found := b.v.p.c.Set.Find(message)
	if len(found) > 0 && compressed {
		return nil, b.v.p.refuse(b.v.in.Context(), b.v.misplaced(found[0], bodyPlace, "it is in a compressed message"), "")
	}
	return b.values(message, found)
}

// trailer passes on what came behind the body.
func (b *outgoing) trailer() {
	for name, values := range b.v.in.Trailer {
		for _, value := range values {
			if found := b.v.p.c.Set.Find([]byte(value)); len(found) > 0 {
				b.refuse(b.v.p.refuse(b.v.in.Context(), b.v.misplaced(found[0], "trailer:"+strings.ToLower(name), "a trailer is no place for a secret"), ""))
				return
			}
		}
		if b.out.Trailer != nil {
			b.out.Trailer[canonical(name)] = values
		}
	}
}

// Close implements io.Closer.
func (b *outgoing) Close() error { return b.v.in.Body.Close() }
