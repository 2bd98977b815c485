package database_test

import (
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
)

// listen serves each connection by a function, and gives the address.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			group.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return l.Addr().String()
}

const hostilePassword = "p4ss/w0rd+of=hostile"

// pgServer logs everybody in and then hands over.
func pgServer(then func(*pgproto3.Backend)) func(net.Conn) {
	return func(c net.Conn) {
		b := pgproto3.NewBackend(c, c)
		if m, err := b.ReceiveStartupMessage(); err != nil {
			return
		} else if _, ok := m.(*pgproto3.StartupMessage); !ok { // of a cancellation
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if b.Flush() == nil {
			then(b)
		}
	}
}

func TestPostgres_Hostile(t *testing.T) {
	t.Parallel()
	echo := base64.StdEncoding.EncodeToString([]byte(hostilePassword))
	wide := make([]byte, 1<<20)
	columns := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("x"), DataTypeOID: 25}}}
	for name, c := range map[string]struct {
		serve func(net.Conn)
		code  string
	}{
		"silent":  {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "timeout"},
		"closing": {func(net.Conn) {}, "unreachable"},
		"other":   {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "failed"},
		"stall":   {pgServer(func(b *pgproto3.Backend) { drain(b) }), "timeout"},
		"rows": {pgServer(func(b *pgproto3.Backend) {
			b.Send(columns)
			for range 1_000_000 {
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("more")}})
				if b.Flush() != nil {
					return
				}
			}
		}), "failed"},
		"width": {pgServer(func(b *pgproto3.Backend) {
			b.Send(columns)
			b.Send(&pgproto3.DataRow{Values: [][]byte{nil, nil}})
			_ = b.Flush()
			drain(b)
		}), "failed"},
		"huge": {func(c net.Conn) {
			pgServer(func(b *pgproto3.Backend) {
				b.Send(columns)
				_ = b.Flush()
				head := append([]byte{'D'}, binary.BigEndian.AppendUint32(nil, 900<<20)...)
				if _, err := c.Write(head); err != nil {
					return
				}
				for range 900 {
					if _, err := c.Write(wide); err != nil {
						return
					}
				}
			})(c)
		}, "failed"},
		"notices": {pgServer(func(b *pgproto3.Backend) {
			for {
				b.Send(&pgproto3.NoticeResponse{Message: strings.Repeat("x", 1000)})
				if b.Flush() != nil {
					return
				}
			}
		}), "timeout"},
		"echo": {pgServer(func(b *pgproto3.Backend) {
			for {
				m, err := b.Receive()
				if err != nil {
					return
				}
				if _, ok := m.(*pgproto3.Sync); !ok {
					continue
				}
				b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "XX000", Message: "you have said " + echo})
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				if b.Flush() != nil {
					return
				}
			}
		}), "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, map[string]string{"DATABASE_URL": "postgres://u:p4ss%2Fw0rd+of=hostile@" + listen(t, c.serve) + "/db?sslmode=disable"})
			k.Limits.Time = 500 * time.Millisecond
			if c.code != "timeout" {
				k.Limits.Time = 20 * time.Second
			}
			for _, sql := range []string{"SELECT 1", "EXPLAIN SELECT 1"} {
				k.fails("query_database", args{"query": sql}, c.code)
			}
			k.Limits.Time = 500 * time.Millisecond
			if out, err := k.run("query_database", args{"query": "DELETE FROM x", "allow_write": true}); err == nil {
				t.Errorf("%v", out)
			}
		})
	}
}

// drain reads until the connection ends.
func drain(b *pgproto3.Backend) {
	for {
		if _, err := b.Receive(); err != nil {
			return
		}
	}
}

// TestDenied requires that nothing connects to where the gate has not let it.
func TestDenied(t *testing.T) {
	t.Parallel()
	address := listen(t, func(net.Conn) { t.Error("a connection came although the gate has refused") })
	secrets := map[string]string{}
	tools := map[string]args{
		"query_database": {"query": "SELECT 1"}, "pg_schema": {}, "pg_stats": {}, "pg_explain": {"query": "SELECT 1"}, "query_mysql": {"query": "SELECT 1"},
		"query_redis": {"command": []string{"PING"}}, "redis_monitor": {}, "query_mongodb": {"command": "ping"}, "query_clickhouse": {"query": "SELECT 1"},
		"search_meilisearch": {}, "rabbitmq_status": {},
	}
	for name, scheme := range map[string]string{
		"DATABASE_URL": "postgres", "MYSQL_URL": "mysql", "REDIS_URL": "redis", "MONGODB_URL": "mongodb", "CLICKHOUSE_URL": "http", "MEILISEARCH_URL": "http", "RABBITMQ_URL": "http",
	} {
		secrets[name] = scheme + "://u:p4ssw0rd@" + address + "/0"
	}
	k := newKit(t, secrets)
	if len(k.tools) != len(tools) {
		t.Errorf("%d tools are tried of %d", len(tools), len(k.tools))
	}
	gate := tooltest.GateOf(k.Call)
	gate.Deny("not today")
	for name, a := range tools {
		before := len(gate.Uses())
		if _, err := k.run(name, a); err == nil || !strings.Contains(err.Error(), "not today") {
			t.Errorf("%s: %v", name, err)
		}
		if len(gate.Uses()) != before+1 || gate.Last().Tool != name || gate.Last().Host != "127.0.0.1" {
			t.Errorf("%s: the gate was asked %+v", name, gate.Last())
		}
	}
}

// TestDrivers_Hostile has servers of other protocols stall, hang up, talk nonsense and send without end.
func TestDrivers_Hostile(t *testing.T) {
	t.Parallel()
	servers := map[string]func(net.Conn){
		"silent":  func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"closing": func(net.Conn) {},
		"other":   func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"endless": func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for chunk := []byte("*1000000\r\n" + strings.Repeat("$3\r\nabc\r\n", 10_000)); ; {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		},
		"echo": func(c net.Conn) {
			buffer := make([]byte, 4096)
			for {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				text := "-ERR " + base64.StdEncoding.EncodeToString(buffer[:n]) + "\r\n"
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
			}
		},
	}
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := listen(t, serve)
			secrets := map[string]string{}
			for name, scheme := range map[string]string{"MYSQL_URL": "mysql", "REDIS_URL": "redis", "MONGODB_URL": "mongodb"} {
				secrets[name] = scheme + "://u:p4ss%2Fw0rd+of=hostile@" + address + "/0"
			}
			k := newKit(t, secrets)
			k.Limits.Time = 700 * time.Millisecond
			for tool, a := range map[string]args{
				"query_mysql": {"query": "SELECT 1"}, "query_redis": {"command": []string{"GET", "x"}}, "redis_monitor": {"seconds": 0.2}, "query_mongodb": {"command": "ping"},
			} {
				out, err := k.run(tool, a)
				if err == nil {
					t.Errorf("%s: %v", tool, out)
				} else if tooltest.Code(err) == "" {
					t.Errorf("%s: an error without a code: %v", tool, err)
				}
			}
		})
	}
}
