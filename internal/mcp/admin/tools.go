// Package admin has the tools that look after the vault, and, where a server of Vault's kind is addressed, after its tokens and
// leases.
package admin

import (
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Tools returns the tools of the set.
func Tools() ([]tool.Tool, error) {
	return tool.Collect(
		auditQuery,
		policyCheck,
		sealVault,
		snapshot,
		webhookTest,
	)
}

// ServerTools returns those that need a server.
func ServerTools() ([]tool.Tool, error) {
	return tool.Collect(
		tokenCreate,
		leaseList,
		leaseRevoke,
	)
}

// in is the environment that an argument names, by its name or an alias such as prod.
func in(c *tool.Call, env string) platform.Env { return c.In(ref.CanonicalEnvironment(env)) }
