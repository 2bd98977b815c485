package patch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tailscale/hujson"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

var (
	server = patch.Member{Path: []string{"mcpServers"}, Key: "zvault", Value: `{"command":"zvault","args":["mcp-server"]}`}
	rule   = patch.Element{Path: []string{"permissions", "deny"}, Value: `"Read(./.env)"`}
)

// add adds and checks what must hold of every addition: it is there, a second one changes nothing, and it can be undone to the byte.
func add(t testing.TB, e patch.Edit, before string) (after string, made []string) {
	t.Helper()
	splices, made, err := e.Add([]byte(before))
	if err != nil {
		t.Fatalf("%q: %v", before, err)
	}
	text, err := patch.Apply([]byte(before), splices)
	if err != nil {
		t.Fatal(err)
	}
	if has, err := e.Has(text); err != nil || !has {
		t.Fatalf("%q lacks it: %v", text, err)
	}
	if again, _, err := e.Add(text); err != nil || len(again) > 0 {
		t.Errorf("a second time %q: %v, %v", text, again, err)
	}
	back, err := patch.Apply(text, patch.Revert(splices))
	if err != nil || string(back) != before {
		t.Errorf("%q became %q: %v", before, back, err)
	}
	return string(text), made
}

func TestMember_Add(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after string }{
		"no file":     {"", "{\n  \"mcpServers\": {\n    \"zvault\": {\n      \"command\": \"zvault\",\n      \"args\": [\n        \"mcp-server\"\n      ]\n    }\n  }\n}\n"},
		"empty":       {"{}\n", "{\n  \"mcpServers\": {\n    \"zvault\": {\n      \"command\": \"zvault\",\n      \"args\": [\n        \"mcp-server\"\n      ]\n    }\n  }\n}\n"},
		"one line":    {`{"mcpServers":{"a":{}}}`, `{"mcpServers":{"a":{}, "zvault": {"command":"zvault","args":["mcp-server"]}}}`},
		"tabs, CRLF":  {"{\r\n\t\"x\": 1\r\n}", "{\r\n\t\"x\": 1,\r\n\t\"mcpServers\": {\r\n\t\t\"zvault\": {\r\n\t\t\t\"command\": \"zvault\",\r\n\t\t\t\"args\": [\r\n\t\t\t\t\"mcp-server\"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}"},
		"byte order":  {"\ufeff{\n  \"mcpServers\": {}\n}", "\ufeff{\n  \"mcpServers\": {\n    \"zvault\": {\n      \"command\": \"zvault\",\n      \"args\": [\n        \"mcp-server\"\n      ]\n    }\n  }\n}"},
		"comment end": {"{\n  \"mcpServers\": {\n    \"a\": 1 // mine, {\n    // more\n  }\n}", "{\n  \"mcpServers\": {\n    \"a\": 1, // mine, {\n    \"zvault\": {\n      \"command\": \"zvault\",\n      \"args\": [\n        \"mcp-server\"\n      ]\n    }\n    // more\n  }\n}"},
		"trailing":    {"{\n    \"mcpServers\": {\n        \"a\": 1, /* x */\n    },\n}", "{\n    \"mcpServers\": {\n        \"a\": 1, /* x */\n        \"zvault\": {\n            \"command\": \"zvault\",\n            \"args\": [\n                \"mcp-server\"\n            ]\n        },\n    },\n}"},
		"only remark": {"{\n  \"mcpServers\": {\n    // none yet\n  }\n}", "{\n  \"mcpServers\": {\n    // none yet\n    \"zvault\": {\n      \"command\": \"zvault\",\n      \"args\": [\n        \"mcp-server\"\n      ]\n    }\n  }\n}"},
	} {
		after, _ := add(t, server, c.before)
		if diff := cmp.Diff(c.after, after); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestElement_Add(t *testing.T) {
	t.Parallel()
	after, made := add(t, rule, "{\n  \"permissions\": {\n    \"allow\": [\"a\"]\n  }\n}")
	want := "{\n  \"permissions\": {\n    \"allow\": [\"a\"],\n    \"deny\": [\n      \"Read(./.env)\"\n    ]\n  }\n}"
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"permissions.deny"}, made); diff != "" {
		t.Error(diff)
	}
	if after, _ := add(t, rule, `{"permissions":{"deny":["a"]}}`); after != `{"permissions":{"deny":["a", "Read(./.env)"]}}` {
		t.Error(after)
	}
}

