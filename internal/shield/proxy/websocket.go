package proxy

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

// cleanUpgrade looks through what passes after an upgrade: the messages of WebSocket, and anything else as bytes.
func (v *visit) cleanUpgrade(answer *http.Response) error {
	both, ok := answer.Body.(io.ReadWriteCloser)
	if !ok {
		return errors.New("the connection cannot be upgraded")
	}
	answer.Header.Del("Sec-Websocket-Extensions")
	d := &duplex{ReadWriteCloser: both}
	if strings.EqualFold(answer.Header.Get("Upgrade"), "websocket") {
		d.back = (&messages{look: newMasker(v), aside: newMasker(v)}).feed
		d.forth = (&messages{look: newSender(v, true), aside: newSender(v, false)}).feed
	} else {
		d.back, d.forth = newMasker(v), newSender(v, false)
	}
	answer.Body = d
	return nil
}

// look takes a piece of a message, or of a stream, and returns what may be passed on. final ends the message.
type look func(piece []byte, final bool) ([]byte, error)

// newMasker masks values in what a server says.
func newMasker(v *visit) look {
	masks := v.p.overwriter()
	var held []byte
	return func(piece []byte, final bool) ([]byte, error) {
		text := append(held, piece...)
		done := masks.Mask(text, final)
		held = append([]byte(nil), text[done:]...)
		if final {
			masks = v.p.overwriter()
		}
		return text[:done:done], nil
	}
}

// newSender puts values in the place of placeholders in what a program says, or stops it.
func newSender(v *visit, messages bool) look {
	b := &outgoing{v: v, allowed: map[string]bool{}, fixed: !messages}
	b.encode = func(f placeholder.Found, value []byte) []byte {
		if f.Encoding == redact.JSON {
			return jsonText(value)
		}
		return value
	}
	return func(piece []byte, final bool) ([]byte, error) {
		text := append(b.held, piece...)
		found, open := v.p.c.Set.Scan(text, final)
		if n := len(found); n > 0 {
			open = max(open, found[n-1].End)
		}
		b.held = append([]byte(nil), text[open:]...)
		return b.values(text[:open], found)
	}
}

// duplex is an upgraded connection to a server, seen from the program.
type duplex struct {
	io.ReadWriteCloser
	back, forth look
	buf, ready  []byte
	err         error
}

