package proxy_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/authority"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
	"github.com/ArcadeLabsInc/zvault/internal/shield/proxy"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

func init() { goPrograms["bench-server"], goPrograms["bench-proxy"] = benchServer, benchProxy }

// benchConns is how many connections ask at once, benchFor for how long each round. First they ask as fast as they can, where
// the tail is how long the queue is, then each once in benchPace.
const (
	benchConns  = 64
	benchFor    = 1500 * time.Millisecond
	benchPace   = 80 * time.Millisecond
	benchRounds = 5
)

// BenchmarkProxy has 64 connections ask through a bare forward proxy that terminates TLS, through the shield, and through the
// shield with an audit log that is synced to the disk, in turn, round after round. Each proxy and the server are processes of
// their own. The answers are of 2 kB and 64 kB; each request through the shield has a placeholder replaced.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%d kB", size>>10), func(b *testing.B) {
			for b.Loop() {
				benchmarkProxies(b, size)
			}
		})
	}
}

func benchmarkProxies(b *testing.B, size int) {
	ca := filepath.Join(b.TempDir(), "ca.pem")
	server := startRole(b, "bench-server", ca)
	kinds := []string{"bare", "shield", "shield, synced"}
	proxies := map[string]role{}
	for _, kind := range kinds {
		proxies[kind] = startRole(b, "bench-proxy", kind+"|"+ca+"|"+b.TempDir())
	}
	rates, tails, cpus, paced := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range benchRounds {
		for _, kind := range kinds {
			before := proxies[kind].cpu(b)
			address := fmt.Sprintf("https://%s:%s/%d", host, server.port(), size)
			latencies := load(b, proxies[kind], address, 0)
			rates[kind] = append(rates[kind], float64(len(latencies))/benchFor.Seconds())
			tails[kind] = append(tails[kind], tail(latencies))
			cpus[kind] = append(cpus[kind], (proxies[kind].cpu(b)-before).Seconds()*1e6/float64(len(latencies)))
			paced[kind] = append(paced[kind], tail(load(b, proxies[kind], address, benchPace)))
		}
	}
	for i, kind := range kinds {
		b.Logf("%-16s %8.0f requests/s  p99 %6.2f ms  paced %6.2f ms  %6.1f µs of processor a request", kind, median(rates[kind]), median(tails[kind]), median(paced[kind]), median(cpus[kind]))
		if i > 0 {
			name := strings.ReplaceAll(strings.ReplaceAll(kind, ",", ""), " ", "-")
			b.ReportMetric(median(rates["bare"])/median(rates[kind]), name+"/bare-time")
			b.ReportMetric(median(cpus[kind])/median(cpus["bare"]), name+"/bare-cpu")
			b.ReportMetric(median(tails[kind])-median(tails["bare"]), name+"-added-p99-ms")
			b.ReportMetric(median(paced[kind])-median(paced["bare"]), name+"-added-paced-p99-ms")
		}
	}
}

// tail is the 99th percentile in milliseconds.
func tail(all []time.Duration) float64 {
	slices.Sort(all)
	return all[len(all)*99/100].Seconds() * 1000
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// role is this binary as another process, which has said what it is to be reached by.
type role struct {
	cmd *exec.Cmd
	url *url.URL
	ca  *x509.CertPool
	key string // what to send
}

func (r role) port() string { return r.url.Port() }

// startRole starts a role. It prints its URL, the placeholder if it has one, and a file with its authority.
func startRole(b *testing.B, name, argument string) role {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, argument)
	cmd.Env = append(os.Environ(), asProgram+"="+name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			b.Errorf("%s: %v", name, err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) != 3 {
		b.Fatalf("%s says %q: %v", name, line, err)
	}
	r := role{cmd: cmd, key: fields[1], ca: x509.NewCertPool()}
	if r.url, err = url.Parse(fields[0]); err != nil {
		b.Fatal(err)
	}
	pem, err := os.ReadFile(fields[2])
	if err != nil || !r.ca.AppendCertsFromPEM(pem) {
		b.Fatalf("%s has no authority: %v", name, err)
	}
	return r
}

// load asks for benchFor, once in pace on each connection or at once if that is 0, and returns how long each request took.
func load(b *testing.B, p role, address string, pace time.Duration) []time.Duration {
	b.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	var failed error
	t := &http.Transport{Proxy: http.ProxyURL(p.url), TLSClientConfig: &tls.Config{RootCAs: p.ca}, DisableCompression: true, MaxIdleConnsPerHost: benchConns}
	defer t.CloseIdleConnections()
	ask := func() error {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+p.key)
		answer, err := t.RoundTrip(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
			return fmt.Errorf("status %d: %w", answer.StatusCode, err)
		}
		return nil
	}
	var ready sync.WaitGroup
	ready.Add(benchConns)
	for range benchConns {
		wg.Go(func() {
			err := ask() // opens the connection
			ready.Done()
			ready.Wait()
			var ticks <-chan time.Time
			if pace > 0 {
				ticker := time.NewTicker(pace)
				defer ticker.Stop()
				ticks = ticker.C
			}
			var mine []time.Duration
			for end := time.Now().Add(benchFor); err == nil && time.Now().Before(end); {
				if ticks != nil {
					<-ticks
				}
				from := time.Now()
				if err = ask(); err == nil {
					mine = append(mine, time.Since(from))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, mine...), errors.Join(failed, err)
		})
	}
	wg.Wait()
	if failed != nil || len(all) == 0 {
		b.Fatalf("%d requests: %v", len(all), failed)
	}
	return all
}

// benchServer answers with as many bytes as the path says, if it gets the value.
func benchServer(ca string) error {
	value := benchToken()
	body := randomText(1 << 20)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil || n > len(body) || r.Header.Get("Authorization") != "Bearer "+value {
			http.Error(w, "not the value", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(n))
		_, _ = w.Write(body[:n])
	}), TLSConfig: testCA().config(host)}
	s.TLSConfig.NextProtos = []string{"http/1.1"}
	if err := os.WriteFile(ca, encodePEM(testCA().certificate.Raw), 0o600); err != nil {
		return err
	}
	fmt.Printf("https://%s - %s\n", l.Addr(), ca)
	go func() { _ = s.ServeTLS(l, "", "") }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Close()
}

