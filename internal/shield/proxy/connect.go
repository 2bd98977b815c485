package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// peekTimeout is how long a connection to a host of a rule may be silent before it counts as one in which the server speaks
// first: no HTTP.
const peekTimeout = 3 * time.Second

// connect answers CONNECT.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	t, err := targetOf("https", r.Host)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error(), nil)
		return
	}
	if found := p.c.Set.Find([]byte(r.Host)); len(found) > 0 {
		p.refuseConnect(w, r, t, Event{Secret: found[0].Piece.Secret, Place: "host", Refused: "a name of a host is no place for a secret", Alarm: taken(found[0]) != ""})
		return
	}
	if p.c.Inspect || p.c.Policy.Names(t.host, t.port) {
		p.takeOver(w, func(c *innerConn) bool { return p.look(c, t) })
		return
	}
	if p.c.Strict {
		p.refuseConnect(w, r, t, Event{Refused: "no rule names this host"})
		return
	}
	up, err := p.c.Dialer.DialContext(r.Context(), "tcp", t.address())
	if err != nil {
		problem(w, http.StatusBadGateway, err.Error(), nil)
		return
	}
	release := p.keep(up)
	defer release(false)
	p.takeOver(w, func(c *innerConn) bool { return tunnel(c, up) })
}

func (p *Proxy) refuseConnect(w http.ResponseWriter, r *http.Request, t target, e Event) {
	e.Method, e.Scheme, e.Host, e.Port = r.Method, "https", t.host, t.port
	p.refuse(r.Context(), e, "").write(w)
}

// takeOver takes the connection from the server, tells the program that it is there, and lets fn use it, which says
// whether it has given it away.
func (p *Proxy) takeOver(w http.ResponseWriter, fn func(*innerConn) (given bool)) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		problem(w, http.StatusHTTPVersionNotSupported, "CONNECT needs HTTP/1.1", nil)
		return
	}
	c := &innerConn{Conn: conn}
	if strict, ok := conn.(*strictConn); ok {
		c.Conn = strict.Conn
		c.ahead = readAhead(buffered.Reader, strict)
	}
	release := p.keep(c)
	given := false
	defer func() { release(given) }()
	if conn.SetDeadline(time.Time{}) != nil {
		return
	}
	if _, err := io.WriteString(c.Conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	given = fn(c)
}

// readAhead is what was read of a connection and not used: by the server, and by the check before it.
func readAhead(r *bufio.Reader, strict *strictConn) []byte {
	b, _ := r.Peek(r.Buffered()) // no more than is there
	return append(append([]byte(nil), b...), strict.in...)
}

// look finds out what a program speaks: TLS is terminated, HTTP is looked through, and anything else passes, unless Strict.
func (p *Proxy) look(c *innerConn, t target) (given bool) {
	first := make([]byte, 1)
	if c.SetReadDeadline(time.Now().Add(peekTimeout)) != nil {
		return false
	}
	n, err := c.Read(first)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) || c.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	c.ahead = append(first[:n:n], c.ahead...)
	switch {
	case n > 0 && first[0] == 0x16: // a handshake record
		c.target = t
		return p.terminate(c)
	case n > 0 && first[0] >= 'A' && first[0] <= 'Z' && first[0] != 'S': // a method; SSH says "SSH-2.0" first
		c.target = target{scheme: "http", host: t.host, port: t.port}
		return p.serve(&strictConn{Conn: c})
	case !p.c.Strict:
		return p.passOn(c, t)
	}
	return false
}

func (p *Proxy) passOn(c *innerConn, t target) (given bool) {
	up, err := p.c.Dialer.DialContext(context.Background(), "tcp", t.address())
	if err != nil {
		return false // the program sees its connection end
	}
	release := p.keep(up)
	defer release(false)
	return tunnel(c, up)
}

// terminate is the server's end of TLS for a host.
func (p *Proxy) terminate(c *innerConn) (given bool) {
	config := p.tlsConfig.Clone()
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if name := strings.TrimSuffix(strings.ToLower(hello.ServerName), "."); name != "" && name != c.target.host {
			return nil, fmt.Errorf("the handshake is for %q, the connection for %q", name, c.target.host)
		}
		return p.c.Authority.Certificate(c.target.host)
	}
	secure := tls.Server(c, config)
	ctx, cancel := context.WithTimeout(context.Background(), headerTimeout)
	defer cancel()
	if secure.HandshakeContext(ctx) != nil {
		return false // the program has been told by an alert
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		return p.serve(secure)
	}
	return p.serve(&strictConn{Conn: secure})
}

// serve gives a connection to the inner server, which closes it.
func (p *Proxy) serve(c net.Conn) (given bool) { return p.terminated.give(c) }

// tunnel copies both ways until both ends are done.
func tunnel(a, b net.Conn) (given bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(b, a) // that an end breaks off is the other's to see
		_ = closeWrite(b)
	}()
	_, _ = io.Copy(a, b)
	_ = closeWrite(a)
	<-done
	return false
}
