package database_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

func maria(t *testing.T, s *testservice.Server) *sql.DB {
	t.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = s.User, s.Password, "tcp", s.Address(), "test"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	server := testservice.MariaDB(t)
	db := maria(t, server)
	for _, s := range []string{
		"CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL)", "CREATE TABLE old (id int) ENGINE=MyISAM", "INSERT INTO things VALUES (1,'one'),(2,'two')",
		"CREATE FUNCTION sneak() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO things VALUES (66,'x'); RETURN 1; END",
		"CREATE PROCEDURE leave_it() BEGIN COMMIT; INSERT INTO things VALUES (67,'x'); END",
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	k := newKit(t, map[string]string{"MYSQL_URL": server.URL("mysql", "/test", "")})
	t.Run("types", func(t *testing.T) { mysqlTypes(t, k) })
	t.Run("parameters", func(t *testing.T) { mysqlParameters(t, k) })
	t.Run("readonly", func(t *testing.T) { mysqlReadOnly(t, k, db) })
	t.Run("write", func(t *testing.T) { mysqlWrite(t, k, db) })
	t.Run("login", func(t *testing.T) { mysqlLogin(t, server) })
	t.Run("limits", func(t *testing.T) {
		mysqlLimits(t, newKit(t, map[string]string{"MYSQL_URL": server.URL("mysql", "/test", "")}))
	})
	t.Run("concurrent", func(t *testing.T) {
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				for range 10 {
					if out, err := k.run("query_mysql", args{"query": "SELECT ?", "parameters": []any{i}}); err != nil || first(t, out) != float64(i) {
						t.Errorf("%v, %v", out, err)
					}
				}
			})
		}
		group.Wait()
	})
}

func mysqlTypes(t *testing.T, k *kit) {
	for sql, want := range map[string]string{
		"CAST(42 AS SIGNED)": `42`, "9007199254740993": `"9007199254740993"`, "CAST(18446744073709551615 AS UNSIGNED)": `"18446744073709551615"`,
		"CAST('12345678901234567890.10' AS DECIMAL(30,2))": `"12345678901234567890.10"`, "1.5e0": `1.5`, "NULL": `null`, "'ü€𝄞'": `"ü€𝄞"`,
		"x'00ff10'": `"\\x00ff10"`, "TIMESTAMP'2026-11-24 01:02:03.5'": `"2026-11-24 01:02:03.5"`, "DATE'0000-00-00'": `"0000-00-00"`,
	} {
		var expected any
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(sql, "0000") {
			sql = "CAST('0000-00-00' AS CHAR)"
		}
		if got := first(t, k.must("query_mysql", args{"query": "SELECT " + sql})); !reflect.DeepEqual(got, expected) {
			t.Errorf("%s is %#v, want %s", sql, got, want)
		}
	}
	out := k.must("query_mysql", args{"query": "SELECT id, name FROM things ORDER BY id"})
	if want := []any{args{"name": "id", "type": "int"}, args{"name": "name", "type": "text"}}; !reflect.DeepEqual(out["columns"], want) {
		t.Errorf("columns %v", out["columns"])
	}
}

func mysqlParameters(t *testing.T, k *kit) {
	tooltest.Set(t, k.Call, map[string]string{"NAME": "two"})
	out := k.must("query_mysql", args{"query": "SELECT id FROM things WHERE name = ?", "parameters": []any{"zvault://NAME"}})
	if first(t, out) != 2.0 {
		t.Errorf("%v", out)
	}
	out = k.must("query_mysql", args{"query": "SELECT ?, ?, ?, ?", "parameters": []any{json.Number("9007199254740993"), "a'b", nil, 1.5}})
	if want := []any{"9007199254740993", "a'b", nil, "1.5"}; !reflect.DeepEqual(rows(t, out)[0], want) {
		t.Errorf("%v, want %v", rows(t, out)[0], want)
	}
	k.fails("query_mysql", args{"query": "SELECT ?"}, "failed", "1064")
}