func benchToken() string { return "sk_live_" + strings.Repeat("Zx9Q", 6) }

// benchProxy is one of the proxies.
func benchProxy(argument string) error {
	parts := strings.Split(argument, "|")
	kind, dir := parts[0], parts[2]
	pem, err := os.ReadFile(parts[1])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	a, err := authority.New(authority.Scope{Domains: []string{host}}, time.Now)
	if err != nil {
		return err
	}
	own := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(own, a.PEM(), 0o600); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if kind == "bare" {
		fmt.Printf("http://%s %s %s\n", l.Addr(), benchToken(), own)
		go bareProxy(l, a, roots)
		_, _ = io.Copy(io.Discard, os.Stdin)
		return nil
	}
	set, err := placeholder.New([]placeholder.Secret{{Name: "TOKEN", Value: secret.Of(benchToken())}})
	if err != nil {
		return err
	}
	record := func(context.Context, proxy.Event) error { return nil }
	if kind != "shield" {
		audits, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{Key: benchKey{}, Signer: benchSigner(), Anchor: &benchAnchor{}, Sync: audit.SyncDisk})
		if err != nil {
			return err
		}
		record = func(ctx context.Context, e proxy.Event) error {
			return audits.Record(ctx, audit.Entry{Action: "secret.use", Keys: []string{e.Secret}, Outcome: audit.OK, Reason: e.Place})
		}
	}
	p, err := proxy.New(proxy.Config{
		Set: set, Policy: rule.New(rule.Rules{Own: map[string][]grant.Rule{"TOKEN": {{Hosts: []string{host}}}}}, nil, time.Now), Authority: a,
		Dialer: &egress.Dialer{Resolver: resolver{}}, Roots: roots, Record: record,
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s %s %s\n", p.URL(l.Addr()), set.Variable("TOKEN"), own)
	go func() { _ = p.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return p.Close()
}

// bareProxy is the least that a forward proxy in Go that terminates TLS can be: CONNECT, a certificate, httputil.ReverseProxy.
func bareProxy(l net.Listener, a *authority.Authority, roots *x509.CertPool) {
	conns := make(chan net.Conn)
	inner := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "https", r.In.Host },
		Transport: &http.Transport{
			DialContext: (&egress.Dialer{Resolver: resolver{}}).DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true,
			MaxIdleConnsPerHost: 256, ForceAttemptHTTP2: true,
		},
		FlushInterval: -1,
	}}
	go func() { _ = inner.Serve(chanListener{l, conns}) }()
	config := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.Certificate(h.ServerName) }}
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		conns <- tls.Server(c, config)
	}))
}

// chanListener accepts what is sent to a channel.
type chanListener struct {
	net.Listener
	conns chan net.Conn
}

func (l chanListener) Accept() (net.Conn, error) { return <-l.conns, nil }

type benchKey struct{}

func (benchKey) MAC(purpose string, data []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, []byte("bench"))
	_, _ = io.WriteString(h, purpose)
	_, _ = h.Write(data)
	return [32]byte(h.Sum(nil))
}

type benchSigning struct{ key ed25519.PrivateKey }

func benchSigner() benchSigning {
	return benchSigning{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
}

func (s benchSigning) Sign(message []byte) []byte { return ed25519.Sign(s.key, message) }

func (s benchSigning) Public() ed25519.PublicKey { return ed25519.PublicKey(s.key[ed25519.SeedSize:]) }

// benchAnchor remembers the head in memory.
type benchAnchor struct {
	mu   sync.Mutex
	head audit.Head
}

func (a *benchAnchor) Load(context.Context) (audit.Head, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head, nil
}

func (a *benchAnchor) Store(_ context.Context, h audit.Head) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head = h
	return nil
}
