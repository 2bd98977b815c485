package database_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/database"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// bench is what a test of a tool needs: the tools, and a call.
type kit struct {
	t     testing.TB
	tools []tool.Tool
	*tool.Call
}

func newKit(t testing.TB, secrets map[string]string) *kit {
	t.Helper()
	tools, closeAll, err := database.Tools()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeAll)
	return &kit{t, tools, tooltest.New(t, secrets)}
}

type args = map[string]any

// run calls a tool. No secret value may be in what comes back, plain or as part of a URL, whatever the server says.
func (k *kit) run(name string, a args) (map[string]any, error) {
	k.t.Helper()
	out, err := tooltest.Run(k.t.Context(), k.t, k.tools, name, k.Call, a)
	if err != nil {
		k.clean(err.Error())
	}
	return out, err
}

func (k *kit) clean(text string) {
	k.t.Helper()
	for name, v := range tooltest.SessionOf(k.Call).Guarded() {
		value := string(v.Reveal())
		if v.Len() == 0 {
			continue
		}
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value)} {
			if strings.Contains(text, form) {
				k.t.Errorf("an error holds the value of %s", name)
			}
		}
	}
}

func (k *kit) must(name string, a args) map[string]any {
	k.t.Helper()
	out, err := k.run(name, a)
	if err != nil {
		k.t.Fatalf("%s %v: %v", name, a, err)
	}
	return out
}

// fails requires an error with a code and words in it.
func (k *kit) fails(name string, a args, code string, words ...string) {
	k.t.Helper()
	out, err := k.run(name, a)
	if err == nil {
		k.t.Errorf("%s %v: no error but %v; want %s", name, a, out, code)
		return
	}
	if got := tooltest.Code(err); got != code {
		k.t.Errorf("%s %v: code %q (%v), want %q", name, a, got, err, code)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			k.t.Errorf("%s %v: %q lacks %q", name, a, err, w)
		}
	}
}

// direct is a connection of the test's own.
func direct(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func rows(t testing.TB, out map[string]any) []any {
	t.Helper()
	list, ok := out["rows"].([]any)
	if !ok {
		t.Fatalf("there are no rows in %v", out)
	}
	return list
}

func first(t testing.TB, out map[string]any) any {
	t.Helper()
	list := rows(t, out)
	if len(list) == 0 {
		t.Fatalf("no row in %v", out)
	}
	return list[0].([]any)[0]
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := testservice.Postgres(t)
	admin := server.URL("postgres", "/postgres", "sslmode=disable")
	conn := direct(t, admin)
	exec(t, conn, "CREATE ROLE app LOGIN PASSWORD 'app p@ss/w0rd'", "CREATE DATABASE app OWNER app")
	app := *server
	app.User, app.Password = "app", "app p@ss/w0rd"
	appURL := app.URL("postgres", "/app", "sslmode=disable")
	owner := direct(t, appURL)
	exec(t, owner, "CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL)", "INSERT INTO things VALUES (1,'one'),(2,'two')",
		"CREATE SEQUENCE counter", "CREATE TYPE mood AS ENUM ('sad','glad')", "CREATE PROCEDURE leave() LANGUAGE plpgsql AS 'BEGIN COMMIT; INSERT INTO things VALUES (66,''x''); COMMIT; END'",
		"CREATE FUNCTION sneak() RETURNS int LANGUAGE plpgsql AS 'BEGIN SET LOCAL transaction_read_only=off; INSERT INTO things VALUES (67,''x''); RETURN 1; END'")
	fresh := func(t *testing.T) *kit {
		return newKit(t, map[string]string{"DATABASE_URL": appURL, "ADMIN_URL": admin})
	}
	for name, test := range map[string]func(*testing.T, *kit){
		"types": testTypes, "parameters": testParameters, "cut": testCut, "concurrent": testConcurrent, "inspect": testInspect,
		"grant": testGrant, "superuser": testSuperuser, "time": testTime,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, fresh(t)) })
	}
	t.Run("readonly", func(t *testing.T) { testReadOnly(t, fresh(t), owner) })
	t.Run("write", func(t *testing.T) { testWrite(t, fresh(t), owner) })
	t.Run("tls", func(t *testing.T) { testTLS(t, &app) })
	t.Run("login", func(t *testing.T) { testLogin(t, &app) })
	t.Run("lost", func(t *testing.T) { testLost(t, fresh(t), conn) })
}

