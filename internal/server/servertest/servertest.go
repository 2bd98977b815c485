// Package servertest gives a test a real server: its own vault, unsealed, on a port of its own.
package servertest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server"
)

// Server is a running server.
type Server struct {
	*server.Running
	URL   string
	Token string // root
}

// Start runs a server in memory that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return Open(t, server.Config{Storage: "memory", Dev: true, DevToken: "root-of-the-test"})
}

// Open runs a server as c says; its log goes to the test's.
func Open(t testing.TB, c server.Config) *Server {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if c.Version == "" {
		c.Version = "1.2.3"
	}
	r, err := server.Open(context.WithoutCancel(t.Context()), c)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(r.Server)
	h.Config.ErrorLog = slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug)
	h.Start()
	t.Cleanup(func() {
		h.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Server{Running: r, URL: h.URL, Token: r.RootToken}
}

// Client is an HTTP client without proxies.
func (s *Server) Client() *http.Client { return &http.Client{Transport: &http.Transport{}} }
