// Package server is the HTTP face: Vault's API below /v1/, and what a machine in front of it asks (/healthz, /readyz, /metrics).
//
// Start with Open, which puts storage, seal, audit and core together, then Server.Run. A Server is also an http.Handler.
package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Options say what a server tells of itself.
type Options struct {
	Version       string
	BuildDate     string
	StorageType   string
	Shared        bool
	AutoUnseal    bool
	PublicAddress string
	// RequireRequestHeader refuses requests without X-Vault-Request, which a browser cannot be made to send across sites.
	RequireRequestHeader bool
}

// Server answers HTTP requests with a core. It is safe for concurrent use.
type Server struct {
	core        *vault.Core
	options     Options
	clock       func() time.Time
	log         *slog.Logger
	unsealLimit *bucket
	ceremonies  map[string]func(http.ResponseWriter, *http.Request) error
	mounts      mounts
}

// unsealRate is how many shares a second are taken: people and their scripts type them, and none can be guessed.
const unsealRate = 50

// New returns the face of a core.
func New(core *vault.Core, log *slog.Logger, o Options) *Server {
	s := &Server{core: core, options: o, clock: core.Now, log: log, unsealLimit: newBucket(unsealRate)}
	s.ceremonies = s.attempts()
	return s
}

// outside answers what is not below /v1/.
func (s *Server) outside(w http.ResponseWriter, r *http.Request) {
	if h, ok := s.mounts.find(r.URL.Path); ok {
		h.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case "/healthz":
		respond(w, http.StatusOK, map[string]any{"status": "ok"})
	case "/readyz":
		if s.core.Sealed() {
			respond(w, http.StatusServiceUnavailable, map[string]any{"status": "sealed"})
			return
		}
		respond(w, http.StatusOK, map[string]any{"status": "ok"})
	case "/metrics": // sys/metrics, where Prometheus looks unless told otherwise; it sends its token as a bearer
		call, err := s.parse(w, r, "sys/metrics")
		if err != nil {
			fail(w, err)
			return
		}
		write(w, s.core.Handle(r.Context(), call))
	default:
		fail(w, logical.ErrNotFound)
	}
}