func testTypes(t *testing.T, k *kit) {
	for sql, want := range map[string]string{
		"true":                             `true`,
		"NULL::int":                        `null`,
		"42::int8":                         `42`,
		"9007199254740993":                 `"9007199254740993"`,
		"12345678901234567890.10::numeric": `"12345678901234567890.10"`,
		"1.5::float8":                      `1.5`,
		"'NaN'::float8":                    `"NaN"`,
		"'ü€𝄞'":                            `"ü€𝄞"`,
		`'\x00ff10'::bytea`:                `"\\x00ff10"`,
		`'{"a": [1, 12345678901234567890]}'::jsonb`: `{"a": [1, 12345678901234567890]}`,
		"ARRAY[1,NULL,3]":                     `[1,null,3]`,
		`ARRAY[['a b','c"d'],['e\f','NULL']]`: `[["a b","c\"d"],["e\\f","NULL"]]`,
		"'[2:3]={7,8}'::int[]":                `[7,8]`,
		"ARRAY['{\"a\":1}'::json]":            `[{"a":1}]`,
		"'2026-11-24 01:02:03.456789+00'::timestamptz AT TIME ZONE 'UTC'": `"2026-11-24 01:02:03.456789"`,
		"'infinity'::date": `"infinity"`,
		"'11111111-2222-3333-4444-555555555555'::uuid": `"11111111-2222-3333-4444-555555555555"`,
		"'glad'::mood":           `"glad"`,
		"'1 day 2:00'::interval": `"1 day 02:00:00"`,
		"ROW(1,'a b')":           `"(1,\"a b\")"`,
	} {
		out := k.must("query_database", args{"query": "SELECT " + sql + " AS x"})
		var expected any
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if got := first(t, out); !reflect.DeepEqual(got, expected) {
			t.Errorf("%s is %#v, want %s", sql, got, want)
		}
	}
	out := k.must("query_database", args{"query": "SELECT 1::int2 AS a, 'sad'::mood AS b, '{}'::mood[] AS c, 'x'::varchar AS d"})
	want := []any{args{"name": "a", "type": "int2"}, args{"name": "b", "type": "mood"}, args{"name": "c", "type": "mood[]"}, args{"name": "d", "type": "varchar"}}
	if !reflect.DeepEqual(out["columns"], want) {
		t.Errorf("columns %v, want %v", out["columns"], want)
	}
	if out["truncated"] != false || out["row_count"] != 1.0 || out["warning"] != nil {
		t.Errorf("%v", out)
	}
}

