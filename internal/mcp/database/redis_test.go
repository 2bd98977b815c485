package database_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

func redisClient(t *testing.T, s *testservice.Server) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Address(), Password: s.Password, DB: 3})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedis(t *testing.T) {
	t.Parallel()
	server := testservice.Redis(t)
	client := redisClient(t, server)
	ctx := t.Context()
	for _, err := range []error{
		client.Set(ctx, "name", "value", 0).Err(), client.HSet(ctx, "hash", "a", "1", "b", "2").Err(), client.RPush(ctx, "list", "x", "y").Err(),
		client.Set(ctx, "bytes", "\x00\xff", 0).Err(), client.ZAdd(ctx, "ranks", redis.Z{Score: 1.5, Member: "m"}).Err(), client.SAdd(ctx, "set", "one").Err(),
		client.Set(ctx, "long", strings.Repeat("word ", 1000), 0).Err(), client.FunctionLoad(ctx, "#!lua name=lib\nredis.register_function{function_name='f',callback=function() return 1 end,flags={'no-writes'}}").Err(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	k := newKit(t, map[string]string{"REDIS_URL": server.URL("redis", "/3", "")})
	t.Run("values", func(t *testing.T) { redisValues(t, k) })
	t.Run("readonly", func(t *testing.T) { redisReadOnly(t, k, client) })
	t.Run("write", func(t *testing.T) { redisWrite(t, k, client) })
	t.Run("cut", func(t *testing.T) { redisCut(t, k, client) })
	t.Run("login", func(t *testing.T) { redisLogin(t, server) })
	t.Run("monitor", func(t *testing.T) { redisMonitors(t, server, client) })
}

func redisValues(t *testing.T, k *kit) {
	tooltest.Set(t, k.Call, map[string]string{"KEY": "name"})
	for _, c := range []struct {
		command []string
		want    any
	}{
		{[]string{"GET", "name"}, "value"},
		{[]string{"get", "zvault://KEY"}, "value"},
		{[]string{"GET", "none"}, nil},
		{[]string{"HGETALL", "hash"}, args{"a": "1", "b": "2"}},
		{[]string{"LRANGE", "list", "0", "-1"}, []any{"x", "y"}},
		{[]string{"GET", "bytes"}, `\x00ff`},
		{[]string{"ZSCORE", "ranks", "m"}, 1.5},
		{[]string{"SMEMBERS", "set"}, []any{"one"}},
		{[]string{"EXISTS", "name", "hash"}, 2.0},
		{[]string{"OBJECT", "ENCODING", "name"}, "embstr"},
		{[]string{"PING"}, "PONG"},
		{[]string{"TYPE", "hash"}, "hash"},
	} {
		out := k.must("query_redis", args{"command": c.command})
		if !reflect.DeepEqual(out["value"], c.want) || out["truncated"] != false {
			t.Errorf("%q answers %#v, want %#v", c.command, out["value"], c.want)
		}
	}
	if use := tooltest.GateOf(k.Call).Uses()[1]; !reflect.DeepEqual(use.Secrets, []string{"KEY", "REDIS_URL"}) || use.Path != "/3" {
		t.Errorf("the use is %+v", use)
	}
	k.fails("query_redis", args{"command": []string{"HGETALL", "name"}}, "failed", "WRONGTYPE")
	k.fails("query_redis", args{"command": []string{"NONSENSE"}}, "failed", "no command")
	k.fails("query_redis", args{"command": []string{}}, "invalid", "empty")
}

func redisReadOnly(t *testing.T, k *kit, client *redis.Client) {
	before := client.DBSize(t.Context()).Val()
	for _, command := range []string{
		"SET x 1", "DEL name", "FLUSHALL", "EXPIRE name 1", "GETDEL name", "GETEX name EX 1", "COPY name other", "EVAL return(1) 0", "EVAL_RO return(1) 0",
		"FCALL f 0", "FCALL_RO f 0", "SCRIPT FLUSH", "CONFIG SET save 1", "CONFIG GET *", "DEBUG SLEEP 0", "SHUTDOWN NOSAVE", "KEYS *", "BLPOP none 1", "XREAD BLOCK 1 STREAMS s 0",
		"CLIENT KILL ID 1", "ACL SETUSER u", "MULTI", "SUBSCRIBE c", "MONITOR", "SELECT 0", "SORT list STORE y", "GEORADIUS g 0 0 1 m STORE x", "BITFIELD b SET u8 0 1",
		"REPLICAOF NO ONE", "MIGRATE h 1 k 0 1", "MODULE LOAD x", "HELLO 2", "RESET", "QUIT", "OBJECT NONSENSE name", "OBJECT", "PFCOUNT name extra|set", "WAIT 1 1", "PUBLISH c m", "SORT_RO list",
	} {
		out, err := k.run("query_redis", args{"command": strings.Fields(command)})
		if err == nil {
			t.Errorf("%s was run: %v", command, out)
		}
	}
	if after := client.DBSize(t.Context()).Val(); after != before {
		t.Errorf("there are %d keys, there were %d", after, before)
	}
	k.fails("query_redis", args{"command": []string{"SET", "x", "1"}}, "denied", "allow_write", "writes")
	k.fails("query_redis", args{"command": []string{"KEYS", "*"}}, "denied", "SCAN")
}

func redisWrite(t *testing.T, k *kit, client *redis.Client) {
	k.must("query_redis", args{"command": []string{"SET", "x", "a b"}, "allow_write": true})
	if got := client.Get(t.Context(), "x").Val(); got != "a b" {
		t.Errorf("x is %q", got)
	}
	k.Limits.AllowWrite = false
	k.fails("query_redis", args{"command": []string{"DEL", "x"}, "allow_write": true}, "denied", "switched")
	k.Limits.AllowWrite = true
}

func redisCut(t *testing.T, k *kit, client *redis.Client) {
	for range 50 {
		if err := client.RPush(t.Context(), "many", strings.Repeat("y", 10)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limits := k.Limits
	defer func() { k.Limits = limits }()
	k.Limits.Keys, k.Limits.Body = 20, 100
	out := k.must("query_redis", args{"command": []string{"LRANGE", "many", "0", "-1"}})
	if n := len(out["value"].([]any)); n != 20 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "LRANGE") {
		t.Errorf("%d elements, %v", n, out["hint"])
	}
	out = k.must("query_redis", args{"command": []string{"GET", "long"}})
	if len(out["value"].(string)) > 150 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "GETRANGE") {
		t.Errorf("%v", out)
	}
	k.Limits.Object = 50
	out = k.must("query_redis", args{"command": []string{"LRANGE", "many", "0", "-1"}})
	if n := len(out["value"].([]any)); n != 5 || out["truncated"] != true {
		t.Errorf("%d elements within 50 bytes", n)
	}
	k.Limits.Time = 200 * time.Millisecond
	k.fails("query_redis", args{"command": []string{"BLPOP", "none", "0"}, "allow_write": true}, "timeout")
}

func redisLogin(t *testing.T, s *testservice.Server) {
	wrong, closed := *s, *s
	wrong.Password, closed.Port = "wr0ng/pässword", 1
	k := newKit(t, map[string]string{
		"WRONG": wrong.URL("redis", "", ""), "CLOSED": closed.URL("redis", "", ""), "TLS": s.URL("rediss", "", ""), "DB": s.URL("redis", "/x", ""),
		"NODB": s.URL("redis", "/99", ""), "PUBLIC": "redis://:p4ssw0rd@192.0.2.1/0", "REDIS_URL": s.URL("redis", "", ""),
	})
	for name, code := range map[string]string{
		"WRONG": "denied", "CLOSED": "unreachable", "TLS": "timeout", "DB": "invalid", "NODB": "failed", "PUBLIC": "denied", "NONE": "not_found",
	} {
		k.Limits.Time = 30 * time.Second
		if name == "TLS" { // this server waits for more of what it takes for a command
			k.Limits.Time = 300 * time.Millisecond
		}
		k.fails("query_redis", args{"command": []string{"PING"}, "connection": name}, code)
		if name != "DB" && name != "NODB" {
			k.fails("redis_monitor", args{"connection": name, "seconds": 0.2}, code)
		}
	}
	k.Limits.Time = 30 * time.Second
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			for range 10 {
				if out, err := k.run("query_redis", args{"command": []string{"ECHO", "x"}}); err != nil || out["value"] != "x" {
					t.Errorf("%v, %v", out, err)
				}
			}
		})
	}
	group.Wait()
}

func redisMonitors(t *testing.T, s *testservice.Server, client *redis.Client) {
	k := newKit(t, map[string]string{"REDIS_URL": s.URL("redis", "", "")})
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() { // until it was heard
		for {
			select {
			case <-done:
				return
			default:
				client.Get(t.Context(), "watched")
			}
		}
	})
	out := k.must("redis_monitor", args{"lines": 3, "seconds": 20})
	close(done)
	group.Wait()
	if lines := out["lines"].([]any); len(lines) != 3 || !strings.Contains(lines[1].(string), `"watched"`) || out["truncated"] != true {
		t.Errorf("%v", out)
	}
	out = k.must("redis_monitor", args{"seconds": 0.1})
	if lines := out["lines"].([]any); len(lines) != 0 || out["truncated"] != false {
		t.Errorf("%v", out)
	}
	k.fails("redis_monitor", args{"seconds": 21}, "invalid", "20")
}