// Read implements io.Reader.
func (d *duplex) Read(b []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if d.buf == nil {
			d.buf = make([]byte, 32<<10)
		}
		n, err := d.ReadWriteCloser.Read(d.buf)
		var bad error
		if d.ready, bad = d.back(d.buf[:n], errors.Is(err, io.EOF)); bad != nil {
			err = bad
		}
		d.err = err
	}
	n := copy(b, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// Write implements io.Writer.
func (d *duplex) Write(b []byte) (int, error) {
	out, err := d.forth(b, false)
	if err != nil {
		return 0, errors.Join(err, d.Close()) // nothing of it leaves, and nothing after it
	}
	if _, err := d.ReadWriteCloser.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// CloseWrite ends what is sent, if the connection can.
func (d *duplex) CloseWrite() error {
	out, err := d.forth(nil, true)
	if err == nil && len(out) > 0 {
		_, err = d.ReadWriteCloser.Write(out)
	}
	if err != nil {
		return err
	}
	if half, ok := d.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Frames of WebSocket (RFC 6455, 5.2).
const (
	wsFinal     = 0x80
	wsReserved  = 0x70
	wsOpcode    = 0x0f
	wsControl   = 0x08
	wsMasked    = 0x80
	wsMaxWaited = 64 << 10 // a frame up to this is passed on as a whole, a longer one in pieces
)

// frame is the head of a frame.
type frame struct {
	first  byte
	masked bool
	key    [4]byte
	left   uint64
	whole  bool // the payload is waited for
	at     uint64
}

// messages follows the frames of one direction. What it passes on has the same messages, maybe in other fragments.
type messages struct {
	look   look
	aside  look // of control frames
	in     []byte
	frame  *frame
	opcode byte // of the fragment that is passed on next; 0 once the first of a message has been
}

// errFrame is a frame that is against the protocol.
var errFrame = errors.New("the connection breaks the rules of WebSocket")

// feed takes bytes and returns those to pass on.
func (m *messages) feed(b []byte, _ bool) ([]byte, error) {
	m.in = append(m.in, b...)
	var out []byte
	for {
		if m.frame == nil {
			f, n, err := readFrame(m.in)
			if err != nil {
				return nil, err
			}
			if f == nil {
				break
			}
			m.frame, m.in = f, m.in[n:]
		}
		f := m.frame
		n := min(f.left, uint64(len(m.in)))
		if f.whole && n < f.left || n == 0 && f.left > 0 {
			break
		}
		more, err := m.payload(f, m.in[:n])
		if err != nil {
			return nil, err
		}
		out, m.in = append(out, more...), m.in[n:]
		if f.left == 0 {
			m.frame = nil
		}
	}
	m.in = append([]byte(nil), m.in...)
	return out, nil
}

// readFrame reads the head of a frame; it returns none if more is needed.
func readFrame(b []byte) (*frame, int, error) {
	if len(b) < 2 {
		return nil, 0, nil
	}
	f := &frame{first: b[0], masked: b[1]&wsMasked != 0, left: uint64(b[1] &^ wsMasked)}
	n := 2
	switch f.left {
	case 126:
		n = 4
	case 127:
		n = 10
	}
	if f.masked {
		n += 4
	}
	if len(b) < n {
		return nil, 0, nil
	}
	switch f.left {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(b[2:])
	}
	if f.masked {
		copy(f.key[:], b[n-4:])
	}
	if f.first&wsReserved != 0 || f.left>>63 != 0 || f.first&wsControl != 0 && (f.left > 125 || f.first&wsFinal == 0) {
		return nil, 0, errFrame
	}
	f.whole = f.left <= wsMaxWaited
	return f, n, nil
}

// payload passes on a piece of a frame.
func (m *messages) payload(f *frame, piece []byte) ([]byte, error) {
	text := make([]byte, len(piece))
	for i := range piece {
		text[i] = piece[i]
		if f.masked {
			text[i] ^= f.key[(f.at+uint64(i))&3] //nolint:gosec // an index
		}
	}
	f.at += uint64(len(piece))
	f.left -= uint64(len(piece))
	if f.first&wsControl != 0 {
		return m.control(f, text)
	}
	if op := f.first & wsOpcode; op != 0 {
		m.opcode = op
		f.first &^= wsOpcode
	}
	final := f.first&wsFinal != 0 && f.left == 0
	text, err := m.look(text, final)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 && !final {
		return nil, nil
	}
	head := m.opcode
	m.opcode = 0
	if final {
		head |= wsFinal
	}
	return writeFrame(head, f.masked, text), nil
}

// control passes on a ping, pong or close, which may stand between the fragments of a message.
func (m *messages) control(f *frame, text []byte) ([]byte, error) {
	text, err := m.aside(text, true)
	if err != nil {
		return nil, fmt.Errorf("a control frame: %w", err)
	}
	return writeFrame(f.first, f.masked, text), nil
}

// writeFrame makes a frame.
func writeFrame(first byte, masked bool, payload []byte) []byte {
	out := []byte{first, 0}
	switch n := len(payload); {
	case n < 126:
		out[1] = byte(n)
	case n < 1<<16:
		out[1] = 126
		out = binary.BigEndian.AppendUint16(out, uint16(n))
	default:
		out[1] = 127
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	if !masked {
		return append(out, payload...)
	}
	out[1] |= wsMasked
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	out = append(out, key[:]...)
	for i, b := range payload {
		out = append(out, b^key[i&3])
	}
	return out
}
