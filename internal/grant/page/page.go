// Package page serves what a person looks at in a browser on this machine: a request to approve, or a field to type a secret's
// value into. An assistant is given the address to hand it to the person (MCP's URL elicitation), so every page is made for the
// case that the assistant opens it first.
//
// An address holds a token of 256 bits, works once, and belongs to one request or one secret. Opening a page changes nothing.
// Approving takes a code besides, which the person reads where the assistant does not ([Options.Tell]); where there is no such
// place, the page can only refuse, and says how to approve in a terminal. docs/approvals.md has the reasoning.
package page

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// Life is how long an address works, at most: a request may end earlier.
const Life = 10 * time.Minute

// maxTickets limits the addresses that work at a time.
const maxTickets = 64

// ErrTooMany is returned when so many addresses work that one more would be noise.
var ErrTooMany = errors.New("too many pages wait for a person")

// Options are what a Server needs.
type Options struct {
	// Approver answers requests in the name of the person at the browser. Required.
	Approver grant.Approver
	// Tell shows a person the code that approving takes, together with the request, in a place that no assistant reads:
	// the terminal in which the person started the server, say. If it is nil or fails, the page cannot approve.
	Tell func(ctx context.Context, r grant.Request, code string) error
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// Server serves pages on a port of 127.0.0.1. It is safe for concurrent use.
type Server struct {
	Options
	http   *http.Server
	origin string
	host   string

	mu      sync.Mutex
	tickets map[[32]byte]*ticket
}

// ticket is what an address is for. Its fields are guarded by Server.mu.
type ticket struct {
	page    view
	expires time.Time
	opened  bool
	form    [32]byte // the hash of what the form must bring back; zero until opened
	busy    bool     // a form is being worked on
}

// view is one kind of page.
type view interface {
	// open is called once, before the page is shown.
	open(ctx context.Context)
	// show renders the page with the key of its form and, after a try, what was wrong.
	show(form, wrong string) body
	// act does what a form says. Unless done, the page is shown again with the returned text, or, if that is empty, ends.
	act(ctx context.Context, form func(string) string) (result body, wrong string, done bool)
}

// Listen starts a server. Close ends it.
func Listen(ctx context.Context, o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a port for pages: %w", err)
	}
	s := &Server{Options: o, host: listener.Addr().String(), tickets: map[[32]byte]*ticket{}}
	s.origin = "http://" + s.host
	s.http = &http.Server{
		Handler: s.guard(http.HandlerFunc(s.serve)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	go func() { _ = s.http.Serve(listener) }() // it ends with Close
	return s, nil
}

// Close ends the server; its addresses work no longer.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("closing the pages: %w", err)
	}
	return nil
}

// add makes an address for a page.
func (s *Server) add(v view, expires time.Time) (url string, id [32]byte, err error) {
	token := random()
	id = sha256.Sum256([]byte(token))
	now := s.Clock()
	if last := now.Add(Life); expires.IsZero() || last.Before(expires) {
		expires = last
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, t := range s.tickets {
		if !now.Before(t.expires) {
			delete(s.tickets, k)
		}
	}
	if len(s.tickets) >= maxTickets {
		return "", id, ErrTooMany
	}
	s.tickets[id] = &ticket{page: v, expires: expires}
	return s.origin + openPath + token, id, nil
}

func (s *Server) drop(id [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tickets, id)
}

// open takes the ticket of an address, for the first and only time, and returns it with the key of its form.
func (s *Server) open(token string) (*ticket, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tickets[sha256.Sum256([]byte(token))]
	if !ok || t.opened || !s.Clock().Before(t.expires) {
		return nil, ""
	}
	t.opened = true
	return t, t.renew()
}

// renew gives the form of a ticket a new key.
func (t *ticket) renew() string {
	key := random()
	t.form = sha256.Sum256([]byte(key))
	return key
}

// submitted finds the ticket whose form has this key, and takes it: until the form has another key, there is none that works. Tickets are found by hashes, so that
// the time it takes tells nothing of a key.
func (s *Server) submitted(key string) ([32]byte, *ticket) {
	sum := sha256.Sum256([]byte(key))
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tickets {
		if t.opened && !t.busy && t.form == sum && s.Clock().Before(t.expires) {
			t.busy = true
			return id, t
		}
	}
	return [32]byte{}, nil
}

// again makes a ticket wait for another try.
func (s *Server) again(t *ticket) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.busy = false
	return t.renew()
}

// random is 256 bits as text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
