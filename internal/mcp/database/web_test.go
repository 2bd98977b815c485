package database_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// fake is an HTTP server that answers as a function says, and its URL with a user and a password.
func fake(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(t.Context(), cancel)() // no handler outlives the test
		answer(w, r.WithContext(ctx))
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http://", "http://reader:p4ss%2Fw0rd@", 1)
}

// TestClickHouse stands on ClickHouse's documentation of its HTTP interface ("HTTP Interface", "Formats", "Permissions for
// Queries"): no current server can be had where this is tested, so the requests and answers here are those described there.
func TestClickHouse(t *testing.T) {
	t.Parallel()
	k := newKit(t, map[string]string{"VALUE": "v4lue"})
	var asked url.Values
	var body string
	answer := func(w http.ResponseWriter) {
		w.Header().Set("X-ClickHouse-Format", "JSONCompactEachRowWithNamesAndTypes")
		_, _ = io.WriteString(w, `["a","b","c"]`+"\n"+`["UInt64","Nullable(String)","Array(Int8)"]`+"\n"+`["18446744073709551615",null,[1,2]]`+"\n"+`["2","ü",[]]`+"\n")
	}
	tooltest.Set(t, k.Call, map[string]string{"CLICKHOUSE_URL": fake(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("X-ClickHouse-User") != "reader" || r.Header.Get("X-ClickHouse-Key") != "p4ss/w0rd" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		answer(w)
	}) + "/shop"})
	out := k.must("query_clickhouse", args{"query": "SELECT {v:String}", "parameters": args{"v": "zvault://VALUE"}})
	wantRows := []any{[]any{"18446744073709551615", nil, []any{1.0, 2.0}}, []any{"2", "ü", []any{}}}
	if !reflect.DeepEqual(out["rows"], wantRows) || !reflect.DeepEqual(out["columns"].([]any)[1], args{"name": "b", "type": "Nullable(String)"}) {
		t.Errorf("%v", out)
	}
	for name, want := range map[string]string{"readonly": "1", "database": "shop", "param_v": "v4lue", "max_result_rows": "501", "max_execution_time": "27", "result_overflow_mode": "break"} {
		if asked.Get(name) != want {
			t.Errorf("%s=%q, want %q", name, asked.Get(name), want)
		}
	}
	if body != "SELECT {v:String}" {
		t.Errorf("the body is %q", body)
	}
	if use := tooltest.GateOf(k.Call).Last(); !reflect.DeepEqual(use.Secrets, []string{"CLICKHOUSE_URL", "VALUE"}) || use.Method != "READ" || use.Path != "/shop" {
		t.Errorf("%+v", use)
	}
	k.must("query_clickhouse", args{"query": "INSERT INTO t VALUES (1)", "allow_write": true})
	if asked.Has("readonly") {
		t.Error("readonly is set for a write")
	}
	answer = func(w http.ResponseWriter) { // a login that is read-only already
		if asked.Has("readonly") || asked.Has("max_execution_time") {
			w.Header().Set("X-ClickHouse-Exception-Code", "164")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "Code: 164. DB::Exception: Cannot modify 'max_execution_time' setting in readonly mode. (READONLY)")
			return
		}
		_, _ = io.WriteString(w, "[\"x\"]\n[\"UInt8\"]\n[1]\n")
	}
	if out := k.must("query_clickhouse", args{"query": "SELECT 1"}); first(t, out) != 1.0 {
		t.Errorf("%v", out)
	}
	for code, want := range map[string]string{"164": "denied", "516": "denied", "159": "timeout", "62": "failed"} {
		answer = func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "Code: "+code+". DB::Exception: something")
		}
		k.fails("query_clickhouse", args{"query": "DROP TABLE x"}, want, "something")
	}
	answer = func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "[\"x\"]\n[\"UInt8\"]\n[1]\nCode: 159. DB::Exception: late")
	}
	k.fails("query_clickhouse", args{"query": "SELECT 1"}, "failed", "late")
	answer = func(w http.ResponseWriter) {
		w.Header().Set("X-ClickHouse-Format", "CSV")
		_, _ = io.WriteString(w, "1,2\n")
	}
	if out := k.must("query_clickhouse", args{"query": "SELECT 1,2 FORMAT CSV"}); first(t, out) != "1,2\n" {
		t.Errorf("%v", out)
	}
	k.Limits.Rows = 3
	answer = func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "[\"x\"]\n[\"UInt8\"]\n"+strings.Repeat("[1]\n", 100))
	}
	if out := k.must("query_clickhouse", args{"query": "SELECT 1"}); out["row_count"] != 3.0 || out["truncated"] != true {
		t.Errorf("%v", out)
	}
	for _, odd := range []string{"[1]\n", "[\"x\"]\n[\"a\",\"b\"]\n", "[\"x\"]\n[\"a\"]\n[1,2]\n", "{}\n", "\n", "<html>"} {
		answer = func(w http.ResponseWriter) { _, _ = io.WriteString(w, odd) }
		k.fails("query_clickhouse", args{"query": "SELECT 1"}, "failed")
	}
}

