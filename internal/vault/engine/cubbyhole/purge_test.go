package cubbyhole_test

import (
	"fmt"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/cubbyhole"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func as(m *logicaltest.Mount, hash string) *logicaltest.Mount {
	other := *m
	other.Token = &logical.Token{Hash: hash}
	return &other
}

func TestPurge(t *testing.T) {
	m := logicaltest.New(t, cubbyhole.New(), nil)
	gone, kept, longer := as(m, "gone"), as(m, "kept"), as(m, "gone2")
	for i := range 600 { // more than one transaction takes
		gone.Must(t, logical.Update, fmt.Sprintf("a/%d/x", i), `{"a":1}`)
	}
	gone.Must(t, logical.Update, "top", `{"a":1}`)
	kept.Must(t, logical.Update, "top", `{"a":1}`)
	longer.Must(t, logical.Update, "top", `{"a":1}`)
	for range 2 { // the second finds nothing
		if err := cubbyhole.Purge(t.Context(), m.Storage, "gone"); err != nil {
			t.Fatal(err)
		}
	}
	gone.Refused(t, logical.List, "", "", 404, "")
	gone.Refused(t, logical.Read, "top", "", 404, "")
	left, err := m.Storage.Scan(t.Context(), "", "", 0)
	if err != nil || len(left) != 2 {
		t.Errorf("%d entries are left, %v, want those of the other two", len(left), err)
	}
	kept.Must(t, logical.Read, "top", "")
	longer.Must(t, logical.Read, "top", "")
}

func TestPurge_NoToken(t *testing.T) {
	m := logicaltest.New(t, cubbyhole.New(), nil)
	m.Must(t, logical.Update, "top", `{"a":1}`)
	for _, hash := range []string{"", "caller/top", "/"} {
		if err := cubbyhole.Purge(t.Context(), m.Storage, hash); err == nil {
			t.Errorf("purging %q was accepted", hash)
		}
	}
	m.Must(t, logical.Read, "top", "")
}

func TestTokens(t *testing.T) {
	m := logicaltest.New(t, cubbyhole.New(), nil)
	for name, c := range map[string]struct {
		token  *logical.Token
		status int
	}{
		"none":  {nil, 500},
		"empty": {&logical.Token{}, 500},
		"batch": {&logical.Token{Hash: "b", Batch: true}, 400},
		"slash": {&logical.Token{Hash: "caller/x"}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			m.Token = c.token
			for _, op := range []logical.Operation{logical.Read, logical.Update, logical.List, logical.Delete} {
				m.Refused(t, op, "x", `{"a":1}`, c.status, "")
			}
		})
	}
}

func TestRead_Audit(t *testing.T) {
	m := logicaltest.New(t, cubbyhole.New(), nil)
	m.Must(t, logical.Update, "x", `{"a":"s3cret","pin":4711}`)
	got := m.Must(t, logical.Read, "x", "").Sensitive.Audit(nil, func(string) string { return "#" })
	if string(got) != `{"a":"#","pin":"#"}` {
		t.Errorf("got %s", got)
	}
}
