package database

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/redisdb"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// mostSeconds is how long a call may listen at all: the server is slower meanwhile.
const mostSeconds = 20

type monitorIn struct {
	Seconds    float64 `json:"seconds,omitempty" jsonschema:"how long to listen, up to 20; 5 unless given"`
	Lines      int     `json:"lines,omitempty" jsonschema:"how many commands to show at most; 100 unless given"`
	Connection string  `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL; REDIS_URL unless given"`
	Env        string  `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
}

func redisMonitor(s *state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "redis_monitor", Title: "Watch what Redis is asked", Set: tool.Inspect,
		Text: "Listens to the commands that all clients run on a Redis, for a few seconds. They hold the data of these clients, and the " +
			"server is slower meanwhile.",
		ReadOnly: true, OpenWorld: true, Outside: true,
	}, s.redisMonitor)
}

func (s *state) redisMonitor(ctx context.Context, c *tool.Call, in monitorIn) (redisdb.Heard, error) {
	if in.Seconds == 0 {
		in.Seconds = 5
	}
	if in.Lines == 0 {
		in.Lines = 100
	}
	if in.Seconds < 0 || in.Seconds > mostSeconds || in.Lines < 0 {
		return redisdb.Heard{}, tool.Invalid("seconds is at most %d, and neither seconds nor lines is below 0", mostSeconds)
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "redis_monitor", Connection: in.Connection, Env: in.Env, Default: "REDIS_URL", Schemes: redisdb.Schemes(), Statement: "MONITOR",
	})
	if err != nil {
		return redisdb.Heard{}, err
	}
	during := min(time.Duration(in.Seconds*float64(time.Second)), c.Limits.Time*9/10)
	return s.redis.Monitor(ctx, l, c.Limits, min(in.Lines, c.Limits.Rows), during)
}
