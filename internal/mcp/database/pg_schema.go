package database

import (
	"context"
	_ "embed"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// The queries take a schema and a table as parameters; an empty one means all, without those of the system.
var (
	//go:embed sql/columns.sql
	columnsSQL string
	//go:embed sql/constraints.sql
	constraintsSQL string
	//go:embed sql/indexes.sql
	indexesSQL string
)

type schemaIn struct {
	Schema     string `json:"schema,omitempty" jsonschema:"only this schema; all but the system's unless given"`
	Table      string `json:"table,omitempty" jsonschema:"only this table or view"`
	Connection string `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL; DATABASE_URL unless given"`
	Env        string `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
}

type schemaOut struct {
	Columns     table.Result `json:"columns" jsonschema:"every column of every table and view"`
	Constraints table.Result `json:"constraints" jsonschema:"primary keys, foreign keys, unique and check constraints"`
	Indexes     table.Result `json:"indexes" jsonschema:"indexes with their definition"`
}

func pgSchema(s *state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "pg_schema", Title: "Describe a PostgreSQL schema", Set: tool.Inspect,
		Text:     "Lists tables, views, columns, constraints and indexes of a PostgreSQL database with the URL in a secret.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, s.pgSchema)
}

func (s *state) pgSchema(ctx context.Context, c *tool.Call, in schemaIn) (out schemaOut, err error) {
	parameters := []any{in.Schema, in.Table}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "pg_schema", Connection: in.Connection, Env: in.Env, Default: "DATABASE_URL", Schemes: postgres.Schemes(),
		Statement: "pg_schema " + in.Schema + "." + in.Table,
	})
	if err != nil {
		return out, err
	}
	for _, part := range []struct {
		sql string
		to  *table.Result
	}{{columnsSQL, &out.Columns}, {constraintsSQL, &out.Constraints}, {indexesSQL, &out.Indexes}} {
		if *part.to, err = s.postgres.Run(ctx, l, c.Limits, postgres.Statement{SQL: part.sql, Parameters: parameters}); err != nil {
			return out, err
		}
	}
	return out, nil
}
