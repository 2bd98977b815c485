package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// TestHostile sends what no honest client would: each gets an error of Vault's shape, and never a 500.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	for _, c := range []struct {
		name, method, path, body string
		token                    string
		want                     int
		text                     string
	}{
		{"no token", "GET", "/v1/secret/data/a", "", "", 403, "permission denied"},
		{"forged token", "GET", "/v1/secret/data/a", "", "zvr_forged", 403, "permission denied"},
		{"forged batch token", "GET", "/v1/secret/data/a", "", "zvb_AAAA", 403, "permission denied"},
		{"token with a slash", "GET", "/v1/secret/data/a", "", "../../x", 403, "permission denied"},
		{"broken JSON", "POST", "/v1/secret/data/a", "{", "root", 400, "error parsing JSON"},
		{"an array", "POST", "/v1/secret/data/a", "[]", "root", 400, "error parsing JSON"},
		{"two values", "POST", "/v1/secret/data/a", "{}{}", "root", 400, "error parsing JSON"},
		{"duplicate names", "POST", "/v1/secret/data/a", `{"data":{},"data":{}}`, "root", 400, "given twice"},
		{"duplicate names by escape", "POST", "/v1/secret/data/a", `{"data":{"a":1,"\u0061":2}}`, "root", 400, "given twice"},
		{"deep", "POST", "/v1/secret/data/a", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "root", 400, "deeper than 64"},
		{"half a surrogate", "POST", "/v1/secret/data/a", `{"a":"\ud800"}`, "root", 400, "error parsing JSON"},
		{"bytes that are not text", "POST", "/v1/secret/data/a", "{\"a\":\"\xff\"}", "root", 400, "error parsing JSON"},
		{"parent references", "GET", "/v1/secret/data/../../sys/mounts", "", "root", 400, "parent references"},
		{"encoded parent references", "GET", "/v1/secret/data/%2e%2e/x", "", "root", 400, "parent references"},
		{"NUL", "GET", "/v1/secret/data/a%00b", "", "root", 400, "non-printable"},
		{"line feed", "GET", "/v1/secret/data/a%0ab", "", "root", 400, "non-printable"},
		{"unknown mount", "GET", "/v1/none/a", "", "root", 404, "no handler for route"},
		{"unknown mount without a token", "GET", "/v1/none/a", "", "", 403, "permission denied"},
		{"unknown path of sys", "GET", "/v1/sys/none", "", "root", 404, "unsupported path"},
		{"unknown method", "FOO", "/v1/secret/data/a", "", "root", 405, ""},
		{"patch without its type", "PATCH", "/v1/secret/data/a", "{}", "root", 415, "application/merge-patch+json"},
		{"a long path", "POST", "/v1/secret/data/" + strings.Repeat("a", 5000), `{"data":{}}`, "root", 413, "too large"},
		{"bad wrapping time", "GET", "/v1/sys/mounts", "", "root wrap", 400, "X-Vault-Wrap-TTL"},
		{"empty path", "GET", "/v1/", "", "root", 404, "no handler"},
		{"outside", "GET", "/nothing", "", "", 404, ""},
		{"wrong type of field", "POST", "/v1/auth/token/create", `{"ttl":{"a":1}}`, "root", 400, "ttl"},
		{"negative ttl", "POST", "/v1/auth/token/create", `{"ttl":"-5m"}`, "root", 400, "positive"},
		{"unseal without a key", "PUT", "/v1/sys/unseal", `{}`, "", 400, "'key' must be specified"},
		{"health code that is none", "GET", "/v1/sys/health?activecode=9999", "", "", 400, "bad status code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			token, wrap := strings.CutSuffix(c.token, " wrap")
			if token == "root" {
				token = s.Token
			}
			r.Header.Set("X-Vault-Token", token)
			if wrap {
				r.Header.Set("X-Vault-Wrap-TTL", "soon")
			}
			resp, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			raw, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var body struct{ Errors []string }
			if err := json.Unmarshal(raw, &body); err != nil || body.Errors == nil {
				t.Errorf("the body %q is no error of Vault's shape: %v", raw, err)
			}
			if resp.StatusCode != c.want || !strings.Contains(fmt.Sprint(body.Errors), c.text) {
				t.Errorf("got %d %q, want %d with %q", resp.StatusCode, body.Errors, c.want, c.text)
			}
		})
	}
}

// TestBody_TooLarge requires that a body above the limit is refused before it is read, and one without a length as well.
func TestBody_TooLarge(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	for name, length := range map[string]int64{"announced": 64 << 20, "chunked": -1} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/secret/data/a", io.LimitReader(zeros{}, 64<<20))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header.Set("X-Vault-Token", s.Token)
		resp, err := s.Client().Do(r)
		if err != nil { // the server may close while the client still writes
			if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// FuzzParseObject holds the body parser to encoding/json: what it takes means the same there.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1.5e3,"b":[true,null,"\u00e9\n"]}`, `{"a":{"a":"\ud83d\ude00"}}`, `{"a":-0}`, `{"a":01}`, ` {"":""} `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := server.ParseObject(b)
		if err != nil {
			return
		}
		var want map[string]any
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q is taken, and encoding/json refuses it: %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v, encoding/json has %v", b, got, want)
		}
	})
}
