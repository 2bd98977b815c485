// Package cloud has the tools that work with environments as a whole. Without a cloud they work on the local vault, which has
// the same environments. Deploying secrets to a platform is not among them: it appears with its first target.
package cloud

import (
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Tools returns the tools of the set.
func Tools() ([]tool.Tool, error) {
	return tool.Collect(
		listEnvironments,
		switchEnvironment,
		promote,
	)
}

// in is the environment that an argument names, by its name or an alias such as prod.
func in(c *tool.Call, env string) platform.Env { return c.In(ref.CanonicalEnvironment(env)) }
