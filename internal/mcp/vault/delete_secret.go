package vault

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type deleteSecretIn struct {
	Name  string `json:"name" jsonschema:"the secret's name"`
	Env   string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Force bool   `json:"force,omitempty" jsonschema:"delete it even if other secrets refer to it"`
}

type deleteSecretOut struct {
	Project  string `json:"project"`
	Env      string `json:"env"`
	Name     string `json:"name"`
	Revision int64  `json:"revision"`
	Undo     string `json:"undo" jsonschema:"how a person brings it back"`
}

func deleteSecret() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "delete_secret", Title: "Delete a secret", Set: tool.Vault, Destructive: true,
		Text: "Deletes a secret from an environment. Its history stays, so a person can bring it back. Refused while other secrets refer to it, unless force is set.",
	}, runDeleteSecret)
}

func runDeleteSecret(ctx context.Context, c *tool.Call, a deleteSecretIn) (deleteSecretOut, error) {
	e := in(c, a.Env)
	if _, err := find(ctx, c, e, a.Name); err != nil {
		return deleteSecretOut{}, err
	}
	if !a.Force {
		if err := unused(ctx, c, e, a.Name); err != nil {
			return deleteSecretOut{}, err
		}
	}
	r, err := c.Platform.Apply(ctx, c.Caller, e, platform.Batch{Changes: []platform.Change{{Name: a.Name, Delete: true}}, Message: "deleted by an assistant"})
	return deleteSecretOut{
		Project: e.Project, Env: e.Slug, Name: a.Name, Revision: r.Revision,
		Undo: "zvault secret rollback " + a.Name + " --project " + e.Project + " --env " + e.Slug,
	}, err
}

// unused fails if other secrets refer to one.
func unused(ctx context.Context, c *tool.Call, e platform.Env, name string) error {
	used, err := c.Platform.Referrers(ctx, c.Caller, e.Project, e.Slug, name)
	if err != nil || len(used) == 0 {
		return err
	}
	names := make([]string, len(used))
	for i, r := range used {
		names[i] = r.Project + "/" + r.Env + "/" + r.Name
	}
	return tool.Failed("conflict", "%s is used by %s; change those first, or set force", name, strings.Join(names, ", "))
}