// TestMeilisearch stands on Meilisearch's API reference ("Search", "Indexes", "Errors"), as no server can be had here.
func TestMeilisearch(t *testing.T) {
	t.Parallel()
	var path, body string
	url := fake(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		path, body = r.Method+" "+r.URL.RequestURI(), string(text)
		if a := r.Header.Get("Authorization"); a != "Bearer k3y-of-meili" && a != "Bearer p4ss/w0rd" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"The provided API key is invalid.","code":"invalid_api_key"}`)
			return
		}
		if r.URL.Path == "/indexes" {
			_, _ = io.WriteString(w, `{"results":[{"uid":"films"}],"offset":0,"limit":20,"total":1}`)
			return
		}
		_, _ = io.WriteString(w, `{"hits":[{"id":1,"title":"One"},{"id":2}],"query":"one","limit":2,"offset":0,"estimatedTotalHits":7}`)
	})
	k := newKit(t, map[string]string{"MEILISEARCH_URL": url, "MEILI_KEY": "k3y-of-meili", "BAD_KEY": "wr0ng-key"})
	out := k.must("search_meilisearch", args{"index": "films", "query": "one", "filter": "id > 0", "sort": []string{"id:asc"}, "limit": 2, "key": "MEILI_KEY"})
	if hits := out["hits"].([]any); len(hits) != 2 || !reflect.DeepEqual(hits[0], args{"id": 1.0, "title": "One"}) || out["total"] != 7.0 ||
		out["truncated"] != true || !strings.Contains(out["hint"].(string), "offset 2") {
		t.Errorf("%v", out)
	}
	if path != "POST /indexes/films/search" || !strings.Contains(body, `"filter":"id \u003e 0"`) || !strings.Contains(body, `"limit":2`) {
		t.Errorf("%s %s", path, body)
	}
	if use := tooltest.GateOf(k.Call).Last(); use.In["MEILI_KEY"] != "header:authorization" || use.Path != "/indexes/films/search" || use.Method != "POST" {
		t.Errorf("%+v", use)
	}
	out = k.must("search_meilisearch", args{})
	if hits := out["hits"].([]any); len(hits) != 1 || out["truncated"] != false || !strings.HasPrefix(path, "GET /indexes?") {
		t.Errorf("%v, %s", out, path)
	}
	k.fails("search_meilisearch", args{"index": "films", "key": "BAD_KEY"}, "denied", "invalid_api_key")
	k.fails("search_meilisearch", args{"index": "films", "key": "NO_KEY"}, "not_found", "NO_KEY")
	k.fails("search_meilisearch", args{"index": "../keys"}, "invalid", "letters")
	k.fails("search_meilisearch", args{"limit": -1}, "invalid")
}

func TestRabbitMQ(t *testing.T) {
	t.Parallel()
	server := testservice.RabbitMQ(t)
	put := func(path, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+server.Address()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(server.User, server.Password)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode/100 != 2 {
			t.Fatalf("%s: status %d", path, response.StatusCode)
		}
	}
	put("/api/vhosts/a%2Fb", "{}")
	put("/api/permissions/a%2Fb/"+server.User, `{"configure":".*","write":".*","read":".*"}`)
	put("/api/queues/%2F/orders", `{"durable":true}`)
	put("/api/queues/a%2Fb/other", `{}`)
	wrong := *server
	wrong.Password = "wr0ng/pässword"
	k := newKit(t, map[string]string{
		"RABBITMQ_URL": server.URL("http", "", ""), "WRONG": wrong.URL("http", "", ""), "AMQP": server.URL("amqp", "/%2F", ""),
		"PUBLIC": "http://u:p4ssw0rd@192.0.2.1", "PRIVATE": "http://u:p4ssw0rd@10.0.0.1",
	})
	out := k.must("rabbitmq_status", args{})
	if items := out["items"].([]any); len(items) != 1 || !strings.HasPrefix(items[0].(args)["rabbitmq_version"].(string), "3.") {
		t.Errorf("%v", out)
	}
	names := func(out args) (all []string) {
		for _, item := range out["items"].([]any) {
			all = append(all, fmt.Sprint(item.(args)["name"]))
		}
		return all
	}
	if got := names(k.must("rabbitmq_status", args{"about": "queues"})); !reflect.DeepEqual(got, []string{"orders", "other"}) {
		t.Errorf("queues %q", got)
	}
	if got := names(k.must("rabbitmq_status", args{"about": "queues", "vhost": "a/b"})); !reflect.DeepEqual(got, []string{"other"}) {
		t.Errorf("queues of a/b %q", got)
	}
	for _, about := range []string{"exchanges", "bindings", "connections", "channels", "consumers", "nodes", "vhosts", "permissions", "policies"} {
		k.must("rabbitmq_status", args{"about": about})
	}
	for _, about := range []string{"exchanges", "bindings", "connections", "channels", "consumers", "permissions", "policies"} {
		k.must("rabbitmq_status", args{"about": about, "vhost": "a/b"})
	}
	k.Limits.Rows = 1
	if out := k.must("rabbitmq_status", args{"about": "queues"}); len(out["items"].([]any)) != 1 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "2 in all") {
		t.Errorf("%v", out)
	}
	k.fails("rabbitmq_status", args{"about": "definitions"}, "invalid", "queues")
	k.fails("rabbitmq_status", args{"about": "nodes", "vhost": "/"}, "invalid", "virtual host")
	k.fails("rabbitmq_status", args{"connection": "WRONG"}, "denied", "401")
	k.fails("rabbitmq_status", args{"connection": "AMQP"}, "unreachable") // nobody listens on the port that it means
	if use := tooltest.GateOf(k.Call).Last(); use.Port != 15672 {
		t.Errorf("%+v", use)
	}
	k.fails("rabbitmq_status", args{"connection": "PUBLIC"}, "denied", "plain HTTP")
	k.fails("rabbitmq_status", args{"connection": "PRIVATE"}, "denied", "plain HTTP")
}

// TestWeb_Hostile lets servers do what they should not.
func TestWeb_Hostile(t *testing.T) {
	t.Parallel()
	elsewhere := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, "denied"},
		"gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte{31, 139})
		}, "failed"},
		"stall": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout"},
		"drip": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "["); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			}
		}, ""},
		"headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "unreachable"},
		"echo": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString([]byte("p4ss/w0rd")))
		}, "failed"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "x")
		}, "unreachable"},
		"empty": {func(http.ResponseWriter, *http.Request) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := fake(t, c.answer)
			k := newKit(t, map[string]string{"CLICKHOUSE_URL": url, "MEILISEARCH_URL": url, "RABBITMQ_URL": url})
			k.Limits.Time = 500 * time.Millisecond
			if name == "headers" {
				k.Limits.Time = 5 * time.Second
			}
			for tool, a := range map[string]args{"query_clickhouse": {"query": "SELECT 1"}, "search_meilisearch": {}, "rabbitmq_status": {}} {
				out, err := k.run(tool, a)
				if c.code == "" && tool == "query_clickhouse" { // nothing is a good answer of it
					continue
				}
				if err == nil || c.code != "" && tooltest.Code(err) != c.code {
					t.Errorf("%s: %v, %q (%v), want %s", tool, out, tooltest.Code(err), err, c.code)
				}
			}
		})
	}
}
