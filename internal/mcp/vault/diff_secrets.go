package vault

import (
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type diffSecretsIn struct {
	Env  string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	From int64  `json:"from" jsonschema:"revision to compare from, as zvault_secret_history and zvault_list_secrets show it"`
	To   int64  `json:"to,omitempty" jsonschema:"revision to compare with; now if left out"`
}

type difference struct {
	Name   string `json:"name"`
	Status string `json:"status" jsonschema:"added, removed, new_version, or described (comment, tags or type)"`
	From   int64  `json:"from,omitempty" jsonschema:"version before"`
	To     int64  `json:"to,omitempty" jsonschema:"version after"`
}

type diffSecretsOut struct {
	Project     string       `json:"project"`
	Env         string       `json:"env"`
	Differences []difference `json:"differences"`
}

func diffSecrets() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "diff_secrets", Title: "Compare two revisions", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Lists what changed in an environment between two revisions, by name, status and version. Values are neither shown nor compared. " +
			"For two environments see zvault_compare_envs.",
	}, runDiffSecrets)
}

func runDiffSecrets(ctx context.Context, c *tool.Call, a diffSecretsIn) (diffSecretsOut, error) {
	e := in(c, a.Env)
	if a.From < 1 || a.To < 0 {
		return diffSecretsOut{}, tool.Invalid("from and to are revisions, which start at 1")
	}
	before, err := states(ctx, c, e, platform.Moment{Revision: a.From})
	if err != nil {
		return diffSecretsOut{}, err
	}
	after, err := states(ctx, c, e, platform.Moment{Revision: a.To})
	if err != nil {
		return diffSecretsOut{}, err
	}
	out := diffSecretsOut{Project: e.Project, Env: e.Slug, Differences: []difference{}}
	for _, name := range namesOf(before, after) {
		if d := compareVersions(name, before, after); d.Status != "" {
			out.Differences = append(out.Differences, d)
		}
	}
	return out, nil
}

func compareVersions(name string, before, after map[string]platform.Secret) difference {
	old, was := before[name]
	now, is := after[name]
	d := difference{Name: name, From: old.Version, To: now.Version}
	switch {
	case !was:
		d.Status = "added"
	case !is:
		d.Status = "removed"
	case old.Version != now.Version:
		d.Status = "new_version"
	case old.Revision != now.Revision:
		d.Status = "described"
	}
	return d
}

// states lists the secrets of an environment at a moment, by name.
func states(ctx context.Context, c *tool.Call, e platform.Env, at platform.Moment) (map[string]platform.Secret, error) {
	all, err := c.Platform.List(ctx, c.Caller, e, at)
	byName := make(map[string]platform.Secret, len(all))
	for _, s := range all {
		byName[s.Name] = s
	}
	return byName, err
}

// namesOf lists the names of both, sorted.
func namesOf(a, b map[string]platform.Secret) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, twice := a[name]; !twice {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
