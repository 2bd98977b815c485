package authority_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/shield/authority"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// verify checks the certificate for a host as a client does that trusts the authority.
func verify(t *testing.T, a *authority.Authority, host string) error {
	t.Helper()
	c, err := a.Certificate(host)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("no certificate in the PEM")
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: noon})
	return err
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	scoped := authority.Scope{Domains: []string{"example.com"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct {
		name  string
		scope authority.Scope
		host  string
		fine  bool
	}{
		{"free, a name", authority.Scope{}, "anything.test", true},
		{"free, an address", authority.Scope{}, "127.0.0.1", true},
		{"the name", scoped, "example.com", true},
		{"below the name", scoped, "a.b.example.com", true},
		{"another name", scoped, "example.org", false},
		{"an address of the network", scoped, "10.9.8.7", true},
		{"another address", scoped, "11.9.8.7", false},
		{"names only, an address", authority.Scope{Domains: []string{"example.com"}}, "10.9.8.7", false},
		{"names only, IPv6", authority.Scope{Domains: []string{"example.com"}}, "2001:db8::1", false},
		{"addresses only, a name", authority.Scope{Networks: scoped.Networks}, "example.com", false},
	} {
		a, err := authority.New(c.scope, clock)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, a, c.host); (err == nil) != c.fine {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCertificate_Kept(t *testing.T) {
	t.Parallel()
	a, err := authority.New(authority.Scope{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	one, err := a.Certificate("example.com")
	if err != nil {
		t.Fatal(err)
	}
	two, err := a.Certificate("example.com")
	if err != nil || one != two {
		t.Errorf("the certificate was made twice: %v", err)
	}
	other, err := authority.New(authority.Scope{}, clock)
	if err != nil || bytes.Equal(a.DER(), other.DER()) {
		t.Errorf("two runs have the same authority: %v", err)
	}
}

// install writes an installation for a person whose system trusts a file of its own.
func install(t *testing.T, a *authority.Authority, env map[string]string) (*authority.Installation, map[string]string) {
	t.Helper()
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("zvault", "pass"), Host: "127.0.0.1:1234"}
	i, err := authority.Install(a, proxy, t.TempDir(), func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for _, v := range i.Variables {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	return i, set
}

func TestInstall(t *testing.T) {
	t.Parallel()
	a, err := authority.New(authority.Scope{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	own, err := authority.New(authority.Scope{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(trusted, own.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".wgetrc"), []byte("tries = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	i, set := install(t, a, map[string]string{"NODE_EXTRA_CA_CERTS": trusted, "SSL_CERT_FILE": "/does/not/exist", "HOME": home, "NODE_OPTIONS": "--trace-warnings", "JAVA_TOOL_OPTIONS": "-Dx=y"})
	info, err := os.Stat(i.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(i.Dir)
	if err != nil || len(entries) < 4 {
		t.Fatalf("%d files: %v", len(entries), err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(i.Dir, e.Name()))
		info, err2 := e.Info()
		if err != nil || err2 != nil || info.Mode().Perm() != 0o600 || bytes.Contains(data, []byte("PRIVATE")) {
			t.Errorf("%s: %v, %v, %v", e.Name(), info.Mode(), err, err2)
		}
	}
	bundle, err := os.ReadFile(set["SSL_CERT_FILE"])
	if err != nil || !bytes.Contains(bundle, a.PEM()) || !bytes.Contains(bundle, own.PEM()) {
		t.Errorf("the bundle lacks an authority: %v", err)
	}
	for name, want := range map[string]string{
		"HTTPS_PROXY": "http://zvault:pass@127.0.0.1:1234", "https_proxy": "http://zvault:pass@127.0.0.1:1234", "NO_PROXY": "", "NODE_USE_ENV_PROXY": "1",
		"CURL_CA_BUNDLE": set["SSL_CERT_FILE"], "npm_config_cafile": set["SSL_CERT_FILE"],
	} {
		if got, ok := set[name]; !ok || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, ok, want)
		}
	}
	for name, want := range map[string]string{"NODE_OPTIONS": "--trace-warnings --require=", "JAVA_TOOL_OPTIONS": "-Dx=y -Djavax.net.ssl.trustStore="} {
		if !strings.HasPrefix(set[name], want) {
			t.Errorf("%s is %q; want %s…", name, set[name], want)
		}
	}
	if wgetrc, err := os.ReadFile(set["WGETRC"]); err != nil || !strings.HasPrefix(string(wgetrc), "tries = 3\n") || !strings.Contains(string(wgetrc), "ca_certificate = "+set["SSL_CERT_FILE"]) {
		t.Errorf("wgetrc is %q, %v", wgetrc, err)
	}
	if err := i.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(i.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// Java's own tool reads the store, checks its sum, and finds as many certificates as the bundle has.
func TestInstall_JavaStore(t *testing.T) {
	t.Parallel()
	a, err := authority.New(authority.Scope{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	i, set := install(t, a, map[string]string{"HOME": t.TempDir()})
	bundle, err := os.ReadFile(set["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		n++
	}
	out, err := exec.Command("keytool", "-list", "-storetype", "JKS", "-keystore", filepath.Join(i.Dir, "truststore.jks"), "-storepass", "changeit").CombinedOutput()
	if err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	if got := strings.Count(string(out), "trustedCertEntry"); got != n || n < 2 {
		t.Errorf("%d certificates in the store, %d in the bundle", got, n)
	}
}
