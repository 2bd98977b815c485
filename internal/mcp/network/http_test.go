package network_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"crypto/x509"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/network"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const key = `sk_live_k3nQ9vTzL0aXw7RbY2mD&="`

func tools(t *testing.T) []tool.Tool {
	t.Helper()
	all, err := network.Tools()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// service is a TLS server, and a call that trusts it.
func service(t *testing.T, h http.HandlerFunc) (*httptest.Server, *tool.Call) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	c := tooltest.New(t, map[string]string{"API_KEY": key})
	c.Roots = x509.NewCertPool()
	c.Roots.AddCert(s.Certificate())
	return s, c
}

// hidden requires that nothing of the value is in a result once the server's funnel has masked it.
func hidden(t *testing.T, result any) string {
	t.Helper()
	m, err := redact.New([]redact.Secret{{Name: "API_KEY", Value: secret.Of(key)}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var masked any
	if err := json.Unmarshal(m.Bytes(text), &masked); err != nil {
		masked = string(m.Bytes(text))
	}
	shown := fmt.Sprint(masked)
	redact.Forms(secret.Of(key), func(e redact.Encoding, form []byte) {
		if e != redact.Line && strings.Contains(shown, string(form)) {
			t.Errorf("the value is in the result as %s", e)
		}
	})
	return string(text)
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var sent string
	s, c := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what broke off shows below
		got, sent = r, string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	result, err := tooltest.Run(t.Context(), t, tools(t), "http_request", c, map[string]any{
		"method": "post", "url": s.URL + "/v1/${zvault://API_KEY}/x?a=${zvault://API_KEY}", "query": map[string]string{"b": "zvault://API_KEY", "c": "1&2"},
		"headers": map[string]string{"Authorization": "Bearer ${zvault://API_KEY}", "X-Plain": "p"}, "body": `key=${zvault://API_KEY}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.URL.EscapedPath() != "/v1/"+url.PathEscape(key)+"/x" || got.Header.Get("Authorization") != "Bearer "+key || sent != "key="+key {
		t.Error("the server did not get what was asked for")
	}
	if q := got.URL.Query(); q.Get("a") != key || q.Get("b") != key || q.Get("c") != "1&2" {
		t.Error("the query arrived otherwise")
	}
	if result["status"] != float64(200) || result["body"] != `{"ok":true}` {
		t.Errorf("result: %v", result)
	}
	u := tooltest.GateOf(c).Last()
	if u.Tool != "http_request" || u.Method != "POST" || u.Host != "127.0.0.1" || u.Path != "/v1/${zvault://API_KEY}/x" || len(u.Secrets) != 1 ||
		!strings.Contains(u.In["API_KEY"], "header:authorization") || !strings.Contains(u.In["API_KEY"], "query:b") || !strings.Contains(u.In["API_KEY"], "body") || !strings.Contains(u.In["API_KEY"], "path") {
		t.Errorf("the gate was asked about %+v", u)
	}
}

func TestHTTPRequest_Refused(t *testing.T) {
	t.Parallel()
	calls := 0
	s, c := service(t, func(http.ResponseWriter, *http.Request) { calls++ })
	plain := strings.Replace(s.URL, "https://127.0.0.1", "http://192.0.2.1", 1)
	auth := map[string]string{"Authorization": "${zvault://API_KEY}"}
	for name, x := range map[string]struct {
		args map[string]any
		code string
	}{
		"no URL":          {map[string]any{"url": "nothing"}, "invalid"},
		"secret as host":  {map[string]any{"url": "https://${zvault://API_KEY}/"}, "invalid"},
		"user in URL":     {map[string]any{"url": strings.Replace(s.URL, "https://", "https://a:b@", 1)}, "invalid"},
		"line break":      {map[string]any{"url": s.URL, "headers": map[string]string{"X": "a\r\nY: b"}}, "invalid"},
		"own host header": {map[string]any{"url": s.URL, "headers": map[string]string{"Host": "evil.example"}}, "invalid"},
		"plain HTTP":      {map[string]any{"url": plain, "headers": auth}, "denied"},
		"metadata":        {map[string]any{"url": "http://169.254.169.254/latest"}, "denied"},
		"unknown secret":  {map[string]any{"url": s.URL, "headers": map[string]string{"A": "${zvault://NONE}"}}, ""},
		"other project":   {map[string]any{"url": s.URL, "headers": map[string]string{"A": "${zvault://other/KEY}"}}, "invalid"},
		"bad method":      {map[string]any{"url": s.URL, "method": "GET /x HTTP/1.1\r\nA:"}, "invalid"},
		"file":            {map[string]any{"url": "file:///etc/passwd"}, "invalid"},
	} {
		_, err := tooltest.Run(t.Context(), t, tools(t), "http_request", c, x.args)
		if err == nil || x.code != "" && tooltest.Code(err) != x.code {
			t.Errorf("%s: %v (%s), want %s", name, err, tooltest.Code(err), x.code)
		} else if strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error holds the value", name)
		}
	}
	tooltest.GateOf(c).Deny("no rule permits it")
	if _, err := tooltest.Run(t.Context(), t, tools(t), "http_request", c, map[string]any{"url": s.URL, "headers": auth}); err == nil {
		t.Error("a denied use is sent")
	}
	if calls != 0 {
		t.Errorf("%d refused requests were sent", calls)
	}
}

