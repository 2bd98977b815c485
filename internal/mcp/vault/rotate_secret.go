package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type rotateSecretIn struct {
	Name     string    `json:"name" jsonschema:"the secret's name"`
	Env      string    `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Generate *generate `json:"generate,omitempty" jsonschema:"have ZVault make the value; without it the person enters the new one on a page of their own"`
	Why      string    `json:"why,omitempty" jsonschema:"what the person is told: where to get the new value"`
}

func rotateSecret() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "rotate_secret", Title: "Rotate a secret", Set: tool.Vault, Destructive: true, Refused: refuseValues(),
		Text: "Gives a secret another value, made by ZVault or entered by the person. The former version stays in the vault (`zvault secret rollback`). " +
			"Whoever issued the old value must be told separately.",
	}, func(ctx context.Context, c *tool.Call, a rotateSecretIn) (changedOut, error) {
		e := in(c, a.Env)
		if _, err := find(ctx, c, e, a.Name); err != nil {
			return changedOut{}, err
		}
		if err := give(ctx, c, e, a.Name, a.Why, a.Generate, "rotated by an assistant"); err != nil {
			return changedOut{}, err
		}
		return changed(ctx, c, e, a.Name)
	})
}
