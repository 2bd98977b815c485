package cloud

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type promoteIn struct {
	From   string   `json:"from" jsonschema:"environment to take from"`
	To     string   `json:"to" jsonschema:"environment to give to"`
	Names  []string `json:"names,omitempty" jsonschema:"only these secrets; all if left out"`
	DryRun bool     `json:"dry_run,omitempty" jsonschema:"only say what would be given"`
}

type promoteOut struct {
	Project  string   `json:"project"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Added    []string `json:"added" jsonschema:"names that the environment did not have"`
	Replaced []string `json:"replaced" jsonschema:"names that it had, whether or not with the same value"`
	Done     bool     `json:"done" jsonschema:"false for a dry run"`
	Revision int64    `json:"revision,omitempty"`
}

func promote() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "promote", Title: "Promote an environment", Set: tool.Cloud, Destructive: true, Idempotent: true,
		Text: "Gives an environment the secrets of another, with values, comments and tags, within the vault. Secrets that only the receiving one has stay. " +
			"Do a dry run first and show it to the person.",
	}, runPromote)
}

func runPromote(ctx context.Context, c *tool.Call, a promoteIn) (promoteOut, error) {
	from, to := in(c, a.From), in(c, a.To)
	for _, e := range []platform.Env{from, to} {
		if err := exists(ctx, c, e); err != nil {
			return promoteOut{}, err
		}
	}
	if from == to {
		return promoteOut{}, tool.Invalid("from and to are the same environment")
	}
	out := promoteOut{Project: from.Project, From: from.Slug, To: to.Slug, Added: []string{}, Replaced: []string{}}
	if err := out.plan(ctx, c, from, to, a.Names); err != nil || a.DryRun {
		return out, err
	}
	r, err := c.Platform.Promote(ctx, c.Caller, from, to, platform.PromoteOptions{Names: a.Names})
	out.Done, out.Revision = err == nil, r.Revision
	return out, err
}

// plan sorts what is to be given by whether the receiving environment has it.
func (out *promoteOut) plan(ctx context.Context, c *tool.Call, from, to platform.Env, names []string) error {
	source, err := c.Platform.List(ctx, c.Caller, from, platform.Moment{})
	if err != nil {
		return err
	}
	there, err := c.Platform.List(ctx, c.Caller, to, platform.Moment{})
	if err != nil {
		return err
	}
	wanted, has := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	for _, s := range there {
		has[s.Name] = true
	}
	for _, s := range source {
		switch {
		case len(names) > 0 && !wanted[s.Name]:
			continue
		case has[s.Name]:
			out.Replaced = append(out.Replaced, s.Name)
		default:
			out.Added = append(out.Added, s.Name)
		}
		delete(wanted, s.Name)
	}
	for n := range wanted {
		return tool.Failed("not_found", "%s is not set in %s/%s", n, from.Project, from.Slug)
	}
	return nil
}
