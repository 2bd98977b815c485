package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// target is where requests of a connection go.
type target struct {
	scheme, host string // host in lower case, without brackets and final dot
	port         int
}

// targetOf reads the host of a URL.
func targetOf(scheme, host string) (target, error) {
	t := target{scheme: scheme, host: host, port: 443}
	if scheme == "http" {
		t.port = 80
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return t, fmt.Errorf("%q has no port from 1 to 65535", host)
		}
		t.host, t.port = name, int(n)
	}
	t.host = strings.TrimSuffix(strings.ToLower(strings.Trim(t.host, "[]")), ".")
	if a, err := netip.ParseAddr(t.host); err == nil {
		t.host = a.WithZone("").Unmap().String()
		return t, nil
	}
	if t.host == "" || len(t.host) > 253 || strings.Trim(t.host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return t, fmt.Errorf("%q is no name of a host", host)
	}
	return t, nil
}

// address is the target for a dialer.
func (t target) address() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

// innerConn is a connection taken over after CONNECT, with what was read ahead.
type innerConn struct {
	net.Conn
	ahead  []byte
	target target
}

// Read implements net.Conn.
func (c *innerConn) Read(b []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// CloseWrite ends what is sent, if the connection can.
func (c *innerConn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// innerTarget finds the target of the connection that a request came on.
func innerTarget(ctx context.Context) (target, bool) {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	if strict, ok := c.(*strictConn); ok {
		c = strict.Conn
	}
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	inner, ok := c.(*innerConn)
	if !ok {
		return target{}, false
	}
	return inner.target, true
}
