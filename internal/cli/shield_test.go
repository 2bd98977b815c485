package cli

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The real command: the server gets the value, the program gets it neither from its environment nor from the answer, and each
// use and refusal is in the audit log.
func TestShield(t *testing.T) {
	t.Parallel()
	value := "sk_live_" + strings.Repeat("Zx9Q", 6)
	got := make(chan string, 8)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
		_, _ = w.Write([]byte("hello " + r.Header.Get("Authorization") + "\n"))
	}))
	t.Cleanup(s.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	v := newVault(t)
	v.must(t, value, "secret", "set", "TOKEN")
	run := func(script string, flags ...string) (out string, ok bool) {
		args := append(append([]string{"shield"}, flags...), "--", "sh", "-c", script, "sh", s.URL)
		cmd := v.command("", args...)
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+roots)
		b, err := cmd.CombinedOutput()
		if strings.Contains(string(b), value) {
			t.Error("the value was printed")
		}
		return string(b), err == nil
	}
	const ask = `curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" "$1/a?b=c"; env | grep ^TOKEN=`
	host := strings.TrimPrefix(s.URL, "https://")
	out, ok := run(ask, "-q", "--agent", "helper", "--allow", "TOKEN="+host)
	holder := ""
	for line := range strings.Lines(out) {
		if h, found := strings.CutPrefix(line, "TOKEN="); found {
			holder = strings.TrimSpace(h)
		}
	}
	if want := "hello Bearer " + holder + "\n"; !ok || len(holder) != len(value) || !strings.HasPrefix(out, want) {
		t.Fatalf("it printed %q; want %q", out, want)
	}
	if sent := <-got; sent != "Bearer "+value {
		t.Error("the server did not get the value")
	}
	// A rule for another method: the request does not leave.
	out, _ = run(ask, "--allow", "TOKEN="+host+";methods=POST")
	if len(got) > 0 || !strings.Contains(out, `"secret":"TOKEN"`) || !strings.Contains(out, "shield: stopped 1 request") {
		t.Errorf("%d arrived; it printed %q", len(got), out)
	}
	// The rule that a person gave the secret counts too.
	v.must(t, "", "secret", "allow", "TOKEN", "--host", host, "--tool", "shield", "--yes")
	if out, ok = run(ask, "-q"); !ok || !strings.Contains(out, "hello Bearer") {
		t.Errorf("by the stored rule it printed %q", out)
	}
	log := v.must(t, "", "audit", "list", "--json")
	for _, want := range []string{"/helper", "header:authorization of GET https://127.0.0.1:", "secret.use", "the rules of TOKEN do not permit"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %q", want)
		}
	}
	if strings.Contains(log, value) || strings.Contains(log, holder) {
		t.Error("the audit log has the value, or a placeholder")
	}
}
