package redteam

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// server is a server on a free port of the loopback.
type server struct {
	at    net.Addr
	http  *http.Server
	ended chan error
}

func listen(h http.Handler) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a server for attacks: %w", err)
	}
	s := &server{at: l.Addr(), http: &http.Server{Handler: h, ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0)}, ended: make(chan error, 1)}
	s.http.WriteTimeout = patience + 5*time.Second
	go func() { s.ended <- s.http.Serve(l) }()
	return s, nil
}

// url is the server's address.
func (s *server) url() string { return "http://" + s.at.String() }

func (s *server) close() error {
	err := s.http.Close()
	if served := <-s.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
