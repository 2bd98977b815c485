package admin

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type auditQueryIn struct {
	Since   string `json:"since,omitempty" jsonschema:"a time (RFC 3339) or a duration back such as 24h"`
	Actor   string `json:"actor,omitempty" jsonschema:"only what this person did"`
	Action  string `json:"action,omitempty" jsonschema:"only actions that begin so, such as secret. or tool.call"`
	Name    string `json:"name,omitempty" jsonschema:"only what concerns this secret"`
	Outcome string `json:"outcome,omitempty" jsonschema:"only ok, denied or failed"`
	Limit   int    `json:"limit,omitempty" jsonschema:"at most so many, newest first; 50 if left out, 500 at most"`
}

type auditEntry struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Kind    string    `json:"kind" jsonschema:"person, assistant, service or system"`
	Client  string    `json:"client,omitempty"`
	Action  string    `json:"action"`
	Project string    `json:"project,omitempty"`
	Env     string    `json:"env,omitempty"`
	Secrets []string  `json:"secrets,omitempty"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
}

type auditQueryOut struct {
	Entries []auditEntry `json:"entries"`
	Damaged int          `json:"damaged,omitempty" jsonschema:"lines that could not be read; have the person run zvault audit verify"`
	More    bool         `json:"more" jsonschema:"whether there are older entries; ask with a higher limit or another filter"`
}

func auditQuery() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "audit_query", Title: "Read the audit log", Set: tool.Admin, ReadOnly: true, Idempotent: true,
		Text: "Reads the audit log of the project: who did what with which secrets, newest first. It holds no values.",
	}, runAuditQuery)
}

func runAuditQuery(ctx context.Context, c *tool.Call, a auditQueryIn) (auditQueryOut, error) {
	f := audit.Filter{Actor: a.Actor, Action: a.Action, Key: a.Name, Project: c.Env.Project, Outcome: audit.Outcome(a.Outcome), Newest: true}
	switch f.Outcome {
	case "", audit.OK, audit.Denied, audit.Failed:
	default:
		return auditQueryOut{}, tool.Invalid("outcome %q: it can be ok, denied or failed", a.Outcome)
	}
	var err error
	if f.Since, err = since(a.Since); err != nil {
		return auditQueryOut{}, err
	}
	limit := 50
	if a.Limit > 0 {
		limit = min(a.Limit, 500)
	}
	f.Limit = limit + 1
	if c.Home == nil {
		return auditQueryOut{}, tool.Failed("unavailable", "this vault's log cannot be read from here")
	}
	out := auditQueryOut{Entries: []auditEntry{}}
	for e, err := range c.Home.Log(ctx, f) {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			out.Damaged++
			continue
		}
		if len(out.Entries) == limit {
			out.More = true
			break
		}
		out.Entries = append(out.Entries, entryOf(e))
	}
	return out, nil
}

func entryOf(e audit.Entry) auditEntry {
	client := e.Client.Name
	if e.Client.Version != "" {
		client += " " + e.Client.Version
	}
	return auditEntry{
		Seq: e.Seq, At: e.Time, Actor: e.Actor.Name, Kind: string(e.Actor.Kind), Client: client, Action: e.Action, Project: e.Project,
		Env: e.Environment, Secrets: e.Keys, Outcome: string(e.Outcome), Reason: e.Reason,
	}
}

// since reads a time, or a duration back from now.
func since(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, tool.Invalid("since %q is neither a time such as 2026-11-01T10:00:00Z nor a duration such as 24h", text)
	}
	return t, nil
}