// A server that means harm sends the value back in many ways, redirects, and does not stop.
func TestHTTPRequest_Hostile(t *testing.T) {
	t.Parallel()
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the credential went to another host")
		}
	}))
	t.Cleanup(other.Close)
	s, c := service(t, func(w http.ResponseWriter, r *http.Request) {
		v := r.Header.Get("Authorization")
		flush := func() { w.(http.Flusher).Flush() }
		switch r.URL.Path {
		case "/plain":
			_, _ = io.WriteString(w, v)
		case "/base64":
			_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString([]byte(v)))
		case "/hex":
			_, _ = io.WriteString(w, hex.EncodeToString([]byte(v)))
		case "/split":
			for i := range v {
				_, _ = io.WriteString(w, v[i:i+1])
				flush()
			}
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, v)
			_ = z.Close()
		case "/header":
			w.Header().Set("Link", v)
			w.Header().Set("X-RateLimit-Note", url.QueryEscape(v))
		case "/border": // the value begins just before the end of what is shown
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000-10)+v)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			zeros := strings.Repeat("0", 1<<20)
			for range 200 {
				if _, err := io.WriteString(z, zeros); err != nil {
					return
				}
			}
			_ = z.Close()
		case "/elsewhere":
			http.Redirect(w, r, other.URL+"/"+url.PathEscape(v), http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/down":
			http.Redirect(w, r, strings.Replace("http://"+r.Host, "https", "http", 1), http.StatusFound)
		case "/text":
			http.Error(w, "bad key "+v, http.StatusUnauthorized)
		}
	})
	for _, path := range []string{"plain", "base64", "hex", "split", "gzip", "header", "border", "endless", "bomb", "text"} {
		result, err := tooltest.Run(t.Context(), t, tools(t), "http_request", c, map[string]any{
			"url": s.URL + "/" + path, "headers": map[string]string{"Authorization": "${zvault://API_KEY}"},
		})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		text := hidden(t, result)
		if path == "border" && strings.Contains(text, key[:8]) {
			t.Error("border: the beginning of the value is shown")
		}
		if cut := path == "border" || path == "endless" || path == "bomb"; cut != (result["truncated"] == true) {
			t.Errorf("%s: truncated is %v", path, result["truncated"])
		}
	}
	for path, code := range map[string]string{"elsewhere": "denied", "loop": "failed", "down": "denied"} {
		_, err := tooltest.Run(t.Context(), t, tools(t), "http_request", c, map[string]any{
			"url": s.URL + "/" + path, "headers": map[string]string{"Authorization": "${zvault://API_KEY}"},
		})
		if tooltest.Code(err) != code || strings.Contains(err.Error(), "sk_live") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestGraphQL(t *testing.T) {
	t.Parallel()
	s, c := service(t, func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query     string
			Variables map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Variables["key"] != key || q.Query != "query($key: String){me}" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"me":1}}`)
	})
	result, err := tooltest.Run(t.Context(), t, tools(t), "graphql_query", c, map[string]any{
		"url": s.URL, "query": "query($key: String){me}", "variables": map[string]string{"key": "${zvault://API_KEY}"},
	})
	if err != nil || result["body"] != `{"data":{"me":1}}` {
		t.Errorf("%v, %v", result, err)
	}
}

func TestCheckService(t *testing.T) {
	t.Parallel()
	s, c := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	address := strings.TrimPrefix(s.URL, "https://")
	for target, up := range map[string]bool{s.URL: true, s.URL + "/broken": false, address: true, "127.0.0.1:1": false} {
		result, err := tooltest.Run(t.Context(), t, tools(t), "check_service", c, map[string]any{"address": target})
		if err != nil || result["up"] != up {
			t.Errorf("%s: %v, %v", target, result, err)
		}
	}
	if _, err := tooltest.Run(t.Context(), t, tools(t), "check_service", c, map[string]any{"address": "169.254.169.254:80"}); tooltest.Code(err) != "denied" {
		t.Errorf("the metadata service: %v", err)
	}
}
