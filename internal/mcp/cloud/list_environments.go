package cloud

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type listEnvironmentsIn struct{}

type listEnvironmentsOut struct {
	Project      string                 `json:"project"`
	InForce      string                 `json:"in_force" jsonschema:"the environment that calls act in unless they name another"`
	Environments []platform.Environment `json:"environments"`
}

func listEnvironments() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "list_environments", Title: "List environments", Set: tool.Cloud, ReadOnly: true, Idempotent: true,
		Text: "Lists the environments of the project with their revision, how many secrets each has, and which other it inherits from.",
	}, func(ctx context.Context, c *tool.Call, _ listEnvironmentsIn) (listEnvironmentsOut, error) {
		envs, err := c.Platform.Environments(ctx, c.Caller, c.Env.Project)
		return listEnvironmentsOut{Project: c.Env.Project, InForce: c.Env.Slug, Environments: append([]platform.Environment{}, envs...)}, err
	})
}
