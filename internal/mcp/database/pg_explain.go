package database

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type explainIn struct {
	Query      string            `json:"query" jsonschema:"the SQL statement to explain"`
	Parameters []json.RawMessage `json:"parameters,omitempty" jsonschema:"the values of $1, $2, …; zvault://KEY stands for the value of that secret"`
	Connection string            `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL; DATABASE_URL unless given"`
	Env        string            `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	Analyze    bool              `json:"analyze,omitempty" jsonschema:"runs the statement and measures it; needs allow_write, since what it changes is changed"`
	AllowWrite bool              `json:"allow_write,omitempty" jsonschema:"permits analyze"`
}

type explainOut struct {
	Plan    string `json:"plan" jsonschema:"the plan, as PostgreSQL prints it"`
	Analyze bool   `json:"analyze" jsonschema:"whether the statement was run"`
	Hint    string `json:"hint,omitempty" jsonschema:"what was left out"`
}

func pgExplain(s *state) (tool.Tool, error) {
	t, err := tool.New(tool.Description{
		Name: "pg_explain", Title: "Explain a query plan", Set: tool.Inspect,
		Text: "Shows how PostgreSQL would run a statement, without running it. With analyze and allow_write it is run, for measured " +
			"times; an UPDATE then takes place.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, s.pgExplain)
	return anyValue(t, err, "parameters")
}

func (s *state) pgExplain(ctx context.Context, c *tool.Call, in explainIn) (explainOut, error) {
	if in.Analyze && !in.AllowWrite {
		return explainOut{}, tool.Failed("denied", "analyze runs the statement, for which allow_write must be true")
	}
	if err := permitWrite(c, in.Analyze); err != nil {
		return explainOut{}, err
	}
	parameters, err := values(in.Parameters)
	if err != nil {
		return explainOut{}, err
	}
	// Options in brackets must be followed by the statement: the text cannot bring options of its own.
	sql := "EXPLAIN (VERBOSE) " + in.Query
	if in.Analyze {
		sql = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE) " + in.Query
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "pg_explain", Connection: in.Connection, Env: in.Env, Default: "DATABASE_URL", Schemes: postgres.Schemes(),
		Write: in.Analyze, Statement: sql, Parameters: parameters,
	})
	if err != nil {
		return explainOut{}, err
	}
	result, err := s.postgres.Run(ctx, l, c.Limits, postgres.Statement{SQL: sql, Parameters: l.Parameters, Write: in.Analyze})
	if err != nil {
		return explainOut{}, err
	}
	return explainOut{Plan: lines(result), Analyze: in.Analyze, Hint: result.Hint}, nil
}

// lines joins the first cells of the rows.
func lines(r table.Result) string {
	var b strings.Builder
	for i, row := range r.Rows {
		if text, ok := row[0].(string); ok {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(text)
		}
	}
	return b.String()
}
