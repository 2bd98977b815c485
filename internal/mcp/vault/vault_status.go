package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type vaultStatusIn struct{}

type vaultStatusOut struct {
	State        string                 `json:"state" jsonschema:"open; a sealed vault is an error"`
	Seal         string                 `json:"seal" jsonschema:"how the vault's key is kept"`
	Project      string                 `json:"project"`
	Env          string                 `json:"env" jsonschema:"the environment in force"`
	Exists       bool                   `json:"exists" jsonschema:"whether the project is in the vault; zvault_bulk_import makes it"`
	Environments []platform.Environment `json:"environments"`
	AllowWrite   bool                   `json:"allow_write" jsonschema:"whether database tools may be asked to write"`
}

func vaultStatus() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "vault_status", Title: "Show the vault", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Shows whether the vault is open, and the project and environment in force. Call it first.",
	}, func(ctx context.Context, c *tool.Call, _ vaultStatusIn) (vaultStatusOut, error) {
		out := vaultStatusOut{
			State: "open", Project: c.Env.Project, Env: c.Env.Slug, Environments: []platform.Environment{}, AllowWrite: c.Limits.AllowWrite,
		}
		if c.Home != nil {
			out.Seal = c.Home.State().Seal
		}
		envs, err := c.Platform.Environments(ctx, c.Caller, c.Env.Project)
		if platform.KindOf(err) == platform.NotFound {
			return out, nil
		}
		out.Exists, out.Environments = true, append(out.Environments, envs...)
		return out, err
	})
}
