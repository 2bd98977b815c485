package vaultclient_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// serve starts a server that counts what it is asked.
func serve(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &n
}

// client makes one that does not wait, and remembers how long it would have.
func client(t *testing.T, c vaultclient.Config) (*vaultclient.Client, *[]time.Duration) {
	t.Helper()
	made, err := vaultclient.New(c)
	if err != nil {
		t.Fatal(err)
	}
	waits := &[]time.Duration{}
	made.SetSleep(func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	})
	return made, waits
}

func TestClient_Retries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		statuses []int // in turn; the last one stays
		retries  int
		want     int32
		ok       bool
	}{
		{"none by default", []int{500, 200}, 0, 1, false},
		{"until it works", []int{500, 502, 200}, 2, 3, true},
		{"until there are enough", []int{503}, 2, 3, false},
		{"a precondition", []int{412, 200}, 2, 2, true},
		{"not implemented stays so", []int{501, 200}, 2, 1, false},
		{"denied stays denied", []int{403, 200}, 2, 1, false},
		{"too many requests are not repeated", []int{429, 200}, 2, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var turn atomic.Int32
			s, n := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != `{"a":"b"}` {
					t.Errorf("body %q, %v", body, err)
				}
				w.WriteHeader(c.statuses[min(int(turn.Add(1))-1, len(c.statuses)-1)])
			})
			v, waits := client(t, vaultclient.Config{Address: s.URL, MaxRetries: c.retries})
			_, err := v.Write(t.Context(), "x", map[string]any{"a": "b"})
			if (err == nil) != c.ok || n.Load() != c.want {
				t.Errorf("%d requests, %v; want %d", n.Load(), err, c.want)
			}
			for i, d := range *waits {
				if want := []time.Duration{time.Second, 1500 * time.Millisecond}[min(i, 1)]; d != want {
					t.Errorf("wait %d is %s, want %s", i, d, want)
				}
			}
			if len(*waits) != int(c.want)-1 {
				t.Errorf("%d waits", len(*waits))
			}
		})
	}
}

func TestClient_RetriesLostConnection(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, nil)
	s.Close()
	v, waits := client(t, vaultclient.Config{Address: s.URL, MaxRetries: 3})
	_, err := v.Read(t.Context(), "x", nil)
	if err == nil || len(*waits) != 3 || vaultclient.StatusOf(err) != 0 {
		t.Errorf("%d waits, %v", len(*waits), err)
	}
}

func TestClient_StreamIsSentOnce(t *testing.T) {
	t.Parallel()
	s, n := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	v, _ := client(t, vaultclient.Config{Address: s.URL, MaxRetries: 3})
	answer, err := v.Do(t.Context(), vaultclient.Request{Method: http.MethodPost, Path: "x", Raw: strings.NewReader("stream")})
	if answer == nil || vaultclient.StatusOf(err) != http.StatusBadGateway || n.Load() != 1 {
		t.Fatalf("%d requests, %v", n.Load(), err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestClient_Redirects(t *testing.T) {
	t.Parallel()
	active, n := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, `{"data":{"method":%q,"token":%q,"body":%q,"failed":%t}}`, r.Method, r.Header.Get("X-Vault-Token"), body, err != nil)
	})
	var hops atomic.Int32
	standby := httptest.NewServer(nil)
	t.Cleanup(standby.Close)
	standby.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := active.URL
		if strings.Contains(r.URL.Path, "twice") && hops.Add(1) == 1 {
			to = standby.URL
		}
		http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
	})
	v, _ := client(t, vaultclient.Config{Address: standby.URL, Token: "s.1"})
	got, err := v.Write(t.Context(), "x", map[string]any{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"method": "PUT", "token": "s.1", "body": `{"a":"b"}`, "failed": false}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	if s, err := v.Read(t.Context(), "twice", nil); err == nil && s != nil {
		t.Error("a second redirect was followed")
	}
	v, _ = client(t, vaultclient.Config{Address: standby.URL, NoRedirects: true})
	before := n.Load()
	if s, err := v.Read(t.Context(), "x", nil); s != nil && s.Data != nil || n.Load() != before {
		t.Errorf("a redirect was followed against the configuration: %v", err)
	}
}

func TestClient_TLS(t *testing.T) {
	t.Parallel()
	plain, leaked := serve(t, func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/leave") {
			http.Redirect(w, r, plain.URL, http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"a":"b"}}`)
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		name string
		tls  vaultclient.TLS
		made bool
		ok   bool
	}{
		{"stranger", vaultclient.TLS{}, true, false},
		{"file", vaultclient.TLS{CACert: file}, true, true},
		{"text", vaultclient.TLS{CAPEM: string(text)}, true, true},
		{"folder", vaultclient.TLS{CAPath: dir}, true, true},
		{"name in the certificate", vaultclient.TLS{CACert: file, ServerName: "example.com"}, true, true},
		{"another name", vaultclient.TLS{CACert: file, ServerName: "elsewhere.test"}, true, false},
		{"anyone", vaultclient.TLS{SkipVerify: true}, true, true},
		{"no file", vaultclient.TLS{CACert: filepath.Join(dir, "none")}, false, false},
		{"no certificate", vaultclient.TLS{CAPEM: "none"}, false, false},
		{"empty folder", vaultclient.TLS{CAPath: empty}, false, false},
		{"half a pair", vaultclient.TLS{ClientCert: file}, false, false},
		{"no key", vaultclient.TLS{ClientCert: file, ClientKey: file}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := vaultclient.New(vaultclient.Config{Address: s.URL, TLS: c.tls, MaxRetries: 1})
			if (err == nil) != c.made {
				t.Fatalf("New: %v", err)
			}
			if !c.made {
				return
			}
			v.SetSleep(func(context.Context, time.Duration) error { return errors.New("repeated what repeating does not mend") })
			if _, err := v.Read(t.Context(), "x", nil); (err == nil) != c.ok || err != nil && strings.Contains(err.Error(), "repeated") {
				t.Errorf("Read: %v", err)
			}
		})
	}
	v, err := vaultclient.New(vaultclient.Config{Address: s.URL, Token: "s.1", TLS: vaultclient.TLS{CACert: file}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Read(t.Context(), "leave", nil); err == nil || leaked.Load() != 0 {
		t.Errorf("a redirect from https to http was followed: %v", err)
	}
}

func TestClient_Timeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	v, _ := client(t, vaultclient.Config{Address: s.URL, Timeout: time.Millisecond})
	if _, err := v.Read(t.Context(), "x", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read = %v", err)
	}
}

func TestClient_UnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "vc") // not the test's folder: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"data":{"path":%q}}`, r.URL.Path)
	}))
	if err := s.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Listener = listen(t, path)
	s.Start()
	t.Cleanup(s.Close)
	v, _ := client(t, vaultclient.Config{Address: "unix://" + path})
	got, err := v.Read(t.Context(), "secret/a", nil)
	if err != nil || got.Data["path"] != "/v1/secret/a" {
		t.Errorf("Read = %v, %v", got, err)
	}
}

