package database

import (
	"context"
	"encoding/json"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type queryIn struct {
	Query      string            `json:"query" jsonschema:"one SQL statement, with $1, $2, … for parameters"`
	Parameters []json.RawMessage `json:"parameters,omitempty" jsonschema:"the values of $1, $2, …: text, numbers, booleans, null, lists, objects; zvault://KEY stands for the value of that secret"`
	Connection string            `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL, postgres://…; DATABASE_URL unless given"`
	Env        string            `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	AllowWrite bool              `json:"allow_write,omitempty" jsonschema:"lets the statement change things; the person may have to approve"`
}

func queryDatabase(s *state) (tool.Tool, error) {
	t, err := tool.New(tool.Description{
		Name: "query_database", Title: "Query PostgreSQL", Set: tool.Proxy,
		Text: "Runs one SQL statement on PostgreSQL with the URL in a secret, which nobody sees. Without allow_write it runs in a " +
			"read-only transaction that is rolled back, and must return rows. Such a transaction does not keep a login with special " +
			"rights from functions with effects outside of it (files of the server, signals to others, dblink): those known are " +
			"refused, and a login of little power is the better protection. A long result is cut and says so.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, s.queryDatabase)
	return anyValue(t, err, "parameters")
}

func (s *state) queryDatabase(ctx context.Context, c *tool.Call, in queryIn) (table.Result, error) {
	if err := permitWrite(c, in.AllowWrite); err != nil {
		return table.Result{}, err
	}
	if name, ok := postgres.Effect(in.Query); ok && !in.AllowWrite {
		return table.Result{}, tool.Failed("denied", "%s does something that a read-only transaction neither forbids nor undoes, or "+
			"reads the server's files; it needs allow_write", name)
	}
	parameters, err := values(in.Parameters)
	if err != nil {
		return table.Result{}, err
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "query_database", Connection: in.Connection, Env: in.Env, Default: "DATABASE_URL", Schemes: postgres.Schemes(),
		Write: in.AllowWrite, Statement: in.Query, Parameters: parameters,
	})
	if err != nil {
		return table.Result{}, err
	}
	return s.postgres.Run(ctx, l, c.Limits, postgres.Statement{SQL: in.Query, Parameters: l.Parameters, Write: in.AllowWrite})
}
