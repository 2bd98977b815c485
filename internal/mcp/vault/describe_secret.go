package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type nameIn struct {
	Name string `json:"name" jsonschema:"the secret's name"`
	Env  string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
}

type describeSecretOut struct {
	platform.Secret
	Project string              `json:"project"`
	Env     string              `json:"env"`
	Address string              `json:"address" jsonschema:"how to refer to it in files and code"`
	Expects *platform.Rule      `json:"expects,omitempty" jsonschema:"what the project's schema wants of the value"`
	UsedBy  []platform.Referrer `json:"used_by" jsonschema:"secrets whose values refer to this one"`
}

func describeSecret() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "describe_secret", Title: "Describe a secret", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Describes one secret without its value: version, comment, tags, what the project's schema expects of it, and which other secrets refer to it.",
	}, runDescribeSecret)
}

func runDescribeSecret(ctx context.Context, c *tool.Call, a nameIn) (describeSecretOut, error) {
	e := in(c, a.Env)
	found, err := find(ctx, c, e, a.Name)
	if err != nil {
		return describeSecretOut{}, err
	}
	schema, _, err := c.Platform.Schema(ctx, c.Caller, e.Project)
	if err != nil {
		return describeSecretOut{}, err
	}
	used, err := c.Platform.Referrers(ctx, c.Caller, e.Project, e.Slug, a.Name)
	if err != nil {
		return describeSecretOut{}, err
	}
	out := describeSecretOut{Secret: found, Project: e.Project, Env: e.Slug, Address: addressOf(e, a.Name), UsedBy: append([]platform.Referrer{}, used...)}
	if rule, ok := schema[a.Name]; ok {
		out.Expects = &rule
	}
	return out, nil
}
