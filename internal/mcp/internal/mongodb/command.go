package mongodb

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Command is a command of MongoDB.
type Command struct {
	Name       string // "find"
	Collection string // empty for commands of a whole database
	Fields     bson.D // what else belongs to it: filter, limit, pipeline
}

// reading are the commands that are sent without Write.
func reading() []string {
	return []string{
		"find", "aggregate", "count", "distinct", "listCollections", "listIndexes", "listDatabases", "dbStats", "collStats", "ping", "buildInfo", "hello",
	}
}

// withCursor are those whose answer is a cursor.
func withCursor() []string {
	return []string{"find", "aggregate", "listCollections", "listIndexes"}
}

// own are fields that belong to the driver, or would make another command of it.
func own() []string {
	return []string{"$db", "lsid", "txnNumber", "autocommit", "startTransaction", "$clusterTime", "$readPreference", "apiVersion"}
}

// NewCommand makes a command of its parts; fields is extended JSON. Without write, one that is not known to read is refused.
func NewCommand(name, collection string, fields []byte, write bool) (Command, error) {
	c := Command{Name: name, Collection: collection}
	if len(fields) > 0 {
		if err := bson.UnmarshalExtJSON(fields, false, &c.Fields); err != nil {
			return c, tool.Invalid("fields is no object in MongoDB's extended JSON")
		}
	}
	var seen []string
	for _, f := range c.Fields {
		if slices.Contains(own(), f.Key) || f.Key == name || slices.Contains(reading(), f.Key) || slices.Contains(seen, f.Key) {
			return c, tool.Invalid("fields must not hold %q, or hold it twice", f.Key)
		}
		seen = append(seen, f.Key)
	}
	if name == "" || strings.HasPrefix(name, "$") {
		return c, tool.Invalid("command is one word, such as find")
	}
	if write {
		return c, nil
	}
	if !slices.Contains(reading(), name) {
		return c, tool.Failed("denied", "%q is not run without allow_write; those that are: %s", name, strings.Join(reading(), ", "))
	}
	if stage := writer(c.Fields); stage != "" {
		return c, tool.Failed("denied", "%s writes, for which allow_write must be true", stage)
	}
	return c, nil
}

// writer finds a stage that writes, at any depth.
func writer(v any) string {
	switch x := v.(type) {
	case bson.D:
		for _, e := range x {
			if e.Key == "$out" || e.Key == "$merge" {
				return e.Key
			}
			if stage := writer(e.Value); stage != "" {
				return stage
			}
		}
	case bson.A:
		for _, e := range x {
			if stage := writer(e); stage != "" {
				return stage
			}
		}
	}
	return ""
}

func (c Command) cursor() bool { return slices.Contains(withCursor(), c.Name) }

// document is the command as the server wants it: its name first, and our limits.
func (c Command) document(limits tool.Limits) bson.D {
	d := bson.D{{Key: c.Name, Value: int32(1)}}
	if c.Collection != "" {
		d[0].Value = c.Collection
	}
	batch := int32(min(limits.Rows+1, 1000)) //nolint:gosec // at most 1000
	for _, f := range c.Fields {
		if f.Key != "batchSize" && f.Key != "cursor" && f.Key != "maxTimeMS" && f.Key != "singleBatch" || !c.limited() {
			d = append(d, f)
		}
	}
	if !c.limited() {
		return d
	}
	switch {
	case c.Name == "find":
		d = append(d, bson.E{Key: "batchSize", Value: batch})
	case c.cursor():
		d = append(d, bson.E{Key: "cursor", Value: bson.D{{Key: "batchSize", Value: batch}}})
	}
	return append(d, bson.E{Key: "maxTimeMS", Value: max(1, (limits.Time * 9 / 10).Milliseconds())})
}

// limited reports whether the command reads, and takes our limits. Others are sent as they are.
func (c Command) limited() bool { return slices.Contains(reading(), c.Name) }
