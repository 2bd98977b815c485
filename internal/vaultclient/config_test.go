package vaultclient_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func number(s string) json.Number { return json.Number(s) }

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  map[string]string
		want vaultclient.Config
	}{
		{"nothing", nil, vaultclient.Config{Address: "http://127.0.0.1:8200"}},
		{"ours", map[string]string{"ZVAULT_ADDR": "http://z", "ZVAULT_TOKEN": "zt"}, vaultclient.Config{Address: "http://z", Token: "zt"}},
		{
			"Vault's go first", map[string]string{"ZVAULT_ADDR": "http://z", "ZVAULT_TOKEN": "zt", "VAULT_ADDR": "http://v", "VAULT_TOKEN": "vt"},
			vaultclient.Config{Address: "http://v", Token: "vt"},
		},
		{"an agent", map[string]string{"VAULT_ADDR": "http://v", "VAULT_AGENT_ADDR": "http://a"}, vaultclient.Config{Address: "http://a"}},
		{
			"all", map[string]string{
				"VAULT_ADDR": "https://v", "VAULT_NAMESPACE": "n", "VAULT_WRAP_TTL": "5m", "VAULT_MFA": "m", "VAULT_CACERT": "ca", "VAULT_CACERT_BYTES": "pem",
				"VAULT_CAPATH": "dir", "VAULT_CLIENT_CERT": "cert", "VAULT_CLIENT_KEY": "key", "VAULT_TLS_SERVER_NAME": "name", "VAULT_SKIP_VERIFY": "true",
				"VAULT_DISABLE_REDIRECTS": "1", "VAULT_MAX_RETRIES": "4", "VAULT_CLIENT_TIMEOUT": "90",
			},
			vaultclient.Config{
				Address: "https://v", Namespace: "n", WrapTTL: "5m", MFA: []string{"m"}, NoRedirects: true, MaxRetries: 4, Timeout: 90 * time.Second,
				TLS: vaultclient.TLS{CACert: "ca", CAPEM: "pem", CAPath: "dir", ClientCert: "cert", ClientKey: "key", ServerName: "name", SkipVerify: true},
			},
		},
	} {
		got, err := vaultclient.FromEnvironment(func(name string) string { return c.env[name] })
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
	for _, name := range []string{"VAULT_SKIP_VERIFY", "VAULT_DISABLE_REDIRECTS", "VAULT_MAX_RETRIES", "VAULT_CLIENT_TIMEOUT"} {
		if _, err := vaultclient.FromEnvironment(func(n string) string { return map[string]string{name: "-maybe"}[n] }); err == nil {
			t.Errorf("%s took nonsense", name)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30": 30 * time.Second, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "0": 0, "-1": -time.Second, " 5m ": 5 * time.Minute,
		"500ms": 500 * time.Millisecond,
	} {
		if got, err := vaultclient.ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "x", "1.5", "5 m", "9223372036854775807", "200000d"} {
		if got, err := vaultclient.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %s", text, got)
		}
	}
}

func TestTokenFile(t *testing.T) {
	t.Parallel()
	f := vaultclient.TokenFile{Path: filepath.Join(t.TempDir(), ".vault-token")}
	if token, err := f.Load(); token != "" || err != nil {
		t.Errorf("Load of no file = %q, %v", token, err)
	}
	if err := os.WriteFile(f.Path, []byte("s.old\n"), 0o644); err != nil { //nolint:gosec // as others may have left it
		t.Fatal(err)
	}
	if token, err := f.Load(); token != "s.old" || err != nil {
		t.Errorf("Load = %q, %v", token, err)
	}
	if err := f.Store("s.new"); err != nil {
		t.Fatal(err)
	}
	if token, err := f.Load(); token != "s.new" || err != nil {
		t.Errorf("Load = %q, %v", token, err)
	}
	info, err := os.Stat(f.Path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left: %v", len(entries), err)
	}
	if err := (vaultclient.TokenFile{Path: filepath.Join(f.Path, "below", "a-file")}).Store("s"); err == nil {
		t.Error("a token was stored where there is no folder")
	}
	if _, err := (vaultclient.TokenFile{Path: filepath.Dir(f.Path)}).Load(); err == nil {
		t.Error("a folder was read as a token")
	}
}
