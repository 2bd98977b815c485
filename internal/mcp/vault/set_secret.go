package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

type setSecretIn struct {
	Name         string            `json:"name" jsonschema:"the secret's name, such as STRIPE_KEY"`
	Env          string            `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Generate     *generate         `json:"generate,omitempty" jsonschema:"have ZVault make the value; without it the person enters one on a page of their own"`
	Why          string            `json:"why,omitempty" jsonschema:"what the person is told: what the value is for and where to find it"`
	Comment      *string           `json:"comment,omitempty" jsonschema:"a note, not secret"`
	Tags         map[string]string `json:"tags,omitempty" jsonschema:"tags to set; an empty text removes one"`
	MetadataOnly bool              `json:"metadata_only,omitempty" jsonschema:"change comment and tags of a secret that exists and leave its value alone"`
}

type changedOut struct {
	Project  string `json:"project"`
	Env      string `json:"env"`
	Name     string `json:"name"`
	Version  int64  `json:"version"`
	Revision int64  `json:"revision" jsonschema:"of the environment"`
	Address  string `json:"address" jsonschema:"how to refer to it in files and code"`
}

func setSecret() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "set_secret", Title: "Make a secret", Set: tool.Vault, Refused: refuseValues(),
		Text: "Makes a new secret. Its value is entered by the person on a page of their own, or made by ZVault if generate is given; it takes no value as an argument. " +
			"For one that exists see zvault_rotate_secret.",
	}, runSetSecret)
}

func runSetSecret(ctx context.Context, c *tool.Call, a setSecretIn) (changedOut, error) {
	e := in(c, a.Env)
	if err := ref.ValidKey(a.Name); err != nil {
		return changedOut{}, tool.Invalid("name %q: %v", a.Name, err)
	}
	if a.MetadataOnly {
		return describeOnly(ctx, c, e, a)
	}
	set, err := isSet(ctx, c, e, a.Name)
	if err != nil {
		return changedOut{}, err
	}
	if set && !c.Resumed {
		return changedOut{}, tool.Failed("exists", "%s is set already in %s/%s; zvault_rotate_secret gives it another value, metadata_only changes comment and tags",
			a.Name, e.Project, e.Slug)
	}
	if err := give(ctx, c, e, a.Name, a.Why, a.Generate, "made by an assistant"); err != nil {
		return changedOut{}, err
	}
	if a.Comment != nil || len(a.Tags) > 0 {
		return describeOnly(ctx, c, e, a)
	}
	return changed(ctx, c, e, a.Name)
}

// give sets the value of a secret: one that is made, or one that the person enters.
func give(ctx context.Context, c *tool.Call, e platform.Env, name, why string, g *generate, message string) error {
	if g == nil {
		return c.Session.Enter(ctx, e, name, why)
	}
	v, err := g.value()
	if err != nil {
		return err
	}
	c.Session.Guard(name, v)
	raw := platform.TypeRaw
	_, err = c.Platform.Apply(ctx, c.Caller, e, platform.Batch{Changes: []platform.Change{{Name: name, Value: &v, Type: &raw}}, Message: message})
	return err
}

func describeOnly(ctx context.Context, c *tool.Call, e platform.Env, a setSecretIn) (changedOut, error) {
	if _, err := find(ctx, c, e, a.Name); err != nil {
		return changedOut{}, err
	}
	_, err := c.Platform.Apply(ctx, c.Caller, e, platform.Batch{Changes: []platform.Change{{Name: a.Name, Comment: a.Comment, Tags: a.Tags}}, Message: "described by an assistant"})
	if err != nil {
		return changedOut{}, err
	}
	return changed(ctx, c, e, a.Name)
}

// changed describes what a secret is now.
func changed(ctx context.Context, c *tool.Call, e platform.Env, name string) (changedOut, error) {
	s, err := c.Platform.Describe(ctx, c.Caller, e, name)
	return changedOut{Project: e.Project, Env: e.Slug, Name: name, Version: s.Version, Revision: s.Revision, Address: addressOf(e, name)}, err
}
