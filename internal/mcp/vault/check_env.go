package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type envIn struct {
	Env string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
}

type checkEnvOut struct {
	Project  string               `json:"project"`
	Env      string               `json:"env"`
	OK       bool                 `json:"ok"`
	Problems []platform.Violation `json:"problems"`
}

func checkEnv() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "check_env", Title: "Check an environment", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Holds an environment against the project's schema (required secrets, types, patterns) and finds references that lead nowhere. " +
			"The schema is the one in the vault; the person takes a changed one over with `zvault check`.",
	}, func(ctx context.Context, c *tool.Call, a envIn) (checkEnvOut, error) {
		e := in(c, a.Env)
		found, err := c.Platform.Check(ctx, c.Caller, e)
		return checkEnvOut{Project: e.Project, Env: e.Slug, OK: len(found) == 0, Problems: append([]platform.Violation{}, found...)}, err
	})
}
