package cloud

import (
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type switchEnvironmentIn struct {
	Env string `json:"env" jsonschema:"the environment that the calls that follow act in"`
}

type switchEnvironmentOut struct {
	Project string `json:"project"`
	Env     string `json:"env"`
	Before  string `json:"before"`
}

func switchEnvironment() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "switch_environment", Title: "Switch the environment", Set: tool.Cloud, ReadOnly: true, Idempotent: true,
		Text: "Changes the environment in force for this conversation. Other conversations and the person's terminal are not affected.",
	}, func(ctx context.Context, c *tool.Call, a switchEnvironmentIn) (switchEnvironmentOut, error) {
		e := in(c, a.Env)
		if err := exists(ctx, c, e); err != nil {
			return switchEnvironmentOut{}, err
		}
		c.Session.Switch(e)
		return switchEnvironmentOut{Project: e.Project, Env: e.Slug, Before: c.Env.Slug}, nil
	})
}

// exists fails, with the nearest, if there is no such environment.
func exists(ctx context.Context, c *tool.Call, e platform.Env) error {
	envs, err := c.Platform.Environments(ctx, c.Caller, e.Project)
	if err != nil {
		return err
	}
	var names []string
	for _, x := range envs {
		if !x.Personal {
			names = append(names, x.Slug)
		}
	}
	if slices.Contains(names, e.Slug) {
		return nil
	}
	if near, ok := nearest.Of(e.Slug, names); ok {
		return tool.Failed("not_found", "%s has no environment %q; did you mean %q?", e.Project, e.Slug, near)
	}
	return tool.Failed("not_found", "%s has no environment %q; it has %v", e.Project, e.Slug, names)
}
