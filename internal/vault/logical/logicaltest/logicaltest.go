// Package logicaltest gives tests of engines and auth methods a storage and a way to call them as the core would.
package logicaltest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// NewStorage returns an empty storage in memory. It keeps no decoded entries, so a backend that relies on them being shared
// or on changing them fails.
func NewStorage() logical.Storage { return plain{memory.New()} }

type plain struct{ storage.Backend }

func (p plain) Decoded(ctx context.Context, name string, decode func([]byte) (any, error)) (any, error) {
	raw, err := p.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return decode(raw)
}

// Mount is a backend with a storage of its own and a clock that stands still until the test moves it.
type Mount struct {
	Backend *logical.Backend
	Storage logical.Storage
	Now     time.Time
	Token   *logical.Token
	Remote  netip.Addr
	Headers http.Header
	Path    string
}

// New mounts a backend.
func New(t testing.TB, b *logical.Backend, options map[string]string) *Mount {
	t.Helper()
	m := &Mount{
		Backend: b.Ready(), Storage: NewStorage(), Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Path: "test/",
		Remote: netip.MustParseAddr("127.0.0.1"), Token: &logical.Token{Hash: "caller", Accessor: "acc", DisplayName: "tester"},
	}
	if b.Setup != nil {
		if err := b.Setup(t.Context(), m.Storage, options); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// Do calls the backend. body is a JSON object, or "" for none. As in the core, a write becomes a Create where the route says
// that nothing is there.
func (m *Mount) Do(t testing.TB, op logical.Operation, path, body string) (*logical.Response, error) {
	t.Helper()
	var raw map[string]any
	if body != "" {
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&raw); err != nil {
			t.Fatalf("body %q: %v", body, err)
		}
	}
	r := &logical.Request{
		ID: "request", Operation: op, Path: path, Mount: m.Path, Data: logical.NewData(raw), Storage: m.Storage, Token: m.Token,
		Remote: m.Remote, Header: m.Headers.Get, Time: m.Now,
	}
	if route, params := m.Backend.Match(path); op == logical.Update && route != nil && route.Exists != nil {
		r.Params = params
		found, err := route.Exists(t.Context(), r)
		if err != nil {
			return nil, err
		}
		if !found {
			r.Operation = logical.Create
		}
	}
	return m.Backend.Handle(t.Context(), r)
}

// Must is Do for a call that has to succeed; it never returns nil.
func (m *Mount) Must(t testing.TB, op logical.Operation, path, body string) *logical.Response {
	t.Helper()
	resp, err := m.Do(t, op, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", op, path, err)
	}
	if resp == nil {
		resp = &logical.Response{}
	}
	return resp
}

// Refused requires an error with a status and part of its text.
func (m *Mount) Refused(t testing.TB, op logical.Operation, path, body string, status int, text string) {
	t.Helper()
	_, err := m.Do(t, op, path, body)
	if err == nil || logical.StatusOf(err) != status || !strings.Contains(err.Error(), text) {
		t.Errorf("%s %s: got %v, want status %d and %q", op, path, err, status, text)
	}
}