func things(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM things) + (SELECT count(*) FROM old)").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func mysqlReadOnly(t *testing.T, k *kit, db *sql.DB) {
	dir, err := os.MkdirTemp("/tmp", "zv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "made")
	for _, sql := range []string{
		"INSERT INTO things VALUES (3,'x')", "DELETE FROM things", "INSERT INTO old VALUES (1)", "SELECT sneak()", "CALL leave_it()", "COMMIT",
		"SELECT 1; DELETE FROM things", "COMMIT; DELETE FROM things", "SELECT 1 INTO OUTFILE '" + out + "'", "SELECT 1 INTO/**/DUMPFILE '" + out + "'",
		"SELECT 1 /*!INTO OUTFILE '" + out + "'*/", "/*!DELETE FROM things*/", "/* SELECT */ DELETE FROM things", "# SELECT\nDELETE FROM things",
		"SET GLOBAL max_connections=1", "KILL 1", "FLUSH TABLES", "CREATE TEMPORARY TABLE t (x int)", "DROP TABLE things", "TRUNCATE things",
		"LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE things", "EXECUTE IMMEDIATE 'DELETE FROM things'", "DO SLEEP(1)", "PREPARE p FROM 'SELECT 1'",
		"SET autocommit=1", "START TRANSACTION READ WRITE", "LOCK TABLES things WRITE", "WITH x AS (SELECT 1) DELETE FROM things", "", " ",
		"SELECT LOAD_FILE('/etc/hostname')", "HANDLER things OPEN", "ANALYZE TABLE things", "GRANT ALL ON *.* TO boss", "EXPLAIN DELETE",
	} {
		if result, err := k.run("query_mysql", args{"query": sql}); err == nil {
			t.Errorf("%s was run: %v", sql, result)
		}
		if n := things(t, db); n != 2 {
			t.Fatalf("after %s there are %d things", sql, n)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
	k.must("query_mysql", args{"query": "SELECT GET_LOCK('l', 1)"})
	var free int
	if err := db.QueryRowContext(t.Context(), "SELECT IS_FREE_LOCK('l')").Scan(&free); err != nil || free != 1 {
		t.Errorf("a lock outlives the call: %v", err)
	}
	k.fails("query_mysql", args{"query": "SELECT sneak()"}, "denied", "1792", "allow_write")
	k.fails("query_mysql", args{"query": "SELECT nope FROM things"}, "failed", "1054", "nope")
}

func mysqlWrite(t *testing.T, k *kit, db *sql.DB) {
	out := k.must("query_mysql", args{"query": "INSERT INTO things VALUES (?,?)", "parameters": []any{10, "ten"}, "allow_write": true})
	if out["affected"] != 1.0 || things(t, db) != 3 {
		t.Errorf("%v, %d things", out, things(t, db))
	}
	k.must("query_mysql", args{"query": "DELETE FROM things WHERE id=10", "allow_write": true})
	if things(t, db) != 2 {
		t.Error("nothing was deleted")
	}
	k.fails("query_mysql", args{"query": "DELETE FROM things; SELECT 1", "allow_write": true}, "failed", "1064")
	k.fails("query_mysql", args{"query": "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE things", "allow_write": true}, "unreachable")
}

func mysqlLogin(t *testing.T, s *testservice.Server) {
	wrong, closed := *s, *s
	wrong.Password, closed.Port = "wr0ng/pässword", 1
	k := newKit(t, map[string]string{
		"WRONG": wrong.URL("mysql", "/test", ""), "CLOSED": closed.URL("mysql", "/test", ""), "TLS": s.URL("mariadb", "/test", "ssl-mode=REQUIRED"),
		"PLAIN": s.URL("mysql", "/test", "tls=false"), "VERIFY": s.URL("mysql", "/test", "tls=true"), "ODD": s.URL("mysql", "/test", "tls=maybe"),
		"PUBLIC": "mysql://u:p4ssw0rd@192.0.2.1/db?tls=false",
	})
	q := func(name string) args {
		return args{"query": "SHOW STATUS LIKE 'Ssl_cipher'", "connection": name}
	}
	for name, want := range map[string]bool{"TLS": true, "PLAIN": false} {
		if cipher := rows(t, k.must("query_mysql", q(name)))[0].([]any)[1]; (cipher != "") != want {
			t.Errorf("%s: cipher %q", name, cipher)
		}
	}
	k.fails("query_mysql", q("WRONG"), "denied", "1045")
	k.fails("query_mysql", q("CLOSED"), "unreachable", "refused")
	k.fails("query_mysql", q("VERIFY"), "unreachable", "certificate")
	k.fails("query_mysql", q("ODD"), "invalid", "ssl-mode")
	k.fails("query_mysql", q("PUBLIC"), "denied", "public network")
	k.fails("query_mysql", args{"query": "SELECT 1"}, "not_found", "MYSQL_URL")
}

func mysqlLimits(t *testing.T, k *kit) {
	k.Limits.Rows, k.Limits.Body, k.Limits.Object, k.Limits.Time = 10, 100, 1000, 2*time.Second
	for _, limit := range []string{"", " LIMIT 100000000"} { // the server's own limit does not hold for the second
		out := k.must("query_mysql", args{"query": "SELECT seq FROM seq_1_to_100000000" + limit})
		if out["row_count"] != 10.0 || out["truncated"] != true {
			t.Errorf("%v", out)
		}
	}
	out := k.must("query_mysql", args{"query": "SELECT REPEAT('word ', 10000)"})
	if len(first(t, out).(string)) > 150 || out["truncated"] != true {
		t.Errorf("a long cell: %v", out)
	}
	k.Limits.Time = 500 * time.Millisecond
	k.fails("query_mysql", args{"query": "SELECT count(*) FROM seq_1_to_100000000 a, seq_1_to_100000000 b"}, "timeout")
	k.must("query_mysql", args{"query": "SELECT 1"})
}
