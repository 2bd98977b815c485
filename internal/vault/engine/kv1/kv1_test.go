package kv1_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv1"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func TestRead_Lease(t *testing.T) {
	m := logicaltest.New(t, kv1.New(), nil)
	m.Must(t, logical.Update, "x", `{"a":"s3cret","pin":4711}`)
	resp := m.Must(t, logical.Read, "x", "")
	if resp.Lease.TTL != kv1.DefaultTTL {
		t.Errorf("lease %+v", resp.Lease)
	}
	if m.Backend.Revoke != nil || resp.Lease.Renewable || resp.Lease.InternalData != nil {
		t.Error("it gives real leases")
	}
	got := resp.Sensitive.Audit(nil, func(string) string { return "#" })
	if string(got) != `{"a":"#","pin":"#"}` {
		t.Errorf("audit form %s", got)
	}
}

func TestExists(t *testing.T) {
	m := logicaltest.New(t, kv1.New(), nil)
	route, params := m.Backend.Match("x")
	r := &logical.Request{Params: params, Storage: m.Storage}
	for _, want := range []bool{false, true} {
		if got, err := route.Exists(t.Context(), r); err != nil || got != want {
			t.Errorf("exists %t, %v, want %t", got, err, want)
		}
		m.Must(t, logical.Update, "x", `{"a":1}`)
	}
}

func TestRead_Damaged(t *testing.T) {
	m := logicaltest.New(t, kv1.New(), nil)
	err := m.Storage.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), "v1/x", []byte(`{"s3cret"`)) })
	if err != nil {
		t.Fatal(err)
	}
	m.Refused(t, logical.Read, "x", "", 500, storage.ErrCorrupt.Error())
}

func BenchmarkRead(b *testing.B) {
	m := logicaltest.New(b, kv1.New(), nil)
	m.Must(b, logical.Update, "x", `{"username":"app","password":"correct horse battery staple"}`)
	r := &logical.Request{Operation: logical.Read, Path: "x", Storage: m.Storage, Time: m.Now}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Backend.Handle(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
