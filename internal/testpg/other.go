//go:build !linux && !darwin

package testpg

import (
	"errors"
	"testing"
)

// shared fails: the keeper takes file locks and sockets that this system lacks.
func shared() (string, error) {
	return "", errors.New("tests with PostgreSQL run on Linux and macOS")
}

// Server is a server of one test.
type Server struct{}

// Start fails as URL does.
func Start(t testing.TB) *Server {
	t.Helper()
	optOut(t)
	_, err := shared()
	t.Fatalf("starting PostgreSQL: %v", err)
	return nil
}

// URL is never reached.
func (*Server) URL() string { return "" }

// Start is never reached.
func (*Server) Start() {}

// Stop is never reached.
func (*Server) Stop() {}

// Kill is never reached.
func (*Server) Kill() {}

// Restart is never reached.
func (*Server) Restart() {}