func TestJSON_Refused(t *testing.T) {
	t.Parallel()
	for text, place := range map[string]string{
		"{\n  \"a\": hush,\n}": "line 2, column 8", "{\n \"mcpServers\": [\n": "line", "[]": "line 1, column 1", "{\"mcpServers\": 3}": "line 1, column 16",
		"{} x": "line 1, column 4", "{\"mcpServers\":{\"zvault\":{\"command\":\"hush\"}}}": "line 1, column 25",
	} {
		for _, f := range []func() error{
			func() error { _, _, err := server.Add([]byte(text)); return err },
			func() error { _, err := server.Has([]byte(text)); return err },
		} {
			if err := f(); err == nil || !strings.Contains(err.Error(), place) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	if has, err := server.Has([]byte(`{"mcpServers":{"zvault":{"command":"zvault","args":["mcp-server"],"env":{"A":"b"}}}}`)); err != nil || !has {
		t.Error("an entry with more to it does not count", err)
	}
	var syntax *patch.SyntaxError
	if _, _, err := rule.Add([]byte("{")); !errors.As(err, &syntax) {
		t.Error(err)
	}
}

// remove removes without a record of what was made.
func remove(t testing.TB, e patch.Edit, text string, empty bool) (string, error) {
	t.Helper()
	splices, err := e.Remove([]byte(text), func(string) bool { return empty })
	if err != nil {
		return text, err
	}
	after, err := patch.Apply([]byte(text), splices)
	if err != nil {
		t.Fatal(err)
	}
	return string(after), nil
}

func TestMember_Remove(t *testing.T) {
	t.Parallel()
	const own = `"zvault": {"args": ["mcp-server"], "command": "zvault"}`
	for _, c := range []struct {
		before, after string
		empty         bool
	}{
		{`{"mcpServers": {"a": 1, ` + own + `}}`, `{"mcpServers": {"a": 1}}`, false},
		{`{"mcpServers": {` + own + `, "a": 1}}`, `{"mcpServers": { "a": 1}}`, true},
		{"{\"mcpServers\": {\n  \"a\": 1, // mine\n  " + own + ",\n  \"b\": 2\n}}", "{\"mcpServers\": {\n  \"a\": 1, // mine\n  \"b\": 2\n}}", false},
		{"{\"mcpServers\": {\n  \"a\": 1,\n  " + own + ",\n}}", "{\"mcpServers\": {\n  \"a\": 1,\n}}", false},
		{"{\n  \"x\": 1,\n  \"mcpServers\": {\n  " + own + "}\n}", "{\n  \"x\": 1\n}", true},
		{"{\n  \"x\": 1,\n  \"mcpServers\": {\n  " + own + "}\n}", "{\n  \"x\": 1,\n  \"mcpServers\": {}\n}", false},
		{"{\"mcpServers\": { /* keep */ " + own + "}}", "{\"mcpServers\": { /* keep */}}", true},
		{`{"mcpServers": {"a": 1}}`, `{"mcpServers": {"a": 1}}`, true},
	} {
		if got, err := remove(t, server, c.before, c.empty); err != nil || got != c.after {
			t.Errorf("%s:\n got %s\nwant %s (%v)", c.before, got, c.after, err)
		}
	}
	if _, err := remove(t, server, `{"mcpServers":{"zvault":{"command":"zvault","args":["mcp-server","--read-only"]}}}`, true); !errors.Is(err, patch.ErrChanged) {
		t.Error(err)
	}
}

// Whatever is in a file, adding keeps all of it, and removing what was added leaves what means the same.
func TestLaw_AddKeepsTheRest(t *testing.T) {
	t.Parallel()
	blank := rapid.SampledFrom([]string{"", " ", "\n", "\n  ", "\t", "\r\n", " // c\n", "/* {,} */", "\n\t// x: {\n"})
	var value *rapid.Generator[string]
	list := func(rt *rapid.T, open, close string, item func() string) string {
		var b strings.Builder
		b.WriteString(open)
		n := rapid.IntRange(0, 3).Draw(rt, "n")
		for i := range n {
			b.WriteString(blank.Draw(rt, "b") + item() + blank.Draw(rt, "b"))
			if i < n-1 || rapid.Bool().Draw(rt, "comma") {
				b.WriteString(",")
			}
		}
		return b.String() + blank.Draw(rt, "b") + close
	}
	value = rapid.Custom(func(rt *rapid.T) string {
		return rapid.SampledFrom([]string{"1", "null", `"x,}"`, `"a//b"`, "[1, 2 ]", `{"q": {}}`}).Draw(rt, "v")
	})
	rapid.Check(t, func(rt *rapid.T) {
		before := list(rt, "{", "}", func() string { return `"` + rapid.StringMatching(`[a-e]`).Draw(rt, "k") + `":` + value.Draw(rt, "v") })
		if rapid.Bool().Draw(rt, "servers") {
			servers := list(rt, "{", "}", func() string { return `"` + rapid.StringMatching(`[a-e]`).Draw(rt, "k") + `" :` + value.Draw(rt, "v") })
			before = `{"mcpServers":` + servers + `}`
		}
		splices, made, err := server.Add([]byte(before))
		if err != nil {
			rt.Fatalf("%q: %v", before, err)
		}
		text, err := patch.Apply([]byte(before), splices)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := hujson.Parse(text); err != nil {
			rt.Fatalf("%q became %q: %v", before, text, err)
		}
		for _, s := range splices {
			if strings.TrimSpace(s.Removed) != "" {
				rt.Fatalf("%q was removed", s.Removed)
			}
		}
		back, err := server.Remove(text, func(name string) bool { return len(made) > 0 && made[0] == name })
		if err != nil {
			rt.Fatal(err)
		}
		after, err := patch.Apply(text, back)
		if err != nil {
			rt.Fatal(err)
		}
		if !cmp.Equal(comments(before), comments(string(after))) {
			rt.Fatalf("%q lost a comment: %q", before, after)
		}
		if want, got := minimal(rt, before), minimal(rt, string(after)); want != got {
			rt.Fatalf("%q became %q and then %q", before, text, after)
		}
	})
}

func comments(text string) int { return strings.Count(text, "// ") + strings.Count(text, "/*") }

func minimal(t rapid.TB, text string) string {
	out, err := hujson.Minimize([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return string(out)
}

func FuzzMember(f *testing.F) {
	f.Add(`{"mcpServers":{"a":1,},} // x`)
	f.Add("{\n\t/* a */ \"mcpServers\" : { }\n}")
	f.Fuzz(func(t *testing.T, before string) {
		splices, _, err := server.Add([]byte(before))
		if err != nil || len(splices) == 0 {
			return
		}
		add(t, server, before)
	})
}
