package vault

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type listSecretsIn struct {
	Env   string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Query string `json:"query,omitempty" jsonschema:"only secrets whose name, comment or tags contain this"`
	After string `json:"after,omitempty" jsonschema:"go on after this name, where an earlier list was cut"`
	Limit int    `json:"limit,omitempty" jsonschema:"at most so many; 1000 if left out"`
}

type listSecretsOut struct {
	Project string `json:"project"`
	Env     string `json:"env"`
	Total   int    `json:"total" jsonschema:"how many there are, listed or not"`
	Secrets []item `json:"secrets"`
	More    string `json:"more,omitempty" jsonschema:"set if the list was cut: how to get the rest"`
}

// item is a secret in a list, with what matters in one: zvault_describe_secret tells the rest.
type item struct {
	Name    string            `json:"name"`
	Version int64             `json:"version"`
	Pinned  bool              `json:"pinned,omitempty"`
	Comment string            `json:"comment,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
}

func listSecrets() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "list_secrets", Title: "List secrets", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Lists the secrets of an environment by name, with version, tags and comment. Values are never listed. " +
			"What the environment inherits from another is listed there.",
	}, runListSecrets)
}

// mostListed is how many secrets a list has unless fewer are asked for.
const mostListed = 1000

func runListSecrets(ctx context.Context, c *tool.Call, a listSecretsIn) (listSecretsOut, error) {
	e := in(c, a.Env)
	all, err := c.Listed(ctx, e)
	if err != nil {
		return listSecretsOut{}, err
	}
	limit := mostListed
	if a.Limit > 0 && a.Limit < limit {
		limit = a.Limit
	}
	out := listSecretsOut{Project: e.Project, Env: e.Slug, Secrets: make([]item, 0, min(limit, len(all)))}
	query := strings.ToLower(a.Query)
	for _, s := range all {
		if !contains(s, query) {
			continue
		}
		out.Total++
		if s.Name <= a.After {
			continue
		}
		if len(out.Secrets) == limit {
			out.More = "the list was cut; call again with after " + out.Secrets[limit-1].Name
			continue
		}
		out.Secrets = append(out.Secrets, item{s.Name, s.Version, s.Pinned, s.Comment, s.Tags})
	}
	return out, nil
}

func contains(s platform.Secret, query string) bool {
	if query == "" || strings.Contains(strings.ToLower(s.Name), query) || strings.Contains(strings.ToLower(s.Comment), query) {
		return true
	}
	for k, v := range s.Tags {
		if strings.Contains(strings.ToLower(k+":"+v), query) {
			return true
		}
	}
	return false
}
