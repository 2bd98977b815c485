// Package network holds the tools that talk to services over the network, and those that run programs. Each is a file; what they
// send may hold addresses, and values take their place once the gate has let the use pass.
package network

import "github.com/ArcadeLabsInc/zvault/internal/mcp/tool"

// Tools lists the tools.
func Tools() ([]tool.Tool, error) {
	return tool.Collect(
		// One line a tool.
		httpRequest,
		graphqlQuery,
		checkService,
		runCommand,
	)
}
