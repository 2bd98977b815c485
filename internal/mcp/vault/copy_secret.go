package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type copySecretIn struct {
	Name      string `json:"name" jsonschema:"the secret's name"`
	From      string `json:"from" jsonschema:"environment to copy from"`
	To        string `json:"to" jsonschema:"environment to copy to"`
	Overwrite bool   `json:"overwrite,omitempty" jsonschema:"give it this value even if it is set there"`
}

func copySecret() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "copy_secret", Title: "Copy a secret", Set: tool.Vault, Destructive: true, Idempotent: true,
		Text: "Gives an environment a secret of another, with value, comment and tags, within the vault.",
	}, func(ctx context.Context, c *tool.Call, a copySecretIn) (changedOut, error) {
		from, to := in(c, a.From), in(c, a.To)
		if from == to {
			return changedOut{}, tool.Invalid("from and to are the same environment")
		}
		if _, err := find(ctx, c, from, a.Name); err != nil {
			return changedOut{}, err
		}
		set, err := isSet(ctx, c, to, a.Name)
		if err != nil {
			return changedOut{}, err
		}
		if set && !a.Overwrite {
			return changedOut{}, tool.Failed("exists", "%s is set already in %s/%s; set overwrite to replace it", a.Name, to.Project, to.Slug)
		}
		if _, err := c.Platform.Promote(ctx, c.Caller, from, to, platform.PromoteOptions{Names: []string{a.Name}}); err != nil {
			return changedOut{}, err
		}
		return changed(ctx, c, to, a.Name)
	})
}
