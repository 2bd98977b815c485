package kv2_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// model is a key as the documentation tells of it, kept as plainly as can be: versions in a map, nothing encoded.
type model struct {
	versions          map[int]*modelVersion
	current           int
	keyMax, mountMax  int
	keySpan           time.Duration
	required, present bool
}

type modelVersion struct {
	data      map[string]string
	deletion  time.Time
	destroyed bool
}

func (v *modelVersion) gone(now time.Time) bool {
	return v.destroyed || !v.deletion.IsZero() && !v.deletion.After(now)
}

func (k *model) allowed(cas int, given bool) bool {
	if given {
		return cas == k.current
	}
	return !k.required
}

func (k *model) add(now time.Time, data map[string]string) {
	k.present = true
	k.current++
	v := &modelVersion{data: data}
	if k.keySpan > 0 {
		v.deletion = now.Add(k.keySpan)
	}
	k.versions[k.current] = v
	limit := max(k.keyMax, k.mountMax)
	if limit == 0 {
		limit = 10
	}
	for n := range maps.Clone(k.versions) {
		if n <= k.current-limit {
			delete(k.versions, n)
		}
	}
}

// machine drives engine and model alike.
type machine struct {
	t *testing.T
	m *logicaltest.Mount
	k model
}

func (s *machine) do(t *rapid.T, op logical.Operation, path, body string, status int) {
	resp, err := s.m.Do(s.t, op, path, body)
	got := http.StatusOK
	switch {
	case err != nil:
		got = logical.StatusOf(err)
	case resp != nil && resp.Status != 0:
		got = resp.Status
	}
	if got != status {
		t.Fatalf("%s %s %s: status %d (%v), want %d", op, path, body, got, err, status)
	}
}

// options draws a cas that is right, wrong or missing.
func (s *machine) options(t *rapid.T) (text string, allowed bool) {
	cas := rapid.IntRange(max(s.k.current-1, 0), s.k.current+1).Draw(t, "cas")
	if rapid.Bool().Draw(t, "cas given") {
		return fmt.Sprintf(`,"options":{"cas":%d}`, cas), s.k.allowed(cas, true)
	}
	return "", s.k.allowed(0, false)
}

func (s *machine) Put(t *rapid.T) {
	value := rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "value")
	options, allowed := s.options(t)
	status := http.StatusBadRequest
	if allowed {
		status = http.StatusOK
		s.k.add(s.m.Now, map[string]string{"a": value})
	}
	s.do(t, logical.Update, "data/k", fmt.Sprintf(`{"data":{"a":%q}%s}`, value, options), status)
}

func (s *machine) Patch(t *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	remove := rapid.Bool().Draw(t, "remove")
	options, allowed := s.options(t)
	value := `"p"`
	if remove {
		value = "null"
	}
	status := http.StatusOK
	v := s.k.versions[s.k.current]
	switch {
	case !s.k.present:
		status = http.StatusNotFound
	case !allowed:
		status = http.StatusBadRequest
	case v == nil || v.gone(s.m.Now):
		status = http.StatusNotFound
	default:
		data := maps.Clone(v.data)
		if delete(data, name); !remove {
			data[name] = "p"
		}
		s.k.add(s.m.Now, data)
	}
	s.do(t, logical.Patch, "data/k", fmt.Sprintf(`{"data":{%q:%s}%s}`, name, value, options), status)
}

func (s *machine) DeleteLatest(t *rapid.T) {
	if v := s.k.versions[s.k.current]; v != nil && !v.gone(s.m.Now) {
		v.deletion = s.m.Now
	}
	s.do(t, logical.Delete, "data/k", "", http.StatusOK)
}

// some draws version numbers, one of which may not be there.
func (s *machine) some(t *rapid.T) (body string, list []*modelVersion) {
	var texts []string
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, s.k.current+1), 1, 3).Draw(t, "versions") {
		texts = append(texts, strconv.Itoa(n))
		if v := s.k.versions[n]; v != nil && !v.destroyed {
			list = append(list, v)
		}
	}
	return `{"versions":[` + strings.Join(texts, ",") + `]}`, list
}

func (s *machine) Delete(t *rapid.T) {
	body, list := s.some(t)
	for _, v := range list {
		if !v.gone(s.m.Now) {
			v.deletion = s.m.Now
		}
	}
	s.do(t, logical.Update, "delete/k", body, http.StatusOK)
}

