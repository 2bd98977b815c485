// Package sys is the backend at sys/: it manages the vault itself. One file a concern.
//
// What must also answer while the vault is sealed (status, unsealing, health) is not here but in the face that serves HTTP.
package sys

import (
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// System is the backend and the core that it manages.
type System struct {
	*logical.Backend
	core *vault.Core
}

// New returns the backend. Its core is set with Manage before the first request.
func New() *System {
	s := &System{Backend: &logical.Backend{Type: "system", Help: "The system backend manages the vault: mounts, policies, leases, seals."}}
	for _, routes := range [][]*logical.Route{
		s.mountRoutes(), s.policyRoutes(), s.capabilityRoutes(), s.leaseRoutes(), s.wrappingRoutes(), s.toolRoutes(), s.uiRoutes(),
		s.keyRoutes(), s.infoRoutes(), s.quotaRoutes(), s.lockedRoutes(), s.corsRoutes(), s.snapshotRoutes(), s.metricsRoutes(),
	} {
		s.Routes = append(s.Routes, routes...)
	}
	return s
}

// Manage tells the backend which core it manages.
func (s *System) Manage(c *vault.Core) { s.core = c }

// all answers with data beside "data" as well, as most of sys does.
func all(data map[string]any) *logical.Response { return &logical.Response{Data: data, TopLevel: true} }

// ops is a table of handlers with fewer words.
type ops = map[logical.Operation]logical.Handler
