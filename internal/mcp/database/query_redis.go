package database

import (
	"context"
	"encoding/json"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/redisdb"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type redisIn struct {
	Command    []string `json:"command" jsonschema:"the command and its arguments, each a text of its own: [\"HGETALL\", \"user:1\"]; zvault://KEY as an argument stands for the value of that secret"`
	Connection string   `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL, redis://… or rediss://…; REDIS_URL unless given"`
	Env        string   `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	AllowWrite bool     `json:"allow_write,omitempty" jsonschema:"lets the command change things; the person may have to approve"`
}

func queryRedis(s *state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "query_redis", Title: "Run a Redis command", Set: tool.Proxy,
		Text: "Runs one command on Redis with the URL in a secret, which nobody sees. Without allow_write only commands that the server " +
			"itself calls readonly are run, and none that block, administer, run scripts or, as KEYS, are called dangerous; INFO and PING " +
			"are. A long answer is cut and says so.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, s.queryRedis)
}

func (s *state) queryRedis(ctx context.Context, c *tool.Call, in redisIn) (redisdb.Reply, error) {
	if err := permitWrite(c, in.AllowWrite); err != nil {
		return redisdb.Reply{}, err
	}
	if len(in.Command) == 0 || in.Command[0] == "" {
		return redisdb.Reply{}, tool.Invalid("command is empty; it looks like [\"GET\", \"key\"]")
	}
	statement, err := json.Marshal(in.Command)
	if err != nil {
		return redisdb.Reply{}, err
	}
	parameters := make([]any, len(in.Command)-1)
	for i, a := range in.Command[1:] {
		parameters[i] = a
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "query_redis", Connection: in.Connection, Env: in.Env, Default: "REDIS_URL", Schemes: redisdb.Schemes(),
		Write: in.AllowWrite, Statement: string(statement), Parameters: parameters,
	})
	if err != nil {
		return redisdb.Reply{}, err
	}
	words := []string{in.Command[0]}
	for _, p := range l.Parameters {
		if text, ok := p.(string); ok { // all are, as they were above
			words = append(words, text)
		}
	}
	return s.redis.Run(ctx, l, c.Limits, words, in.AllowWrite)
}