func (s *machine) Undelete(t *rapid.T) {
	body, list := s.some(t)
	for _, v := range list {
		v.deletion = time.Time{}
		if s.k.keySpan > 0 {
			v.deletion = s.m.Now.Add(s.k.keySpan)
		}
	}
	s.do(t, logical.Update, "undelete/k", body, http.StatusOK)
}

func (s *machine) Destroy(t *rapid.T) {
	body, list := s.some(t)
	for _, v := range list {
		v.destroyed = true
	}
	s.do(t, logical.Update, "destroy/k", body, http.StatusOK)
}

func (s *machine) Settings(t *rapid.T) {
	s.k.keyMax = rapid.IntRange(0, 4).Draw(t, "max")
	s.k.required = rapid.Bool().Draw(t, "required")
	s.k.keySpan = time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second
	s.k.present = true
	s.do(t, logical.Update, "metadata/k", fmt.Sprintf(`{"max_versions":%d,"cas_required":%t,"delete_version_after":"%s"}`,
		s.k.keyMax, s.k.required, s.k.keySpan), http.StatusOK)
}

func (s *machine) Mount(t *rapid.T) {
	s.k.mountMax = rapid.IntRange(0, 4).Draw(t, "max")
	s.do(t, logical.Update, "config", fmt.Sprintf(`{"max_versions":%d}`, s.k.mountMax), http.StatusOK)
}

func (s *machine) Forget(t *rapid.T) {
	s.k = model{versions: map[int]*modelVersion{}, mountMax: s.k.mountMax}
	s.do(t, logical.Delete, "metadata/k", "", http.StatusOK)
}

func (s *machine) Wait(t *rapid.T) {
	s.m.Now = s.m.Now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "ms")) * time.Millisecond)
}

// Check reads every version there may be.
func (s *machine) Check(t *rapid.T) {
	for n := 0; n <= s.k.current+1; n++ {
		want := s.k.versions[n]
		if n == 0 {
			want = s.k.versions[s.k.current]
		}
		resp, err := s.m.Do(s.t, logical.Read, "data/k", fmt.Sprintf(`{"version":%d}`, n))
		if want == nil {
			if !logical.Is(err, logical.ErrNotFound) {
				t.Fatalf("version %d of %d: got %v, want none", n, s.k.current, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("version %d: %v", n, err)
		}
		got := decodeAnswer(t, resp)
		if gone := resp.Status == http.StatusNotFound; gone != want.gone(s.m.Now) || gone != (got.Data == nil) {
			t.Fatalf("version %d: gone %t, want %t", n, gone, want.gone(s.m.Now))
		}
		if got.Metadata.Destroyed != want.destroyed || got.Metadata.Version != map[bool]int{true: s.k.current, false: n}[n == 0] {
			t.Fatalf("version %d: %+v, want destroyed %t", n, got.Metadata, want.destroyed)
		}
		if got.Data != nil && fmt.Sprint(got.Data) != fmt.Sprint(want.data) {
			t.Fatalf("version %d: %v, want %v", n, got.Data, want.data)
		}
	}
	s.entries(t)
}

// entries counts what is stored: one secret for each version that is not destroyed, and no more.
func (s *machine) entries(t *rapid.T) {
	want := 0
	for _, v := range s.k.versions {
		if !v.destroyed {
			want++
		}
	}
	list, err := s.m.Storage.List(s.t.Context(), "ver/k/", "", 0)
	if err != nil || len(list) != want {
		t.Fatalf("%d secrets are stored, want %d: %v", len(list), want, err)
	}
	_, err = s.m.Do(s.t, logical.Read, "metadata/k", "")
	if (err == nil) != s.k.present {
		t.Fatalf("metadata: %v, want present %t", err, s.k.present)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, _ := newCached(t)
		s := &machine{t: t, m: m, k: model{versions: map[int]*modelVersion{}}}
		rt.Repeat(map[string]func(*rapid.T){
			"": s.Check, "put": s.Put, "put again": s.Put, "patch": s.Patch, "delete latest": s.DeleteLatest, "delete": s.Delete,
			"undelete": s.Undelete, "destroy": s.Destroy, "settings": s.Settings, "mount": s.Mount, "forget": s.Forget, "wait": s.Wait,
		})
	})
}
