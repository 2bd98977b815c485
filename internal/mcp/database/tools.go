// Package database has the tools that talk to databases and the like with credentials from the vault: one tool a file.
// [Tools] lists them.
//
// A tool takes the name of a secret that holds a URL, and never a URL. What it wants to do is put before the gate first
// (package login), all connections go through the call's dialer, and unless the caller says allow_write the database itself
// is told to let nothing be written.
package database

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/mongodb"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/mysql"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/redisdb"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// state is what tools keep between calls.
type state struct {
	postgres *postgres.Server
	mysql    *mysql.Server
	redis    *redisdb.Server
	mongo    *mongodb.Server
}

// Tools returns the tools, and what closes the connections that they keep.
func Tools() (tools []tool.Tool, closeAll func(), err error) {
	s := &state{postgres: postgres.New(), mysql: mysql.New(), redis: redisdb.New(), mongo: mongodb.New()}
	for _, make := range []func(*state) (tool.Tool, error){
		queryDatabase,
		queryMySQL,
		queryRedis,
		queryMongoDB,
		queryClickHouse,
		searchMeilisearch,
		rabbitMQStatus,
		pgSchema,
		pgExplain,
		pgStats,
		redisMonitor,
	} {
		t, err := make(s)
		if err != nil {
			s.close()
			return nil, nil, err
		}
		tools = append(tools, t)
	}
	return tools, s.close, nil
}

// close closes what is kept. What fails to close has nobody who could do anything about it.
func (s *state) close() {
	_ = s.postgres.Close()
	_ = s.mysql.Close()
	_ = s.redis.Close()
	_ = s.mongo.Close()
}

// permitWrite is the error for a call that wants to write where the person does not let it.
func permitWrite(c *tool.Call, wanted bool) error {
	if wanted && !c.Limits.AllowWrite {
		return tool.Failed("denied", "the person has switched allow_write off; only reading is possible")
	}
	return nil
}

// anyValue lets the items of an array argument be any JSON; the type of the field would say bytes.
func anyValue(t tool.Tool, err error, argument string) (tool.Tool, error) {
	if err != nil {
		return t, err
	}
	property := t.Input.Properties[argument]
	if property == nil {
		return t, errors.New("describing " + t.Name + ": there is no argument " + argument)
	}
	property.Items = &jsonschema.Schema{}
	return t, nil
}

// values decodes parameters; numbers stay as they are written.
func values(raw []json.RawMessage) ([]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	out := make([]any, len(raw))
	for i, text := range raw {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&out[i]); err != nil {
			return nil, tool.Invalid("parameter %d is no JSON value", i+1)
		}
	}
	return out, nil
}
