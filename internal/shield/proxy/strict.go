package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
)

// strictListener checks what its connections read.
type strictListener struct{ net.Listener }

// Accept implements net.Listener.
func (l strictListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: c}, nil
}

// strictConn lets HTTP/1.1 requests through that can be read in one way only, so that no two servers can disagree about where
// one ends and the next begins (RFC 9112, 11.2). A request is passed on when its head is whole and was checked; for one that is
// refused the server reads a line that it refuses in turn. Behind CONNECT and Upgrade anything passes: the server takes no
// further request on such a connection.
type strictConn struct {
	net.Conn
	in    []byte // read, not yet checked
	ready int    // how many bytes of in may be passed on
	frame framing
	ended error

	asked, sameUser bool // see admitted
}

// refusedHead is what the server reads in the place of a request that is refused.
const refusedHead = "\x00\r\n\r\n"

// errHead is why reading ends behind such a request.
var errHead = errors.New("the request cannot be read in one way only")

// Read implements net.Conn.
func (c *strictConn) Read(b []byte) (int, error) {
	for c.ready == 0 {
		if c.ended != nil {
			return 0, c.ended
		}
		if len(c.in) == 0 && c.frame.plain() {
			n, err := c.Conn.Read(b[:c.frame.limit(len(b))])
			c.frame.took(n)
			return n, err
		}
		if len(c.in) > 0 && c.check() {
			continue
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.in[:c.ready])
	c.in, c.ready = c.in[n:], c.ready-n
	return n, nil
}

// more reads. An error of the connection is passed on as it is; a deadline may be lifted again.
func (c *strictConn) more() error {
	const room = 8 << 10
	if cap(c.in)-len(c.in) < room {
		c.in = append(make([]byte, 0, 2*len(c.in)+room), c.in...)
	}
	n, err := c.Conn.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// check looks at what was read; it reports false if more is needed.
func (c *strictConn) check() bool {
	n, ok := c.frame.next(c.in)
	if !ok {
		c.in, c.ready, c.ended = []byte(refusedHead), len(refusedHead), errHead
		return true
	}
	c.ready = n
	return n > 0
}

// CloseWrite ends what is sent, if the connection can.
func (c *strictConn) CloseWrite() error { return closeWrite(c.Conn) }

// stage is where in a request a connection is.
type stage int

const (
	inHead stage = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	anything
)

// framing follows the frames of HTTP/1.1 requests.
type framing struct {
	at   stage
	left int64 // of a body or chunk
}

// plain reports whether what comes next needs no look.
func (f *framing) plain() bool {
	return f.at == anything || (f.at == inBody || f.at == inChunk) && f.left > 0
}

func (f *framing) limit(n int) int {
	if f.at == anything {
		return n
	}
	return int(min(int64(n), f.left))
}

// took notes n bytes of a body, chunk or anything.
func (f *framing) took(n int) {
	if f.at == anything {
		return
	}
	if f.left -= int64(n); f.left > 0 {
		return
	}
	if f.at == inBody {
		f.at = inHead
	} else {
		f.at = inChunkEnd
	}
}

// next says how many bytes of b are in order; 0 if more is needed to tell, and not ok if they are not.
func (f *framing) next(b []byte) (n int, ok bool) {
	switch f.at {
	case inHead:
		return f.head(b)
	case inChunkSize:
		return f.chunkSize(b)
	case inChunkEnd:
		if len(b) < 2 {
			return 0, b[0] == '\r'
		}
		f.at = inChunkSize
		return 2, b[0] == '\r' && b[1] == '\n'
	case inTrailer:
		return f.trailer(b)
	case inBody, inChunk, anything:
	}
	n = f.limit(len(b))
	f.took(n)
	return n, true
}

func (f *framing) head(b []byte) (n int, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, len(b) < maxHead && !bytes.Contains(b, []byte("\n\n")) && b[0] != '\r' && b[0] != '\n'
	}
	h, ok := readHead(b[:end+2])
	if !ok || end > maxHead {
		return 0, false
	}
	switch {
	case h.raw:
		f.at = anything
	case h.chunked:
		f.at = inChunkSize
	case h.length > 0:
		f.at, f.left = inBody, h.length
	}
	return end + 4, true
}

// chunkSize reads "HEX[;extension]CRLF".
func (f *framing) chunkSize(b []byte) (n int, ok bool) {
	const longest = 256
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return 0, len(b) < longest
	}
	line, ok := bytes.CutSuffix(b[:end], []byte("\r"))
	if !ok || end > longest || !clean(line) {
		return 0, false
	}
	size, _, _ := bytes.Cut(line, []byte(";"))
	if len(size) == 0 || len(size) > 15 {
		return 0, false
	}
	f.left = 0
	for _, c := range size {
		d := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		if d < 0 || c < '0' {
			return 0, false
		}
		f.left = f.left<<4 | int64(d)
	}
	if f.at = inChunk; f.left == 0 {
		f.at = inTrailer
	}
	return end + 1, true
}

func (f *framing) trailer(b []byte) (n int, ok bool) {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		f.at = inHead
		return 2, true
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, len(b) < maxHead
	}
	h := &head{}
	if !h.fields(b[:end+2]) || h.framed() {
		return 0, false
	}
	f.at = inHead
	return end + 4, true
}
