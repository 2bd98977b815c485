package mcp

import (
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/admin"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/cloud"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/database"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/inspect"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/network"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/vault"
)

// All returns every tool that there is, set by set. Those that need a server of Vault's kind are there if the environment
// addresses one. Some keep connections open until they are closed.
func All(getenv func(string) string) (all []tool.Tool, closeAll func(), err error) {
	sets := []func() ([]tool.Tool, error){
		// One line a package.
		vault.Tools,
		cloud.Tools,
		admin.Tools,
		network.Tools,
		inspect.Tools,
	}
	if admin.Addressed(getenv) {
		sets = append(sets, admin.ServerTools)
	}
	all, closeAll, err = database.Tools()
	if err != nil {
		return nil, nil, fmt.Errorf("listing the tools: %w", err)
	}
	for _, set := range sets {
		tools, err := set()
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("listing the tools: %w", err)
		}
		all = append(all, tools...)
	}
	return all, closeAll, nil
}

// Sets are the toolsets that can be switched.
func Sets() []tool.Set {
	return []tool.Set{tool.Vault, tool.Proxy, tool.Inspect, tool.Admin, tool.Cloud}
}
