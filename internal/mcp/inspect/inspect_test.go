package inspect_test

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/inspect"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
)

func tools(t *testing.T) []tool.Tool {
	t.Helper()
	all, err := inspect.Tools()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTLSAndTCP(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	c := tooltest.New(t, nil)
	look := func() map[string]any {
		t.Helper()
		got, err := tooltest.Run(t.Context(), t, tools(t), "tls_inspect", c, map[string]any{"host": "127.0.0.1", "port": port})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	c.Roots = x509.NewCertPool()
	if got := look(); got["trusted"] != false || got["problem"] == nil {
		t.Errorf("a certificate that nobody vouches for: %v", got)
	}
	c.Roots.AddCert(s.Certificate())
	got := look()
	first, ok := got["certificates"].([]any)[0].(map[string]any)
	if !ok || got["trusted"] != true || got["version"] != "TLS 1.3" || !strings.Contains(fmt.Sprint(first["names"]), "127.0.0.1") {
		t.Errorf("got %v", got)
	}
	tcp, err := tooltest.Run(t.Context(), t, tools(t), "tcp_check", c, map[string]any{"host": "127.0.0.1", "port": port})
	if err != nil || tcp["open"] != true {
		t.Errorf("an open port: %v, %v", tcp, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	tcp, err = tooltest.Run(t.Context(), t, tools(t), "tcp_check", c, map[string]any{"host": "127.0.0.1", "port": closed})
	if err != nil || tcp["open"] != false || tcp["reason"] == nil {
		t.Errorf("a closed port: %v, %v", tcp, err)
	}
	if _, err := tooltest.Run(t.Context(), t, tools(t), "tcp_check", c, map[string]any{"host": "169.254.169.254", "port": 80}); tooltest.Code(err) != "denied" {
		t.Errorf("the metadata service: %v", err)
	}
	tooltest.GateOf(c).Deny("not permitted")
	for _, name := range []string{"tcp_check", "tls_inspect"} {
		if _, err := tooltest.Run(t.Context(), t, tools(t), name, c, map[string]any{"host": "127.0.0.1", "port": port}); err == nil {
			t.Errorf("%s: a denied use is carried out", name)
		}
	}
}

func TestDNS(t *testing.T) {
	t.Parallel()
	c := tooltest.New(t, nil)
	got, err := tooltest.Run(t.Context(), t, tools(t), "dns_lookup", c, map[string]any{"name": "localhost"})
	if err != nil || !strings.Contains(fmt.Sprint(got["records"]), "127.0.0.1") && !strings.Contains(fmt.Sprint(got["records"]), "::1") {
		t.Errorf("localhost: %v, %v", got, err)
	}
	for _, args := range []map[string]any{{"name": "a b"}, {"name": ""}, {"name": "localhost", "type": "AXFR"}, {"name": "https://x"}} {
		if _, err := tooltest.Run(t.Context(), t, tools(t), "dns_lookup", c, args); tooltest.Code(err) != "invalid" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestJWT(t *testing.T) {
	t.Parallel()
	part := base64.RawURLEncoding.EncodeToString
	past := time.Now().Add(-time.Hour).Unix()
	token := part([]byte(`{"alg":"HS256"}`)) + "." + part(fmt.Appendf(nil, `{"sub":"ann","exp":%d}`, past)) + ".the-signature-part"
	c := tooltest.New(t, map[string]string{"TOKEN": token, "OTHER": "no-token-at-all"})
	got, err := tooltest.Run(t.Context(), t, tools(t), "jwt_decode", c, map[string]any{"secret": "TOKEN"})
	if err != nil {
		t.Fatal(err)
	}
	if got["expired"] != true || got["claims"].(map[string]any)["sub"] != "ann" || got["header"].(map[string]any)["alg"] != "HS256" {
		t.Errorf("got %v", got)
	}
	if text := fmt.Sprint(got); strings.Contains(text, "the-signature") {
		t.Error("the signature is shown")
	}
	_, err = tooltest.Run(t.Context(), t, tools(t), "jwt_decode", c, map[string]any{"secret": "OTHER"})
	if tooltest.Code(err) != "failed" || strings.Contains(err.Error(), "no-token-at-all") {
		t.Errorf("what is no token: %v", err)
	}
	tooltest.GateOf(c).Deny("not permitted")
	if _, err := tooltest.Run(t.Context(), t, tools(t), "jwt_decode", c, map[string]any{"secret": "TOKEN"}); err == nil {
		t.Error("a denied use is carried out")
	}
}
