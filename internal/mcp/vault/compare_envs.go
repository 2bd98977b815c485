package vault

import (
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type compareEnvsIn struct {
	Left  string `json:"left" jsonschema:"environment, such as development"`
	Right string `json:"right" jsonschema:"environment, such as production"`
}

type compareEnvsOut struct {
	Project         string   `json:"project"`
	Left            string   `json:"left"`
	Right           string   `json:"right"`
	OnlyLeft        []string `json:"only_left" jsonschema:"names that only the left environment has"`
	OnlyRight       []string `json:"only_right"`
	Both            []string `json:"both" jsonschema:"names that both have, be their values the same or not"`
	RequiredMissing []string `json:"required_missing" jsonschema:"names that the schema requires and the right environment lacks"`
}

func compareEnvs() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "compare_envs", Title: "Compare two environments", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Compares two environments by name: what only one of them has, what both have, and what the schema requires and the right one lacks. " +
			"What an environment inherits counts as its own. Values are neither shown nor compared.",
	}, runCompareEnvs)
}

func runCompareEnvs(ctx context.Context, c *tool.Call, a compareEnvsIn) (compareEnvsOut, error) {
	left, right := in(c, a.Left), in(c, a.Right)
	l, err := withInherited(ctx, c, left)
	if err != nil {
		return compareEnvsOut{}, err
	}
	r, err := withInherited(ctx, c, right)
	if err != nil {
		return compareEnvsOut{}, err
	}
	schema, _, err := c.Platform.Schema(ctx, c.Caller, left.Project)
	if err != nil {
		return compareEnvsOut{}, err
	}
	out := compareEnvsOut{
		Project: left.Project, Left: left.Slug, Right: right.Slug, OnlyLeft: []string{}, OnlyRight: []string{}, Both: []string{}, RequiredMissing: []string{},
	}
	for _, name := range namesOf(l, r) {
		_, inLeft := l[name]
		_, inRight := r[name]
		switch {
		case inLeft && inRight:
			out.Both = append(out.Both, name)
		case inLeft:
			out.OnlyLeft = append(out.OnlyLeft, name)
		default:
			out.OnlyRight = append(out.OnlyRight, name)
		}
	}
	for name, rule := range schema {
		if _, ok := r[name]; rule.Required && !ok {
			out.RequiredMissing = append(out.RequiredMissing, name)
		}
	}
	slices.Sort(out.RequiredMissing)
	return out, nil
}

// withInherited lists the secrets of an environment and of those that it inherits from.
func withInherited(ctx context.Context, c *tool.Call, e platform.Env) (map[string]platform.Secret, error) {
	envs, err := c.Platform.Environments(ctx, c.Caller, e.Project)
	if err != nil {
		return nil, err
	}
	all := map[string]platform.Secret{}
	for depth := 0; e.Slug != "" && depth <= len(envs); depth++ {
		own, err := states(ctx, c, e, platform.Moment{})
		if err != nil {
			return nil, err
		}
		for name, s := range own {
			if _, nearer := all[name]; !nearer {
				all[name] = s
			}
		}
		i := slices.IndexFunc(envs, func(x platform.Environment) bool { return x.Slug == e.Slug && !x.Personal })
		if i < 0 {
			break
		}
		e.Slug = envs[i].Base
	}
	return all, nil
}