func testParameters(t *testing.T, k *kit) {
	tooltest.Set(t, k.Call, map[string]string{"NAME": "two"})
	out := k.must("query_database", args{"query": "SELECT id FROM things WHERE name = $1", "parameters": []any{"zvault://NAME"}})
	if first(t, out) != 2.0 {
		t.Errorf("a secret as parameter: %v", out)
	}
	use := tooltest.GateOf(k.Call).Last()
	if !reflect.DeepEqual(use.Secrets, []string{"DATABASE_URL", "NAME"}) || use.In["NAME"] != "body" || use.In["DATABASE_URL"] != "login" {
		t.Errorf("the use is %+v", use)
	}
	out = k.must("query_database", args{
		"query":      "SELECT $1::int8, $2::text, $3::bool, $4::int[], $5::jsonb, $6::text, $7::text[]",
		"parameters": []any{json.Number("9007199254740993"), "a'b", true, []any{1, nil, 3}, args{"k": []any{1}}, nil, []any{`q"\`, "NULL"}},
	})
	want := []any{"9007199254740993", "a'b", true, []any{1.0, nil, 3.0}, args{"k": []any{1.0}}, nil, []any{`q"\`, "NULL"}}
	if got := rows(t, out)[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	k.fails("query_database", args{"query": "SELECT $1", "parameters": []any{"zvault://NONE"}}, "not_found", "NONE")
	k.fails("query_database", args{"query": "SELECT $1", "parameters": []any{"zvault://other/KEY"}}, "invalid", "another environment")
	k.fails("query_database", args{"query": "SELECT $1", "parameters": []any{"zvault://"}}, "invalid", "parameter 1")
	k.fails("query_database", args{"query": "SELECT $1::int", "parameters": []any{"x"}}, "failed", "22P02")
	k.fails("query_database", args{"query": "SELECT $1::int", "parameters": []any{}}, "failed", "08P01")
}

func testCut(t *testing.T, k *kit) {
	k.Limits.Rows, k.Limits.Body, k.Limits.Object = 10, 100, 1000
	out := k.must("query_database", args{"query": "SELECT g FROM generate_series(1,100000) g"})
	if out["row_count"] != 10.0 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "first 10 rows") {
		t.Errorf("too many rows: %v", out)
	}
	out = k.must("query_database", args{"query": "SELECT g FROM generate_series(1,10) g"})
	if out["row_count"] != 10.0 || out["truncated"] != false {
		t.Errorf("exactly as many rows as are wanted: %v", out)
	}
	out = k.must("query_database", args{"query": "SELECT repeat('word ', 1000) AS long"})
	if cell := first(t, out).(string); len(cell) > 150 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "cells of long") {
		t.Errorf("a long cell: %v", out)
	}
	out = k.must("query_database", args{"query": "SELECT repeat('y', 90) FROM generate_series(1,1000)"})
	if n := out["row_count"].(float64); n >= 11 || n < 5 || out["truncated"] != true {
		t.Errorf("too many bytes: %v rows", n)
	}
	k.Limits.Rows = 500
	out = k.must("query_database", args{"query": "SELECT repeat('y', 90) FROM generate_series(1,1000)"})
	if n := out["row_count"].(float64); n != 10 || !strings.Contains(out["hint"].(string), "1000 bytes") {
		t.Errorf("too many bytes: %v rows, %v", n, out["hint"])
	}
	if first(t, k.must("query_database", args{"query": "SELECT 1"})) != 1.0 {
		t.Error("the connection is out of step")
	}
}

func testConcurrent(t *testing.T, k *kit) {
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			for j := range 20 {
				out, err := k.run("query_database", args{"query": "SELECT $1::int", "parameters": []any{i*100 + j}})
				if err != nil || rows(t, out)[0].([]any)[0] != float64(i*100+j) {
					t.Errorf("%v, %v", out, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func testInspect(t *testing.T, k *kit) {
	out := k.must("pg_schema", args{"table": "things"})
	columns := rows(t, out["columns"].(args))
	want := []any{"public", "things", "table", "id", "integer", false, nil, nil}
	if len(columns) != 2 || !reflect.DeepEqual(columns[0], want) {
		t.Errorf("columns %v, want first %v", columns, want)
	}
	if list := rows(t, out["constraints"].(args)); len(list) != 1 || list[0].([]any)[4] != "PRIMARY KEY (id)" {
		t.Errorf("constraints %v", list)
	}
	if list := rows(t, out["indexes"].(args)); len(list) != 1 {
		t.Errorf("indexes %v", list)
	}
	for _, about := range []string{"", "activity", "database", "indexes", "locks", "settings", "tables"} {
		k.must("pg_stats", args{"about": about})
	}
	k.fails("pg_stats", args{"about": "weather"}, "invalid", "activity, database")
	plan := k.must("pg_explain", args{"query": "SELECT * FROM things WHERE id = $1", "parameters": []any{1}})
	if !strings.Contains(plan["plan"].(string), "things") || strings.Contains(plan["plan"].(string), "actual time") {
		t.Errorf("plan %v", plan)
	}
	k.fails("pg_explain", args{"query": "SELECT 1", "analyze": true}, "denied", "allow_write")
	k.fails("pg_explain", args{"query": "ANALYZE SELECT 1"}, "failed", "42601")
	k.fails("pg_explain", args{"query": "(ANALYZE) INSERT INTO things VALUES (9,'x')"}, "failed", "42601")
	plan = k.must("pg_explain", args{"query": "SELECT 1", "analyze": true, "allow_write": true})
	if !strings.Contains(plan["plan"].(string), "actual time") {
		t.Errorf("plan %v", plan)
	}
}

func testGrant(t *testing.T, k *kit) {
	gate, session := tooltest.GateOf(k.Call), tooltest.SessionOf(k.Call)
	k.must("query_database", args{"query": "SELECT 1"})
	use := gate.Last()
	if use.Tool != "query_database" || use.Scheme != "postgres" || use.Host != "127.0.0.1" || use.Port == 0 || use.Path != "/app" ||
		use.Method != "READ" || use.Project != "app" || use.Env != "development" || use.Body != grant.BodyHash([]byte("SELECT 1")) {
		t.Errorf("the use is %+v", use)
	}
	if v, ok := session.Guarded()["DATABASE_URL:password"]; !ok || string(v.Reveal()) != "app p@ss/w0rd" {
		t.Error("the password alone is not guarded")
	}
	k.must("query_database", args{"query": "SELECT 1", "allow_write": true})
	if gate.Last().Method != "WRITE" {
		t.Errorf("the use is %+v", gate.Last())
	}
	k.must("query_database", args{"query": "SELECT 1", "connection": "zvault://app/DATABASE_URL?env=dev"})
	gate.Deny("not today")
	if _, err := k.run("query_database", args{"query": "SELECT 1"}); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("denied: %v", err)
	}
}

func testSuperuser(t *testing.T, k *kit) {
	out := k.must("query_database", args{"query": "SELECT 1", "connection": "ADMIN_URL"})
	if out["warning"] == nil {
		t.Error("no warning that the login is a superuser")
	}
	dir := t.TempDir()
	for _, sql := range []string{
		"COPY (SELECT 1) TO PROGRAM 'touch " + dir + "/made'", "COPY (SELECT 1) TO '" + dir + "/made'", "DO 'BEGIN PERFORM 1; END'",
		"SELECT pg_read_file('/etc/hostname')", "SELECT lo_export(1, '" + dir + "/made')", "SELECT pg_terminate_backend(1)",
		"SELECT * FROM dblink('x', 'y') AS t(a int)", "CHECKPOINT", "LOAD 'plpgsql'", "SET ROLE app", "PREPARE p AS SELECT 1", "LISTEN x", "NOTIFY x",
		"COMMIT", "ROLLBACK", "VACUUM", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "ALTER SYSTEM SET work_mem='1MB'",
	} {
		if _, err := k.run("query_database", args{"query": sql, "connection": "ADMIN_URL"}); err == nil {
			t.Errorf("%s was run", sql)
		}
	}
}

func testTime(t *testing.T, k *kit) {
	k.Limits.Time = 300_000_000
	k.fails("query_database", args{"query": "SELECT pg_sleep(100)"}, "timeout", "57014")
	k.fails("query_database", args{"query": "SELECT set_config('statement_timeout','0',false), pg_sleep(100)"}, "timeout")
	k.must("query_database", args{"query": "SELECT 1"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tooltest.Run(ctx, t, k.tools, "query_database", k.Call, args{"query": "SELECT 1"}); err == nil {
		t.Error("a call that was cancelled before went through")
	}
}

// testReadOnly tries to write without allow_write.
func testReadOnly(t *testing.T, k *kit, owner *pgx.Conn) {
	for _, sql := range []string{
		"INSERT INTO things VALUES (3,'x') RETURNING id", "UPDATE things SET name='x'", "DELETE FROM things RETURNING 1", "TRUNCATE things",
		"WITH d AS (DELETE FROM things RETURNING id) SELECT * FROM d", "CREATE TABLE t (x int)", "DROP TABLE things",
		"SELECT 1; DELETE FROM things", "COMMIT; DELETE FROM things", "SELECT 1; COMMIT; BEGIN; DELETE FROM things; COMMIT; SELECT 1",
		"SELECT nextval('counter')", "SELECT setval('counter', 100)", "SELECT * INTO t FROM things", "SELECT * FROM things FOR UPDATE",
		"SELECT set_config('transaction_read_only','off',true), (SELECT 1)", "SELECT sneak()", "CALL leave()", "SELECT lo_create(0)",
		"EXPLAIN ANALYZE DELETE FROM things", "CREATE TEMP TABLE t (x int)",
		"REFRESH MATERIALIZED VIEW x", "GRANT ALL ON things TO PUBLIC", "SET TRANSACTION READ WRITE", "BEGIN READ WRITE", "COMMIT AND CHAIN",
		"SET default_transaction_read_only=off", "RESET ALL", "DISCARD ALL", "COPY things FROM STDIN", "COPY things TO STDOUT",
		"/* SELECT */ DELETE FROM things", "-- SELECT\nDELETE FROM things", "SELECT", "", "LOCK TABLE things",
		"SELECT query_to_xml('DELETE FROM things RETURNING 1', true, true, '')",
	} {
		out, err := k.run("query_database", args{"query": sql})
		if err == nil && sql != "SELECT" {
			t.Errorf("%s was run: %v", sql, out)
		}
		var n int
		if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil || n != 2 {
			t.Fatalf("after %s there are %d things (%v)", sql, n, err)
		}
		if got := first(t, k.must("query_database", args{"query": "SHOW transaction_read_only"})); got != "on" {
			t.Errorf("after %s the connection is left writable", sql)
		}
	}
	k.must("query_database", args{"query": "EXPLAIN (ANALYZE) CREATE TABLE t AS SELECT 1"}) // the database makes no table for that
	if first(t, k.must("query_database", args{"query": "SELECT to_regclass('t')"})) != nil {
		t.Error("EXPLAIN has made a table")
	}
	var last int64
	var called bool
	if err := owner.QueryRow(t.Context(), "SELECT last_value, is_called FROM counter").Scan(&last, &called); err != nil || called {
		t.Errorf("the sequence was moved to %d, %v (%v)", last, called, err)
	}
	k.must("query_database", args{"query": "SELECT pg_advisory_lock(7)"})
	var free bool
	if err := owner.QueryRow(t.Context(), "SELECT pg_try_advisory_lock(7)").Scan(&free); err != nil || !free {
		t.Errorf("an advisory lock outlives the call (%v)", err)
	}
	k.fails("query_database", args{"query": "SELECT nope FROM things"}, "failed", "42703", "at character 8", `"nope"`)
	k.fails("query_database", args{"query": "DELETE FROM things RETURNING 1"}, "denied", "25006", "allow_write")
}

func testWrite(t *testing.T, k *kit, owner *pgx.Conn) {
	out := k.must("query_database", args{"query": "INSERT INTO things VALUES ($1,$2)", "parameters": []any{10, "ten"}, "allow_write": true})
	if out["affected"] != 1.0 {
		t.Errorf("%v", out)
	}
	out = k.must("query_database", args{"query": "DELETE FROM things WHERE id=10 RETURNING name", "allow_write": true})
	if first(t, out) != "ten" || out["affected"] != 1.0 {
		t.Errorf("%v", out)
	}
	k.must("query_database", args{"query": "VACUUM things", "allow_write": true})
	k.fails("query_database", args{"query": "BEGIN", "allow_write": true}, "invalid", "transaction")
	k.fails("query_database", args{"query": "COPY things FROM STDIN", "allow_write": true}, "invalid", "COPY")
	k.fails("query_database", args{"query": "COPY things TO STDOUT", "allow_write": true}, "invalid", "COPY")
	k.Limits.AllowWrite = false
	k.fails("query_database", args{"query": "SELECT 1", "allow_write": true}, "denied", "switched")
	k.fails("pg_explain", args{"query": "SELECT 1", "allow_write": true, "analyze": true}, "denied", "switched")
	var n int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d things, %v", n, err)
	}
}

func testTLS(t *testing.T, s *testservice.Server) {
	ca := url.QueryEscape(s.CA)
	k := newKit(t, map[string]string{
		"REQUIRE": s.URL("postgres", "/app", "sslmode=require"), "FULL": s.URL("postgresql", "/app", "sslmode=verify-full&sslrootcert="+ca),
		"PREFER": s.URL("postgres", "/app", ""), "DISABLE": s.URL("postgres", "/app", "sslmode=disable"),
		"UNKNOWN": s.URL("postgres", "/app", "sslmode=verify-full"), "ODD": s.URL("postgres", "/app", "sslmode=maybe"),
		"NOFILE": s.URL("postgres", "/app", "sslmode=verify-ca&sslrootcert=/nonexistent"),
	})
	for name, want := range map[string]bool{"REQUIRE": true, "FULL": true, "PREFER": true, "DISABLE": false} {
		out := k.must("query_database", args{"query": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "connection": name})
		if first(t, out) != want {
			t.Errorf("%s: TLS is %v", name, first(t, out))
		}
	}
	k.fails("query_database", args{"query": "SELECT 1", "connection": "UNKNOWN"}, "unreachable", "certificate")
	k.fails("query_database", args{"query": "SELECT 1", "connection": "ODD"}, "invalid", "sslmode")
	k.fails("query_database", args{"query": "SELECT 1", "connection": "NOFILE"}, "invalid", "sslrootcert")
}

func testLogin(t *testing.T, s *testservice.Server) {
	wrong := *s
	wrong.Password = "wr0ng/pässword"
	closed := *s
	closed.Port = 1
	k := newKit(t, map[string]string{
		"WRONG": wrong.URL("postgres", "/app", "sslmode=disable"), "CLOSED": closed.URL("postgres", "/app", ""), "NODB": s.URL("postgres", "/nodb", ""),
		"METADATA": "postgres://u:p4ssw0rd@169.254.169.254/db", "BAD": "postgres://u:p4%ss@host/db", "NOTURL": "hunter2-hunter2",
		"MYSQL": "mysql://u:p4ssw0rd@host/db", "TWO": "postgres://u:p4ssw0rd@a,b/db", "SOCKET": "postgres:///db?host=/tmp", "PUBLIC": "postgres://u:p4ssw0rd@192.0.2.1/db?sslmode=disable",
		"PORT": "postgres://u:p4ssw0rd@host:99999/db",
	})
	q := func(connection string) args { return args{"query": "SELECT 1", "connection": connection} }
	k.fails("query_database", q("WRONG"), "denied", "28P01")
	k.fails("query_database", q("CLOSED"), "unreachable", "refused")
	k.fails("query_database", q("NODB"), "failed", "3D000")
	k.fails("query_database", q("METADATA"), "denied", "metadata")
	for _, name := range []string{"BAD", "NOTURL", "SOCKET"} {
		k.fails("query_database", q(name), "invalid", name)
	}
	k.fails("query_database", q("MYSQL"), "invalid", "scheme")
	k.fails("query_database", q("TWO"), "invalid", "one host")
	k.fails("query_database", q("PORT"), "invalid", "port")
	k.fails("query_database", q("PUBLIC"), "denied", "public network")
	k.fails("query_database", q("WRON"), "not_found", "is it WRONG?")
	k.fails("query_database", args{"query": "SELECT 1"}, "not_found", "DATABASE_URL", "connection")
	k.fails("query_database", q("postgres://u:p4ssw0rd@host/db"), "invalid", "not a URL")
	k.fails("query_database", q("p4ss w0rd"), "invalid", "name of a secret")
	k.fails("query_database", args{"query": "SELECT 1", "env": "nowhere"}, "not_found")
	for _, encoded := range []string{base64.StdEncoding.EncodeToString([]byte(wrong.Password))} {
		if _, err := k.run("query_database", q("WRONG")); strings.Contains(err.Error(), encoded) {
			t.Error("an error holds the password in base64")
		}
	}
}

// testLost has the server end the idle connection; the next call is to log in again.
func testLost(t *testing.T, k *kit, admin *pgx.Conn) {
	pid := first(t, k.must("query_database", args{"query": "SELECT pg_backend_pid()"}))
	if again := first(t, k.must("query_database", args{"query": "SELECT pg_backend_pid()"})); again != pid {
		t.Errorf("the second call has logged in anew: %v, %v", pid, again)
	}
	exec(t, admin, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app' AND application_name = 'zvault'")
	if again := first(t, k.must("query_database", args{"query": "SELECT pg_backend_pid()"})); again == pid {
		t.Error("a connection that was ended lives on")
	}
}
