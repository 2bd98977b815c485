package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

func TestGoClient_Snapshot(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	kv := c.KVv2("secret")
	must(kv.Put(t.Context(), "kept", map[string]any{"password": "before-the-snapshot"}))(t)
	var saved bytes.Buffer
	if err := c.Sys().RaftSnapshotWithContext(t.Context(), &saved); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(saved.Bytes(), []byte("before-the-snapshot")) {
		t.Error("the snapshot holds a value in clear")
	}
	must(kv.Put(t.Context(), "kept", map[string]any{"password": "after"}))(t)
	must(kv.Put(t.Context(), "new", map[string]any{"password": "after"}))(t)

	restore := func(raw []byte, force bool) error {
		return c.Sys().RaftSnapshotRestoreWithContext(t.Context(), bytes.NewReader(raw), force)
	}
	for i := range 20 { // damaged anywhere, nothing happens
		broken := bytes.Clone(saved.Bytes())
		broken[20+rand.IntN(len(broken)-40)] ^= 1 << (i % 8)
		if same(t, broken, saved.Bytes()) { // a bit that means nothing to gzip
			continue
		}
		refused(t, restore(broken, true), http.StatusBadRequest, "not a whole snapshot")
	}
	refused(t, restore(saved.Bytes()[:saved.Len()/2], true), http.StatusBadRequest, "not a whole snapshot")
	refused(t, restore([]byte("hello"), false), http.StatusBadRequest, "no gzip archive")
	if got := must(kv.Get(t.Context(), "new"))(t); got.Data["password"] != "after" {
		t.Error("a refused snapshot changed something")
	}
	if err := restore(saved.Bytes(), false); err != nil {
		t.Fatal(err)
	}
	if got := must(kv.Get(t.Context(), "kept"))(t); got.Data["password"] != "before-the-snapshot" {
		t.Error("the value is not that of the snapshot")
	}
	if _, err := kv.Get(t.Context(), "new"); err == nil {
		t.Error("what came after the snapshot is still there")
	}

	other := servertest.Start(t)
	err := client(t, other, other.Token).Sys().RaftSnapshotRestoreWithContext(t.Context(), bytes.NewReader(saved.Bytes()), false)
	refused(t, err, http.StatusBadRequest, "of another vault")
	if !strings.Contains(err.Error(), "snapshot-force") {
		t.Error("the refusal does not say what to do")
	}
	_, err = client(t, s, "").Logical().ReadRaw("sys/storage/raft/snapshot")
	refused(t, err, http.StatusForbidden, "permission denied")
}

// same reports whether two gzip archives hold the same.
func same(t *testing.T, a, b []byte) bool {
	t.Helper()
	var content [2][]byte
	for i, raw := range [][]byte{a, b} {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return false
		}
		if content[i], err = io.ReadAll(z); err != nil {
			return false
		}
	}
	return bytes.Equal(content[0], content[1])
}
