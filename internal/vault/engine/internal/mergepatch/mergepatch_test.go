package mergepatch_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/mergepatch"
)

// vectors loads appendix A of RFC 7396 and the example of its section 3.
func vectors(t testing.TB) []struct{ Target, Patch, Want json.RawMessage } {
	t.Helper()
	raw, err := os.ReadFile("testdata/rfc7396.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Target, Patch, Want json.RawMessage }
	if err := json.Unmarshal(raw, &list); err != nil || len(list) != 16 {
		t.Fatalf("%d vectors, %v", len(list), err)
	}
	return list
}

func decode(raw string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func value(t testing.TB, raw json.RawMessage) any {
	t.Helper()
	v, err := decode(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestApply_RFC7396(t *testing.T) {
	for _, v := range vectors(t) {
		got := mergepatch.Apply(value(t, v.Target), value(t, v.Patch))
		if diff := cmp.Diff(value(t, v.Want), got); diff != "" {
			t.Errorf("%s + %s: %s", v.Target, v.Patch, diff)
		}
	}
}

// FuzzApply holds what is true of every merge: nothing given is changed, a second time changes nothing, what the patch says
// holds afterwards, and what it does not name stays.
func FuzzApply(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(string(v.Target), string(v.Patch))
	}
	f.Add(`{"n":1.10,"big":123456789012345678901234567890}`, `{"m":{"x":[null]}}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		target, err := decode(a)
		if err != nil {
			return
		}
		patch, err := decode(b)
		if err != nil {
			return
		}
		got := mergepatch.Apply(target, patch)
		if again := mergepatch.Apply(got, patch); !cmp.Equal(got, again) {
			t.Fatalf("%s + %s: a second time gives %v, not %v", a, b, again, got)
		}
		for _, unchanged := range []struct {
			raw string
			v   any
		}{{a, target}, {b, patch}} {
			if v, err := decode(unchanged.raw); err != nil || !cmp.Equal(v, unchanged.v) {
				t.Fatalf("%s + %s changed what it was given", a, b)
			}
		}
		holds(t, target, patch, got)
	})
}

func holds(t *testing.T, target, patch, got any) {
	changes, ok := patch.(map[string]any)
	if !ok {
		if !cmp.Equal(patch, got) {
			t.Fatalf("got %v, want %v", got, patch)
		}
		return
	}
	result, ok := got.(map[string]any)
	if !ok {
		t.Fatalf("an object made %v", got)
	}
	old, _ := target.(map[string]any)
	for name, change := range changes {
		v, there := result[name]
		if there == (change == nil) {
			t.Fatalf("%q is there: %t", name, there)
		}
		if there {
			holds(t, old[name], change, v)
		}
	}
	for name, v := range old {
		if _, named := changes[name]; !named && !cmp.Equal(result[name], v) {
			t.Fatalf("%q became %v", name, result[name])
		}
	}
	for name := range result {
		_, a := old[name]
		_, b := changes[name]
		if !a && !b {
			t.Fatalf("%q came from nowhere", name)
		}
	}
}
