package database

import (
	"context"
	"encoding/json"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/mysql"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type mysqlIn struct {
	Query      string            `json:"query" jsonschema:"one SQL statement, with ? for parameters"`
	Parameters []json.RawMessage `json:"parameters,omitempty" jsonschema:"the values of the ?, in order: text, numbers, booleans, null; zvault://KEY stands for the value of that secret"`
	Connection string            `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL, mysql://…; MYSQL_URL unless given"`
	Env        string            `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	AllowWrite bool              `json:"allow_write,omitempty" jsonschema:"lets the statement change things; the person may have to approve"`
}

func queryMySQL(s *state) (tool.Tool, error) {
	t, err := tool.New(tool.Description{
		Name: "query_mysql", Title: "Query MySQL or MariaDB", Set: tool.Proxy,
		Text: "Runs one SQL statement on MySQL or MariaDB with the URL in a secret, which nobody sees. Without allow_write it runs in " +
			"a read-only transaction that is rolled back, and begins with SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE or EXPLAIN. Functions " +
			"that somebody has installed from a library may still do anything. A long result is cut and says so.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, s.queryMySQL)
	return anyValue(t, err, "parameters")
}

func (s *state) queryMySQL(ctx context.Context, c *tool.Call, in mysqlIn) (table.Result, error) {
	if err := permitWrite(c, in.AllowWrite); err != nil {
		return table.Result{}, err
	}
	parameters, err := values(in.Parameters)
	if err != nil {
		return table.Result{}, err
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "query_mysql", Connection: in.Connection, Env: in.Env, Default: "MYSQL_URL", Schemes: mysql.Schemes(),
		Write: in.AllowWrite, Statement: in.Query, Parameters: parameters,
	})
	if err != nil {
		return table.Result{}, err
	}
	return s.mysql.Run(ctx, l, c.Limits, mysql.Statement{SQL: in.Query, Parameters: l.Parameters, Write: in.AllowWrite})
}
