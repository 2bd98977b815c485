package proxy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/authority"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
	"github.com/ArcadeLabsInc/zvault/internal/shield/proxy"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// host is the name of the server that secrets may be sent to. It resolves to this machine.
const host = "api.shield.test"

// resolver says that every name is this machine.
type resolver struct{}

func (resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// ca signs the certificates of the servers in tests.
type ca struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

var testCA = sync.OnceValue(func() *ca {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &ca{parsed, key, pool}
})

func (c *ca) config(names ...string) *tls.Config {
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, c.certificate, c.key.Public(), c.key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: c.key}}}
}

// upstream is a server with a certificate for host and other.shield.test.
func upstream(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = testCA().config(host, "other.shield.test")
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// port is where a server listens.
func port(t testing.TB, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// journal remembers what was recorded.
type journal struct {
	mu     sync.Mutex
	events []proxy.Event
	err    error
}

func (j *journal) record(_ context.Context, e proxy.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	return j.err
}

// lines are the events as text.
func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, e := range j.events {
		line := fmt.Sprintf("%s in %s: %s %s", e.Secret, e.Place, e.Method, e.Path)
		if e.Refused != "" {
			line += ": refused: " + e.Refused
		}
		out = append(out, line)
	}
	return out
}

// bench is a proxy with secrets, and what a program would have of it.
type bench struct {
	t       testing.TB
	set     *placeholder.Set
	journal *journal
	proxy   *proxy.Proxy
	url     *url.URL
	ca      *authority.Authority
	pid     chan int // of the program, once it runs
	looks   looks
}

// token is the secret of most tests. The programs that this binary is at times must not have it.
var token = func() string {
	if os.Getenv(asProgram) != "" {
		return ""
	}
	return "sk_live_" + strings.Repeat("Zx9Q", 6)
}()

type options struct {
	secrets  map[string]string
	canaries []string
	rules    map[string][]grant.Rule
	gate     grant.Gate
	strict   bool
	inspect  bool
	anyone   bool // no credentials
	network  string
}

func newBench(t testing.TB, o options) *bench {
	t.Helper()
	if o.secrets == nil {
		o.secrets = map[string]string{"TOKEN": token}
	}
	if o.rules == nil {
		o.rules = map[string][]grant.Rule{"TOKEN": {{Hosts: []string{host}}}}
	}
	var all []placeholder.Secret
	for name, v := range o.secrets {
		all = append(all, placeholder.Secret{Name: name, Value: secret.Of(v), Canary: slices.Contains(o.canaries, name)})
	}
	b := &bench{t: t, journal: &journal{}, pid: make(chan int, 1)}
	var err error
	if b.set, err = placeholder.New(all); err != nil {
		t.Fatal(err)
	}
	policy := rule.New(rule.Rules{Own: o.rules}, o.gate, time.Now)
	names, networks := policy.Hosts()
	if o.inspect {
		names, networks = nil, nil
	}
	if b.ca, err = authority.New(authority.Scope{Domains: names, Networks: networks}, time.Now); err != nil {
		t.Fatal(err)
	}
	b.proxy, err = proxy.New(proxy.Config{
		Set: b.set, Policy: policy, Authority: b.ca, Dialer: &egress.Dialer{Resolver: resolver{}}, Roots: testCA().pool,
		Record: b.journal.record, Project: "app", Env: "dev", Strict: o.strict, Inspect: o.inspect, SameUser: o.anyone,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.proxy.Serve(l) }()
	t.Cleanup(func() {
		if err := b.proxy.Close(); err != nil {
			t.Errorf("closing the proxy: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	b.url = b.proxy.URL(l.Addr())
	return b
}

// holder is what stands for a secret.
func (b *bench) holder(name string) string { return b.set.Variable(name) }

// roots are what a program under the shield trusts.
func (b *bench) roots() *x509.CertPool {
	pool := testCA().pool.Clone()
	pool.AppendCertsFromPEM(b.ca.PEM())
	return pool
}

// client is a program under the shield.
func (b *bench) client(h2 bool) *http.Client {
	t := &http.Transport{Proxy: http.ProxyURL(b.url), TLSClientConfig: &tls.Config{RootCAs: b.roots()}, ForceAttemptHTTP2: h2, DisableCompression: true}
	b.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// send sends a request and returns the answer with its body.
func (b *bench) send(c *http.Client, r *http.Request) (*http.Response, string) {
	b.t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatalf("%s %s: reading the answer: %v", r.Method, r.URL, err)
	}
	return answer, string(body)
}

func request(t testing.TB, method, address, body string, fields ...string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	q, err := http.NewRequestWithContext(t.Context(), method, address, r)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		q.Header.Add(fields[i], fields[i+1])
	}
	return q
}

// installed is the environment that the shield gives a program, as `zvault shield` puts it together.
func (b *bench) installed(extra ...string) []string {
	b.t.Helper()
	pem := b.t.TempDir() + "/test-roots.pem"
	if err := os.WriteFile(pem, encodePEM(testCA().certificate.Raw), 0o600); err != nil {
		b.t.Fatal(err)
	}
	getenv := func(name string) string {
		if name == "SSL_CERT_FILE" {
			return pem // what the person trusts already
		}
		if name == "HOME" {
			return b.t.TempDir()
		}
		return ""
	}
	i, err := authority.Install(b.ca, b.url, b.t.TempDir(), getenv)
	if err != nil {
		b.t.Fatal(err)
	}
	env := append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.t.TempDir(), "TMPDIR=" + b.t.TempDir(), "LANG=C.UTF-8"}, i.Variables...)
	for _, p := range b.set.Pieces() {
		env = append(env, p.Secret+"="+b.set.Variable(p.Secret))
	}
	return append(env, extra...)
}
