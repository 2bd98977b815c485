package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func benchmark(b *testing.B, method, path, body string) {
	benchmarkAs(b, method, path, body, func(_ *api.Client, root string) string { return root })
}

// benchmarkAs is benchmark with another token than root's.
func benchmarkAs(b *testing.B, method, path, body string, as func(*api.Client, string) string) {
	s := servertest.Open(b, server.Config{Dir: b.TempDir(), AuditSync: "os"})
	c := client(b, s, s.Token)
	if _, err := c.Logical().Write("sys/mounts/secret", map[string]any{"type": "kv-v2"}); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Logical().Write("secret/data/r", map[string]any{"data": map[string]any{"username": "app", "password": "0123456789"}}); err != nil {
		b.Fatal(err)
	}
	token := as(c, s.Token)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := &discard{header: http.Header{}}
		for pb.Next() {
			r := httptest.NewRequest(method, path, io.NopCloser(bytes.NewReader([]byte(body))))
			r.ContentLength = int64(len(body))
			r.Header.Set("X-Vault-Token", token)
			clear(w.header)
			s.ServeHTTP(w, r)
			if w.status >= 300 {
				b.Errorf("status %d", w.status)
				return
			}
		}
	})
}

func BenchmarkKVRead(b *testing.B) { benchmark(b, http.MethodGet, "/v1/secret/data/r", "") }

func BenchmarkKVWrite(b *testing.B) {
	benchmark(b, http.MethodPost, "/v1/secret/data/w", `{"data":{"username":"app","password":"0123456789"}}`)
}

func BenchmarkLookupSelf(b *testing.B) {
	benchmark(b, http.MethodGet, "/v1/auth/token/lookup-self", "")
}

const benchPolicy = `path "secret/data/*" { capabilities = ["read"] }`

// BenchmarkKVReadPolicy is a read with a token of two policies, BenchmarkKVReadEntity one of somebody whose group has one.
func BenchmarkKVReadPolicy(b *testing.B) {
	benchmarkAs(b, http.MethodGet, "/v1/secret/data/r", "", func(c *api.Client, _ string) string {
		if err := c.Sys().PutPolicy("reader", benchPolicy); err != nil {
			b.Fatal(err)
		}
		return must(c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"reader"}}))(b).Auth.ClientToken
	})
}

func BenchmarkKVReadEntity(b *testing.B) {
	benchmarkAs(b, http.MethodGet, "/v1/secret/data/r", "", func(c *api.Client, _ string) string {
		if err := c.Sys().PutPolicy("reader", benchPolicy); err != nil {
			b.Fatal(err)
		}
		user(b, c, "ann")
		auth := signIn(b, c, "ann")
		write(b, c, "identity/group", map[string]any{"policies": "reader", "member_entity_ids": auth.EntityID})
		return auth.ClientToken
	})
}

// BenchmarkAppRoleLogin is a login of somebody who is known.
func BenchmarkAppRoleLogin(b *testing.B) {
	s := servertest.Open(b, server.Config{Dir: b.TempDir(), AuditSync: "os"})
	c := client(b, s, s.Token)
	write(b, c, "sys/auth/approle", map[string]any{"type": "approle"})
	write(b, c, "auth/approle/role/r", map[string]any{"token_policies": "default", "role_id": "r"})
	id := write(b, c, "auth/approle/role/r/secret-id", nil)["secret_id"]
	body := []byte(fmt.Sprintf(`{"role_id":"r","secret_id":%q}`, id))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := &discard{header: http.Header{}}
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, "/v1/auth/approle/login", bytes.NewReader(body))
			clear(w.header)
			s.ServeHTTP(w, r)
			if w.status >= 300 {
				b.Errorf("status %d", w.status)
				return
			}
		}
	})
}
