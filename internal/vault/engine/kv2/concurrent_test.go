package kv2_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// answerOf is a read's response as a client decodes it.
type answerOf struct {
	Data     map[string]any
	Metadata struct {
		Version      int
		Destroyed    bool
		DeletionTime string `json:"deletion_time"`
	}
}

func decodeAnswer(t interface{ Fatal(...any) }, resp *logical.Response) answerOf {
	raw := resp.Rendered
	if raw == nil {
		var err error
		if raw, err = json.Marshal(resp.Data); err != nil {
			t.Fatal(err)
		}
	}
	var a answerOf
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// call is Mount.Do for goroutines: the mount is not shared.
func call(t *testing.T, m *logicaltest.Mount, op logical.Operation, path, body string) (*logical.Response, error) {
	own := *m
	return own.Do(t, op, path, body)
}

func TestWrite_LosesNoVersion(t *testing.T) {
	const writers, each = 8, 25
	m, _ := newCached(t)
	m.Must(t, logical.Update, "config", `{"max_versions":1000}`)
	var seen [writers*each + 1]atomic.Int32
	together(writers, func(w int) {
		for i := range each {
			body := fmt.Sprintf(`{"data":{"by":"%d-%d"}}`, w, i)
			resp, err := call(t, m, logical.Update, "data/a", body)
			if err != nil {
				t.Error(err)
				return
			}
			n := resp.Data["version"].(uint64)
			seen[n].Add(1)
			got, err := call(t, m, logical.Read, "data/a", fmt.Sprintf(`{"version":%d}`, n))
			if err != nil {
				t.Error(err)
				return
			}
			if by := decodeAnswer(t, got).Data["by"]; by != fmt.Sprintf("%d-%d", w, i) {
				t.Errorf("version %d holds %v, written by %d-%d", n, by, w, i)
			}
		}
	})
	for n := 1; n <= writers*each; n++ {
		if seen[n].Load() != 1 {
			t.Errorf("version %d was given %d times", n, seen[n].Load())
		}
	}
}

func TestWrite_OneWinsCAS(t *testing.T) {
	m, _ := newCached(t)
	for round := range 20 {
		var won atomic.Int32
		together(8, func(int) {
			_, err := call(t, m, logical.Update, "data/a", fmt.Sprintf(`{"data":{},"options":{"cas":%d}}`, round))
			switch {
			case err == nil:
				won.Add(1)
			case logical.StatusOf(err) != http.StatusBadRequest:
				t.Error(err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("round %d: %d writers won", round, won.Load())
		}
	}
}

// TestRead_NeverTorn reads while versions are pruned, and the key is removed and made again under the reader.
func TestRead_NeverTorn(t *testing.T) {
	m, _ := newCached(t)
	m.Must(t, logical.Update, "config", `{"max_versions":1}`)
	m.Must(t, logical.Update, "data/a", `{"data":{"n":1}}`)
	var done atomic.Bool
	together(4, func(i int) {
		if i == 0 {
			defer done.Store(true)
			for n := 2; n < 400; n++ {
				if _, err := call(t, m, logical.Update, "data/a", fmt.Sprintf(`{"data":{"n":%d}}`, n)); err != nil {
					t.Error(err)
				}
			}
			return
		}
		for !done.Load() {
			resp, err := call(t, m, logical.Read, "data/a", "")
			if err != nil {
				t.Error(err)
				return
			}
			if a := decodeAnswer(t, resp); a.Data["n"] != float64(a.Metadata.Version) {
				t.Errorf("version %d with the data of %v", a.Metadata.Version, a.Data["n"])
			}
		}
	})
}

// TestRead_OtherKeyOfThatName leaves a reader with the metadata of a key that was removed and made again meanwhile.
func TestRead_OtherKeyOfThatName(t *testing.T) {
	m, c := newCached(t)
	m.Must(t, logical.Update, "data/a", `{"data":{"of":"old"}}`)
	old := m.Must(t, logical.Read, "data/a", "")
	stale, ok := c.kept.Load("meta/a")
	if !ok {
		t.Fatal("the metadata is not kept")
	}
	m.Must(t, logical.Delete, "metadata/a", "")
	m.Now = m.Now.Add(1)
	m.Must(t, logical.Update, "data/a", `{"data":{"of":"new"}}`)
	c.kept.Store("meta/a", stale)
	got := m.Must(t, logical.Read, "data/a", "")
	if a := decodeAnswer(t, got); a.Data["of"] != "new" || string(got.Rendered) == string(old.Rendered) {
		t.Errorf("got %v", a)
	}
	if c.views.Load() != 1 {
		t.Errorf("%d views, want the one that settles it", c.views.Load())
	}
}
