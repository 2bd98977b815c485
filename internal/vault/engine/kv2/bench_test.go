package kv2_test

import (
	"fmt"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

const body = `{"data":{"username":"app","password":"correct horse battery staple","port":5432,"tls":true}}`

// allocations is what a read may allocate: the captured path, two names of entries, and the response.
const allocations = 5

func request(m *logicaltest.Mount, op logical.Operation, path string) *logical.Request {
	return &logical.Request{
		Operation: op, Path: path, Mount: m.Path, Data: logical.NewData(nil), Storage: m.Storage, Token: m.Token,
		Header: m.Headers.Get, Time: m.Now,
	}
}

func TestRead_Allocations(t *testing.T) {
	m, _ := newCached(t)
	m.Must(t, logical.Update, "data/apps/web/db", body)
	r := request(m, logical.Read, "data/apps/web/db")
	n := testing.AllocsPerRun(100, func() {
		if _, err := m.Backend.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	})
	if n > allocations {
		t.Errorf("a read allocates %v times, want at most %d", n, allocations)
	}
}

func BenchmarkRead(b *testing.B) {
	m, _ := newCached(b)
	m.Must(b, logical.Update, "data/apps/web/db", body)
	r := request(m, logical.Read, "data/apps/web/db")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Backend.Handle(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadAudit(b *testing.B) {
	m, _ := newCached(b)
	m.Must(b, logical.Update, "data/apps/web/db", body)
	resp := m.Must(b, logical.Read, "data/apps/web/db", "")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = resp.Sensitive.Audit(dst[:0], func(string) string { return "hmac-sha256:00" })
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, keys := range []int{1, 1000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			m, _ := newCached(b)
			data := map[string]any{"data": map[string]any{"username": "app", "password": "correct horse battery staple"}}
			ctx, i := b.Context(), 0
			b.ReportAllocs()
			for b.Loop() {
				r := request(m, logical.Update, fmt.Sprintf("data/apps/%d", i%keys))
				r.Data = logical.NewData(data)
				if _, err := m.Backend.Handle(ctx, r); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	m, _ := newCached(b)
	for i := range 1000 {
		m.Must(b, logical.Update, fmt.Sprintf("data/apps/%04d", i), body)
	}
	r := request(m, logical.List, "metadata/apps/")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Backend.Handle(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