func TestClient_DryRun(t *testing.T) {
	t.Parallel()
	s, n := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":{}}`) })
	v, _ := client(t, vaultclient.Config{
		Address: s.URL + "/", Token: "s.secret", Namespace: "ns/", Headers: map[string]string{"x-a": "`id` $HOME \"q\" \\"},
		TLS: vaultclient.TLS{SkipVerify: true},
	})
	v.DryRun = true
	v.SetWrapTTL("60s")
	_, err := v.Patch(t.Context(), "a b/c", map[string]any{"k": "it's"})
	var kept *vaultclient.NotSent
	if !errors.As(err, &kept) || n.Load() != 0 {
		t.Fatalf("Patch = %v, %d sent", err, n.Load())
	}
	want := `curl --insecure -X PATCH -H "Content-Type: application/merge-patch+json" -H "X-A: ` + "\\`id\\` \\$HOME \\\"q\\\" \\\\" + `"` +
		` -H "X-Vault-Namespace: ns/" -H "X-Vault-Request: true" -H "X-Vault-Token: $(zvault print token)" -H "X-Vault-Wrap-Ttl: 60s"` +
		` -d '{"k":"it'"'"'s"}' "` + s.URL + `/v1/a%20b/c"`
	if got := kept.Curl(); got != want {
		t.Errorf("Curl:\n%s\nwant\n%s", got, want)
	}
	if _, err := v.Live().Read(t.Context(), "x", nil); err != nil || n.Load() != 1 {
		t.Errorf("Live: %v, %d sent", err, n.Load())
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "127.0.0.1:8200", "ftp://a", "http://", "unix://", "http://user:hunter2@host", "http://a b"} {
		_, err := vaultclient.New(vaultclient.Config{Address: address})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q) = %v", address, err)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*vaultclient.Secret{
		"":                              nil,
		" \n":                           nil,
		"{}":                            nil,
		`{"errors":[]}`:                 nil,
		`{"errors":["x"]}`:              nil,
		`{"keys":["a"]}`:                {Data: map[string]any{"keys": []any{"a"}}},
		`{"data":{"a":1},"keys":["b"]}`: {Data: map[string]any{"a": number("1")}},
		`{"warnings":["w"]}`:            {Warnings: []string{"w"}},
	} {
		got, err := vaultclient.ParseSecret(strings.NewReader(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"<html>hunter2", "[1]", `{"data":`, `"hunter2"`} {
		if _, err := vaultclient.ParseSecret(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestClient_NotFound(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		if strings.HasSuffix(r.URL.Path, "/deleted") {
			_, _ = io.WriteString(w, `{"data":{"metadata":{"version":1}}}`)
			return
		}
		_, _ = io.WriteString(w, `{"errors":[]}`)
	})
	v, _ := client(t, vaultclient.Config{Address: s.URL})
	if got, err := v.Read(t.Context(), "none", nil); got != nil || err != nil {
		t.Errorf("Read = %v, %v", got, err)
	}
	if got, err := v.List(t.Context(), "none", nil); got != nil || err != nil {
		t.Errorf("List = %v, %v", got, err)
	}
	if got, err := v.Read(t.Context(), "deleted", nil); got == nil || err != nil {
		t.Errorf("Read of a deleted version = %v, %v", got, err)
	}
	if _, err := v.Write(t.Context(), "none", nil); vaultclient.StatusOf(err) != http.StatusNotFound {
		t.Errorf("Write = %v", err)
	}
	if err := v.JSON(t.Context(), vaultclient.Request{Method: http.MethodGet, Path: "none"}, nil); vaultclient.StatusOf(err) != http.StatusNotFound {
		t.Errorf("JSON = %v", err)
	}
}

func TestClient_StandbyHealth(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"standby":true}`)
	})
	v, _ := client(t, vaultclient.Config{Address: s.URL})
	if got, err := v.Read(t.Context(), "sys/health", nil); err != nil || got.Data["standby"] != true {
		t.Errorf("health of a standby: %v, %v", got, err)
	}
	if _, err := v.Read(t.Context(), "secret/a", nil); vaultclient.StatusOf(err) != http.StatusTooManyRequests {
		t.Errorf("a quota: %v", err)
	}
}
