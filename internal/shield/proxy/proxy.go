// Package proxy is the forward proxy of a shielded program: it puts values in the place of placeholders in what leaves for the
// hosts that a secret's rules name, and masks values in what comes back.
//
// A request to such a host is decrypted (CONNECT is answered with a certificate of the run's own authority), looked through,
// and sent on over a connection that is verified as any client would. A placeholder that stands where no rule permits it stops
// the request before it leaves. Connections to all other hosts pass through as they are, or not at all with Strict.
//
// HTTP/1.1 and HTTP/2 are spoken to both sides, with trailers, informational answers, event streams, WebSocket and gRPC.
// Start with [New], then [Proxy.Serve].
package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/authority"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// Config is what a proxy needs.
type Config struct {
	// Set holds the placeholders and their values. Required.
	Set *placeholder.Set
	// Policy says what may be sent where. Required.
	Policy *rule.Policy
	// Authority signs the certificates that the program sees. Required.
	Authority *authority.Authority
	// Dialer connects to the outside. Required.
	Dialer *egress.Dialer
	// Roots are the authorities that servers are verified with; nil is the system's.
	Roots *x509.CertPool
	// Record writes down a use before its bytes leave, and a refusal. What it returns an error for does not happen. Required.
	Record func(context.Context, Event) error
	// Project and Env are where the secrets are from, for those who are asked.
	Project, Env string
	// Strict closes the hosts that no rule names.
	Strict bool
	// Inspect looks into the connections to all hosts, so that a placeholder is stopped wherever it goes.
	Inspect bool
	// SameUser lets programs of this user, as the system tells of their sockets, in without credentials: some clients cannot send
	// any. Where the system does not tell, nobody gets in that way.
	SameUser bool
}

// Event is a use of a secret, or one that was refused.
type Event struct {
	Secret string // name
	Place  string // "header:authorization"
	Method string
	Scheme string
	Host   string
	Port   int
	Path   string // as the program sent it
	// Refused says why it was not permitted; empty for a use.
	Refused string
	// Alarm says that somebody has taken a secret: its value itself stood in the request, or it is a canary.
	Alarm bool
}

// Proxy is a running proxy. It is safe for concurrent use.
type Proxy struct {
	c                  Config
	user, password     string
	scrub              *redact.Matcher
	transport, upgrade *http.Transport
	reverse            *httputil.ReverseProxy
	outer, inner       *http.Server
	terminated         *handoff
	tlsConfig          *tls.Config

	mu    sync.Mutex
	conns map[io.Closer]bool // taken over from the servers
	shut  bool
}

const (
	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHead bounds the head of a request and of an answer.
	maxHead = 128 << 10
)

// New makes a proxy; nothing listens yet.
func New(c Config) (*Proxy, error) {
	p := &Proxy{c: c, user: "zvault", password: newPassword(), terminated: newHandoff(), conns: map[io.Closer]bool{}}
	if err := p.makeScrubber(); err != nil {
		return nil, err
	}
	p.transport = p.newTransport(true)
	p.upgrade = p.newTransport(false)
	p.tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	quiet := log.New(io.Discard, "", 0) // what clients do wrong they are told
	p.reverse = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: roundTripper{p}, FlushInterval: -1, ErrorHandler: failed, ErrorLog: quiet, BufferPool: &buffers{},
	}
	p.outer = &http.Server{
		Handler: http.HandlerFunc(p.serveOuter), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
		ErrorLog: quiet, ConnContext: withConn,
	}
	p.inner = &http.Server{
		Handler: http.HandlerFunc(p.serveInner), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
		ErrorLog: quiet, ConnContext: withConn, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 256},
	}
	go func() {
		_ = p.inner.Serve(p.terminated) // returns when it is closed
	}()
	return p, nil
}

func (p *Proxy) newTransport(h2 bool) *http.Transport {
	t := &http.Transport{
		DialContext:            p.c.Dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: p.c.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      h2,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  2 * time.Second,
		MaxResponseHeaderBytes: maxHead,
		WriteBufferSize:        32 << 10,
		ReadBufferSize:         32 << 10,
	}
	if !h2 {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return t
}

// makeScrubber makes what masks values in answers. Names are the numbers of pieces.
func (p *Proxy) makeScrubber() (err error) {
	var all []redact.Secret
	for i, piece := range p.c.Set.Pieces() {
		all = append(all, redact.Secret{Name: strconv.Itoa(i), Value: piece.Value, Force: true})
	}
	if p.scrub, err = redact.New(all); err != nil {
		return fmt.Errorf("making the shield's mask: %w", err)
	}
	return nil
}

// Secrets lists the values that answers are masked for, for those who mask more.
func (p *Proxy) Secrets() []redact.Secret {
	var all []redact.Secret
	for _, piece := range p.c.Set.Pieces() {
		all = append(all, redact.Secret{Name: piece.Secret, Value: secret.New(piece.Value.Reveal()), Force: true})
	}
	return all
}

// URL is the proxy's address for a program's environment, with the credentials that it must show.
func (p *Proxy) URL(at net.Addr) *url.URL {
	return &url.URL{Scheme: "http", User: url.UserPassword(p.user, p.password), Host: at.String()}
}

// Serve takes connections until Close. It may be called for several listeners.
func (p *Proxy) Serve(l net.Listener) error {
	err := p.outer.Serve(strictListener{l})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the shield's proxy: %w", err)
}

// Close ends all connections.
func (p *Proxy) Close() error {
	err := errors.Join(p.outer.Close(), p.inner.Close())
	p.mu.Lock()
	p.shut = true
	for c := range p.conns {
		_ = c.Close() // it may be closed already
	}
	p.conns = nil
	p.mu.Unlock()
	p.transport.CloseIdleConnections()
	p.upgrade.CloseIdleConnections()
	return err
}

// keep remembers a connection that Close has to end; release forgets it, and closes it unless it was
// given away.
func (p *Proxy) keep(c io.Closer) (release func(given bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		_ = c.Close() // nobody else would
		return func(bool) {}
	}
	p.conns[c] = true
	return func(given bool) {
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
		if !given {
			_ = c.Close() // the other side may have done it
		}
	}
}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 64 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return v[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
