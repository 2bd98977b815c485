package database

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/mongodb"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type mongoIn struct {
	Command    string          `json:"command" jsonschema:"find, aggregate, count, distinct, listCollections, listIndexes, listDatabases, dbStats, collStats; with allow_write any other, as insert"`
	Collection string          `json:"collection,omitempty" jsonschema:"the collection, for commands that are about one"`
	Fields     json.RawMessage `json:"fields,omitempty" jsonschema:"the other fields of the command, in extended JSON: filter, projection, sort, skip, limit, pipeline, key, query"`
	Database   string          `json:"database,omitempty" jsonschema:"the database; the one in the URL unless given"`
	Connection string          `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL, mongodb://… with one host; MONGODB_URL unless given"`
	Env        string          `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	AllowWrite bool            `json:"allow_write,omitempty" jsonschema:"lets the command change things; the person may have to approve"`
}

func queryMongoDB(s *state) (tool.Tool, error) {
	t, err := tool.New(tool.Description{
		Name: "query_mongodb", Title: "Query MongoDB", Set: tool.Proxy,
		Text: "Runs one command on MongoDB with the URL in a secret, which nobody sees. Without allow_write only commands that read are " +
			"sent, and no aggregation with $out or $merge; a login that may only read is the better protection. A long result is cut and says so.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, s.queryMongoDB)
	if err == nil { // the type of the field would say bytes
		t.Input.Properties["fields"] = &jsonschema.Schema{Type: "object", Description: t.Input.Properties["fields"].Description}
	}
	return t, err
}

func (s *state) queryMongoDB(ctx context.Context, c *tool.Call, in mongoIn) (mongodb.Documents, error) {
	if err := permitWrite(c, in.AllowWrite); err != nil {
		return mongodb.Documents{}, err
	}
	command, err := mongodb.NewCommand(in.Command, in.Collection, in.Fields, in.AllowWrite)
	if err != nil {
		return mongodb.Documents{}, err
	}
	statement := strconv.Quote(in.Database) + " " + strconv.Quote(in.Command) + " " + strconv.Quote(in.Collection) + " " + string(in.Fields)
	l, err := login.Open(ctx, c, login.Request{
		Tool: "query_mongodb", Connection: in.Connection, Env: in.Env, Default: "MONGODB_URL", Schemes: mongodb.Schemes(),
		Write: in.AllowWrite, Statement: statement,
	})
	if err != nil {
		return mongodb.Documents{}, err
	}
	database := in.Database
	if database == "" {
		database = l.Database()
	}
	if database == "" {
		return mongodb.Documents{}, tool.Invalid("neither the URL in %s nor the argument database names a database", l.Secret)
	}
	return s.mongo.Run(ctx, l, c.Limits, database, command)
}
