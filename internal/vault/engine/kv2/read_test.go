package kv2_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func TestRead_RendersOnce(t *testing.T) {
	m, c := newCached(t)
	m.Must(t, logical.Update, "data/a", `{"data":{"x":1.10}}`)
	first := m.Must(t, logical.Read, "data/a", "")
	decodes, lookups := c.decodes.Load(), c.lookups.Load()
	again := m.Must(t, logical.Read, "data/a", "")
	if &first.Rendered[0] != &again.Rendered[0] || first.Sensitive != again.Sensitive {
		t.Error("the answer was rendered twice")
	}
	if c.decodes.Load() != decodes || c.lookups.Load() != lookups+2 {
		t.Errorf("a read took %d lookups, %d of them decoded", c.lookups.Load()-lookups, c.decodes.Load()-decodes)
	}
	m.Must(t, logical.Update, "metadata/a", `{"custom_metadata":{"k":"v"}}`)
	changed := m.Must(t, logical.Read, "data/a", "")
	if !strings.Contains(string(changed.Rendered), `"custom_metadata":{"k":"v"}`) {
		t.Errorf("got %s after a change of metadata", changed.Rendered)
	}
}

func TestRead_Audit(t *testing.T) {
	m, _ := newCached(t)
	m.Must(t, logical.Update, "metadata/a", `{"custom_metadata":{"k":"v"}}`)
	m.Must(t, logical.Update, "data/a", `{"data":{"pw":"s3cret","pin":4711,"l":["x",{"y":true}]}}`)
	resp := m.Must(t, logical.Read, "data/a", "")
	got := string(resp.Sensitive.Audit(nil, func(string) string { return "#" }))
	want := `{"data":{"l":["#",{"y":true}],"pin":"#","pw":"#"},"metadata":{"created_time":"#","custom_metadata":{"k":"#"},` +
		`"deletion_time":"#","destroyed":false,"version":1}}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimes(t *testing.T) {
	m, _ := newCached(t)
	m.Now = time.Date(2026, 5, 6, 7, 8, 9, 123456780, time.FixedZone("east", 3600))
	resp := m.Must(t, logical.Update, "data/a", `{"data":{}}`)
	if got := resp.Data["created_time"]; got != "2026-05-06T06:08:09.12345678Z" {
		t.Errorf("created %v", got)
	}
}

// TestEntries holds the engine to the entries it is to touch.
func TestEntries(t *testing.T) {
	m, c := newCached(t)
	r := &recorded{}
	names := func(op logical.Operation, path, body string) []string {
		t.Helper()
		m.Storage = &spy{cached: c, seen: r}
		r.names = nil
		m.Must(t, op, path, body)
		m.Storage = c
		return r.names
	}
	for _, step := range []struct {
		op         logical.Operation
		path, body string
		want       []string
	}{
		{logical.Update, "metadata/f/a", `{"max_versions":2}`, []string{"meta/f/a"}},
		{logical.Update, "data/f/a", `{"data":{}}`, []string{"ver/f/a/1", "meta/f/a"}},
		{logical.Patch, "data/f/a", `{"data":{}}`, []string{"ver/f/a/2", "meta/f/a"}},
		{logical.Update, "data/f/a", `{"data":{}}`, []string{"ver/f/a/1", "ver/f/a/3", "meta/f/a"}},
		{logical.Delete, "data/f/a", "", []string{"meta/f/a"}},
		{logical.Update, "delete/f/a", `{"versions":[3]}`, nil},
		{logical.Update, "destroy/f/a", `{"versions":[2,7]}`, []string{"ver/f/a/2", "meta/f/a"}},
		{logical.Update, "destroy/f/a", `{"versions":[2]}`, nil},
		{logical.Delete, "metadata/f/a", "", []string{"ver/f/a/3", "meta/f/a"}},
	} {
		if got := names(step.op, step.path, step.body); !slices.Equal(got, step.want) {
			t.Errorf("%s %s: touched %q, want %q", step.op, step.path, got, step.want)
		}
	}
	left, err := c.Scan(t.Context(), "", "", 0)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %d entries, %v", len(left), err)
	}
}

func TestRead_MissingSecret(t *testing.T) {
	m, c := newCached(t)
	m.Must(t, logical.Update, "data/a", `{"data":{}}`)
	if err := logical.Remove(t.Context(), c, "ver/a/1"); err != nil {
		t.Fatal(err)
	}
	m.Refused(t, logical.Read, "data/a", "", 500, storage.ErrCorrupt.Error())
	m.Refused(t, logical.Patch, "data/a", `{"data":{}}`, 500, storage.ErrCorrupt.Error())
}
