package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestVaultScripts types commands in Vault's form with the real program against a small server.
func TestVaultScripts(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"GET /v1/sys/seal-status":                   `{"type":"shamir","initialized":true,"sealed":true,"t":3,"n":5}`,
		"GET /v1/sys/leader":                        `{"ha_enabled":false}`,
		"GET /v1/sys/audit":                         `{"data":{"file/":{"type":"file","description":"all"}}}`,
		"GET /v1/sys/mounts":                        `{"data":{"secret/":{"type":"kv","accessor":"kv_1","description":"x"}}}`,
		"GET /v1/sys/internal/ui/mounts/secret/app": `{"data":{"path":"secret/","options":{"version":"2"}}}`,
		"GET /v1/secret/data/app":                   `{"data":{"data":{"password":"from the server"},"metadata":{"version":1}}}`,
		"GET /v1/auth/token/lookup-self":            `{"data":{"id":"s.1","policies":["root"],"ttl":0}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusForbidden)
			answer = `{"errors":["permission denied"]}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/vault",
		Setup: func(e *testscript.Env) error {
			e.Setenv("SERVER", server.URL)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("USERPROFILE", e.WorkDir)
			e.Setenv("ZVAULT_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("USER", "tester")
			e.Setenv("CI", "")
			e.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
			e.Setenv("VAULT_ADDR", "")
			e.Setenv("VAULT_TOKEN", "")
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": wantStatus},
	})
}
