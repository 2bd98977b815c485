package rendered_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/rendered"
)

func mark(s string) string { return "h(" + s + ")" }

func TestAudit(t *testing.T) {
	for _, c := range []struct{ in, clear, want string }{
		{`null`, ``, `null`},
		{`{}`, ``, `{}`},
		{`{"a":"b"}`, ``, `{"a":"h(b)"}`},
		{`{"a":["x","",{"y":"z"}],"n":null,"t":true}`, ``, `{"a":["h(x)","h()",{"y":"h(z)"}],"n":null,"t":true}`},
		{`{"pin":-1.5e9,"l":[1,2]}`, ``, `{"pin":"h(-1.5e9)","l":["h(1)","h(2)"]}`},
		{`{"a\"b":"c\\\"d:","e":"\u003c"}`, ``, `{"a\"b":"h(c\\\"d:)","e":"h(\u003c)"}`},
		{`{"data":{"a":1}`, `,"metadata":{"version":3,"created_time":"2026"}}`, `{"data":{"a":"h(1)"},"metadata":{"version":3,"created_time":"h(2026)"}}`},
	} {
		r := rendered.New([]byte(c.in+c.clear), len(c.in)).Response()
		if got := string(r.Sensitive.Audit([]byte("x"), mark)); got != "x"+c.want {
			t.Errorf("%s%s: got %s, want %s", c.in, c.clear, got, c.want)
		}
		if string(r.Rendered) != c.in+c.clear {
			t.Errorf("rendered %s, want it unchanged", r.Rendered)
		}
	}
}

// TestAudit_LeavesNoValue holds the audit form against a walk over the decoded value.
func TestAudit_LeavesNoValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := map[string]any{}
		for k, v := range rapid.MapOf(rapid.String(), rapid.SliceOfN(rapid.String(), 0, 3)).Draw(t, "object") {
			in[k] = map[string]any{k: v, "n": json.Number("17")}
		}
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		got := rendered.New(raw, len(raw)).Response().Sensitive.Audit(nil, mark)
		want, err := json.Marshal(walk(in))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func walk(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, item := range v {
			out[k] = walk(item)
		}
		return out
	case []string:
		out := []any{}
		for _, item := range v {
			out = append(out, mark(strings.ToValidUTF8(item, "\uFFFD")))
		}
		return out
	case json.Number:
		return mark(v.String())
	}
	return v
}
