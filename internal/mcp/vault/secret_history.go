package vault

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type secretHistoryIn struct {
	Name  string `json:"name" jsonschema:"the secret's name"`
	Env   string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Limit int    `json:"limit,omitempty" jsonschema:"at most so many, newest first; 50 if left out"`
}

type event struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Action   string    `json:"action"`
	Message  string    `json:"message,omitempty"`
	Version  int64     `json:"version"`
	Revision int64     `json:"revision"`
	Deleted  bool      `json:"deleted,omitempty"`
}

type secretHistoryOut struct {
	Name   string  `json:"name"`
	Total  int     `json:"total"`
	Events []event `json:"events"`
}

func secretHistory() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "secret_history", Title: "Show a secret's history", Set: tool.Vault, ReadOnly: true, Idempotent: true,
		Text: "Lists what happened to a secret, newest first: who changed it when, and to which version. No values. A person goes back with `zvault secret rollback`.",
	}, func(ctx context.Context, c *tool.Call, a secretHistoryIn) (secretHistoryOut, error) {
		e := in(c, a.Env)
		all, err := c.Platform.History(ctx, c.Caller, e, a.Name)
		if err != nil {
			return secretHistoryOut{}, err
		}
		limit := 50
		if a.Limit > 0 {
			limit = a.Limit
		}
		out := secretHistoryOut{Name: a.Name, Total: len(all), Events: []event{}}
		for _, x := range all[:min(limit, len(all))] {
			out.Events = append(out.Events, event{x.At, x.Actor, x.Action, x.Message, x.Version, x.Revision, x.Deleted})
		}
		return out, nil
	})
}
