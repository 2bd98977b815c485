package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

func TestGoClient_Quota(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	write := func(path string, data map[string]any) error {
		_, err := c.Logical().Write(path, data)
		return err
	}
	for path, data := range map[string]map[string]any{
		"sys/quotas/rate-limit/all": {"rate": 1000},
		"sys/quotas/rate-limit/kv":  {"rate": "2", "interval": "1h", "path": "secret/data/limited"},
		"sys/quotas/config":         {"enable_rate_limit_response_headers": true, "rate_limit_exempt_paths": []string{"sys/health", "secret/metadata/*"}},
	} {
		if err := write(path, data); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, write("sys/quotas/rate-limit/kv", map[string]any{"rate": -1}), http.StatusBadRequest, "must be positive")
	refused(t, write("sys/quotas/rate-limit/two", map[string]any{"rate": 5}), http.StatusBadRequest, "similar properties exists under the name")
	refused(t, write("sys/quotas/rate-limit/no", map[string]any{"rate": 5, "path": "nowhere"}), http.StatusBadRequest, "invalid mount path")
	got := must(c.Logical().Read("sys/quotas/rate-limit/kv"))(t)
	if got.Data["path"] != "secret/data/limited" || got.Data["interval"].(interface{ String() string }).String() != "3600" {
		t.Errorf("the rule reads as %v", got.Data)
	}
	list := must(c.Logical().List("sys/quotas/rate-limit"))(t)
	if n := len(list.Data["keys"].([]any)); n != 2 {
		t.Errorf("%d rules are listed", n)
	}
	for range 2 {
		if _, err := c.Logical().Read("secret/data/limited"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Logical().Read("secret/data/limited")
	refused(t, err, http.StatusTooManyRequests, `request path "secret/data/limited": rate limit quota exceeded`)
	if _, err = c.Logical().Read("secret/data/other"); err != nil {
		t.Errorf("the rule reaches beyond its path: %v", err)
	}
	if _, err = c.Logical().Read("secret/metadata/limited"); err != nil {
		t.Errorf("an exempt path is limited: %v", err)
	}
	answer := get(t, s, "secret/data/limited")
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" || answer.Header.Get("X-Ratelimit-Limit") != "2" {
		t.Errorf("status %d, headers %v", answer.StatusCode, answer.Header)
	}
	if _, err = c.Logical().Delete("sys/quotas/rate-limit/kv"); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Logical().Read("secret/data/limited"); err != nil {
		t.Errorf("a deleted rule still holds: %v", err)
	}
}

// get asks with the root token, for what the Go client does not show.
func get(t *testing.T, s *servertest.Server, path string, headers ...string) *http.Response {
	t.Helper()
	return send(t, s, http.MethodGet, path, headers...)
}

func send(t *testing.T, s *servertest.Server, method, path string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Vault-Token", s.Token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestGoClient_Lockout(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().EnableAuthWithOptions("userpass", &api.EnableAuthOptions{Type: "userpass"}); err != nil {
		t.Fatal(err)
	}
	tune := api.MountConfigInput{UserLockoutConfig: &api.UserLockoutConfigInput{LockoutThreshold: "3", LockoutDuration: "1h", LockoutCounterResetDuration: "1h"}}
	if err := c.Sys().TuneMount("auth/userpass", tune); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Logical().Write("auth/userpass/users/ann", map[string]any{"password": "correct horse"}); err != nil {
		t.Fatal(err)
	}
	login := func(name, password string) error {
		_, err := client(t, s, "").Logical().Write("auth/userpass/login/"+name, map[string]any{"password": password})
		return err
	}
	for range 2 {
		refused(t, login("ann", "wrong"), http.StatusBadRequest, "invalid username or password")
	}
	if err := login("ann", "correct horse"); err != nil {
		t.Fatalf("two wrong passwords lock already: %v", err)
	}
	for range 3 { // the right one has set the count back
		refused(t, login("Ann", "wrong"), http.StatusBadRequest, "invalid username or password")
	}
	refused(t, login("ann", "correct horse"), http.StatusForbidden, "permission denied")
	auths := must(c.Sys().ListAuth())(t)
	accessor := auths["userpass/"].Accessor
	locked := must(c.Logical().Read("sys/locked-users"))(t)
	if text := locked.Data["total"].(interface{ String() string }).String(); text != "1" {
		t.Errorf("%s are locked: %v", text, locked.Data)
	}
	if _, err := c.Logical().Write("sys/locked-users/"+accessor+"/unlock/ann", nil); err != nil {
		t.Fatal(err)
	}
	if err := login("ann", "correct horse"); err != nil {
		t.Errorf("after unlocking: %v", err)
	}
	tune.UserLockoutConfig.DisableLockout = new(true)
	if err := c.Sys().TuneMount("auth/userpass", tune); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		refused(t, login("ann", "wrong"), http.StatusBadRequest, "invalid username or password")
	}
	if err := login("ann", "correct horse"); err != nil {
		t.Errorf("lockout was disabled: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	must(c.KVv2("secret").Put(t.Context(), "a-telling-name", map[string]any{"password": "x"}))(t)
	for _, path := range []string{"/v1/sys/metrics?format=prometheus", "/metrics"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.Token)
		answer := must(http.DefaultClient.Do(r))(t)
		text := string(must(io.ReadAll(answer.Body))(t))
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"vault_core_unsealed 1\n", `vault_core_requests_total{operation="update",status="2xx"} 1`} {
			if answer.StatusCode != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%s answers %d without %q", path, answer.StatusCode, want)
			}
		}
		if strings.Contains(text, "a-telling-name") {
			t.Error("the metrics name a secret")
		}
	}
	answer := must(http.Get(s.URL + "/metrics"))(t)
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d, %v", answer.StatusCode, err)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	const origin = "https://app.example.com"
	preflight := func() *http.Response {
		return send(t, s, http.MethodOptions, "secret/data/x", "Origin", origin, "Access-Control-Request-Method", "LIST")
	}
	if a := preflight(); a.StatusCode != http.StatusForbidden || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("nothing is set up, yet a preflight gets %d %v", a.StatusCode, a.Header)
	}
	c := client(t, s, s.Token)
	_, err := c.Logical().Write("sys/config/cors", map[string]any{"allowed_origins": "app.example.com"})
	refused(t, err, http.StatusBadRequest, "is no origin")
	if _, err = c.Logical().Write("sys/config/cors", map[string]any{"allowed_origins": origin, "allowed_headers": "X-Own"}); err != nil {
		t.Fatal(err)
	}
	a := preflight()
	if a.StatusCode != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != origin ||
		!strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "X-Own") || !strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), "LIST") {
		t.Errorf("a preflight gets %d %v", a.StatusCode, a.Header)
	}
	if a := get(t, s, "sys/mounts", "Origin", origin); a.StatusCode != http.StatusOK || a.Header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("a request gets %d %v", a.StatusCode, a.Header)
	}
	if a := get(t, s, "sys/mounts", "Origin", "https://evil.example.com"); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin is let in")
	}
	if _, err := c.Logical().Delete("sys/config/cors"); err != nil {
		t.Fatal(err)
	}
	if a := preflight(); a.StatusCode != http.StatusForbidden {
		t.Errorf("after deleting: %d", a.StatusCode)
	}
}
