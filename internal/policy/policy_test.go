package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

func parse(t testing.TB, name, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(name, text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return p
}

// TestCheck holds decisions to Vault's documented rules.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		allowed    string // "capability path", one a line
		refused    string
	}{
		{
			"exact", `path "a/b" { capabilities = ["read"] }`,
			"read a/b", "update a/b\nread a\nread a/b/c\nread a/bc\nread /a/b",
		}, {
			"prefix", `path "a/*" { capabilities = ["read", "list"] }`,
			"read a/b\nread a/b/c\nlist a/\nread a/", "read a\nread b/a\nupdate a/b",
		}, {
			"a list of a folder without its slash", `path "a/b" { capabilities = ["list"] }`,
			"list a/b/\nlist a/b", "list a/",
		}, {
			"one segment", `path "a/+/c" { capabilities = ["read"] }`,
			"read a/b/c\nread a/x/c", "read a/c\nread a/b/d/c\nread a//c\nread a/b/c/d",
		}, {
			"segments and a rest", `path "+/b/+/d*" { capabilities = ["read"] }`,
			"read a/b/c/d\nread a/b/c/dd/e", "read a/b/c\nread a/x/c/d",
		}, {
			"the longest prefix counts alone", `path "a/*" { capabilities = ["read", "update"] } path "a/b/*" { capabilities = ["read"] }`,
			"update a/x\nread a/b/x", "update a/b/x",
		}, {
			"exact before prefix", `path "a/*" { capabilities = ["read"] } path "a/b" { capabilities = ["update"] }`,
			"update a/b\nread a/c", "read a/b",
		}, {
			"deny beats all on one pattern", `path "a" { capabilities = ["deny"] } path "a" { capabilities = ["read"] }`,
			"", "read a",
		}, {
			"a deny further out does not reach in", `path "a/*" { capabilities = ["deny"] } path "a/b" { capabilities = ["read"] }`,
			"read a/b", "read a/c",
		}, {
			"a later wildcard is more specific", `path "a/+/c" { capabilities = ["read"] } path "a/b/*" { capabilities = ["update"] }`,
			"update a/b/c\nread a/x/c", "read a/b/c",
		}, {
			"no star beats a star at the same place", `path "a/*" { capabilities = ["update"] } path "a/+" { capabilities = ["read"] }`,
			"read a/b\nupdate a/b/c", "update a/b",
		}, {
			"the older words", `path "r" { policy = "read" } path "w" { policy = "write" } path "d" { policy = "deny" } path "s" { policy = "sudo" }`,
			"read r\nlist r\nupdate w\ndelete w\nupdate s", "update r\nread d",
		}, {
			"JSON", `{"path": {"a/*": {"capabilities": ["read"]}, "b": {"capabilities": ["list"]}}}`,
			"read a/x\nlist b", "read b",
		}, {
			"a leading slash is dropped", `path "/a" { capabilities = ["read"] }`,
			"read a", "read /a",
		}, {
			"nothing", ``, "", "read a\nlist \nread sys/mounts",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			acl := policy.Compile(parse(t, "p", c.text))
			for want, lines := range map[bool]string{true: c.allowed, false: c.refused} {
				for line := range strings.Lines(lines) {
					capability, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
					if got := acl.Check(policy.Query{Capability: policy.Capability(capability), Path: path}).Allowed; got != want {
						t.Errorf("%s: allowed = %v, want %v", line, got, want)
					}
				}
			}
		})
	}
}

// TestCheck_Parameters holds the bounds on parameters and wrapping to their rules.
func TestCheck_Parameters(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(parse(t, "p", `
path "allowed" { capabilities = ["create"] allowed_parameters = { "a" = ["x*", "y"] "b" = [] } }
path "others"  { capabilities = ["create"] allowed_parameters = { "a" = ["x"] "*" = [] } }
path "denied"  { capabilities = ["create"] denied_parameters = { "a" = ["x"] "b" = [] } }
path "none"    { capabilities = ["create"] denied_parameters = { "*" = [] } }
path "needed"  { capabilities = ["create"] required_parameters = ["a", "b"] }
path "wrapped" { capabilities = ["create"] min_wrapping_ttl = "1m" max_wrapping_ttl = 300 }
`))
	type data = map[string]any
	for _, c := range []struct {
		path string
		data data
		wrap time.Duration
		want bool
	}{
		{"allowed", nil, 0, true},
		{"allowed", data{"a": "xyz"}, 0, true},
		{"allowed", data{"A": "y", "b": 7}, 0, true},
		{"allowed", data{"a": "z"}, 0, false},
		{"allowed", data{"c": "x"}, 0, false},
		{"others", data{"c": "x"}, 0, true},
		{"others", data{"a": "y"}, 0, false},
		{"denied", data{"a": "x"}, 0, false},
		{"denied", data{"a": "y"}, 0, true},
		{"denied", data{"B": ""}, 0, false},
		{"none", data{"c": 1}, 0, false},
		{"none", nil, 0, true},
		{"needed", data{"a": 1}, 0, false},
		{"needed", data{"a": 1, "B": 2, "c": 3}, 0, true},
		{"wrapped", nil, 0, false},
		{"wrapped", nil, 30 * time.Second, false},
		{"wrapped", nil, time.Minute, true},
		{"wrapped", nil, 6 * time.Minute, false},
	} {
		q := policy.Query{Capability: policy.Create, Path: c.path, Data: c.data, WrapTTL: c.wrap}
		if got := acl.Check(q).Allowed; got != c.want {
			t.Errorf("%s with %v wrapped for %v: %v, want %v", c.path, c.data, c.wrap, got, c.want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(parse(t, "one", `path "a" { capabilities = ["update", "read"] }`), parse(t, "two", `path "a" { capabilities = ["sudo"] }`))
	for path, want := range map[string][]string{"a": {"read", "sudo", "update"}, "b": {"deny"}} {
		if got := acl.Capabilities(path); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if d := acl.Check(policy.Query{Capability: policy.Read, Path: "a"}); !d.Sudo || !slices.Equal(d.Policies, []string{"one", "two"}) {
		t.Errorf("decision %+v", d)
	}
	if got := policy.Compile(policy.Root()).Capabilities("x"); !slices.Equal(got, []string{"root"}) {
		t.Errorf("root: %q", got)
	}
}

// TestParse_Errors requires that what is no policy is refused, saying where.
func TestParse_Errors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"path \"a\" {\n capabilities = [\"fly\"] }":  "line 1: path \"a\": invalid capability \"fly\"",
		"\n\npath \"a\" { capability = [\"read\"] }": "line 3: path \"a\": invalid key \"capability\"",
		"rule \"a\" {}":                                                         "invalid key \"rule\"",
		"path \"a\" { capabilities = [\"read\"]":                                "not a policy",
		"path \"a+*\" { capabilities = [\"read\"] }":                            "\"+*\" is forbidden",
		"path \"a*b\" { capabilities = [\"read\"] }":                            "only at the end",
		"path \"a\" { policy = \"some\" }":                                      "invalid policy \"some\"",
		"path \"a\" { min_wrapping_ttl = \"soon\" }":                            "min_wrapping_ttl",
		"path \"a\" { min_wrapping_ttl = \"2h\" \n max_wrapping_ttl = \"1h\" }": "smaller than",
	} {
		if _, err := policy.Parse("p", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	p := parse(t, "p", `path "secret/{{identity.entity.id}}/*" { capabilities = ["read"] } path "fixed" { capabilities = ["read"] }`)
	if !p.Templated() {
		t.Fatal("not templated")
	}
	fill := func(value string, ok bool) *policy.ACL {
		return policy.Compile(p.Expand(func(e string) (string, bool) {
			if e != "identity.entity.id" {
				t.Errorf("asked for %q", e)
			}
			return value, ok
		}))
	}
	read := func(a *policy.ACL, path string) bool {
		return a.Check(policy.Query{Capability: policy.Read, Path: path}).Allowed
	}
	if a := fill("me", true); !read(a, "secret/me/x") || read(a, "secret/you/x") || !read(a, "fixed") {
		t.Error("a filled template allows the wrong paths")
	}
	for _, hostile := range []string{"", "*", "+", "a/../b"} {
		if a := fill(hostile, true); read(a, "secret/"+hostile+"/x") || read(a, "secret/y/x") || !read(a, "fixed") {
			t.Errorf("a template filled with %q opens paths", hostile)
		}
	}
	if a := fill("", false); read(a, "secret//x") {
		t.Error("a template that cannot be filled opens paths")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	rules := []*policy.Policy{parse(t, "one", `path "a/*" { capabilities = ["read"] }`), parse(t, "two", `path "a/b" { capabilities = ["list"] } path "no" { capabilities = ["deny"] }`)}
	x := policy.Explain(rules, policy.Query{Capability: policy.Read, Path: "a/b"})
	if x.Allowed || len(x.Matched) != 2 || x.Matched[0].Pattern != "a/b" || x.Matched[1].Pattern != "a/*" {
		t.Fatalf("explanation %+v", x)
	}
	// The rule that is proposed, added, allows it and keeps what was allowed.
	fixed := policy.Compile(append(rules, parse(t, "fix", x.Fix))...)
	for _, c := range []policy.Capability{policy.Read, policy.List} {
		if !fixed.Check(policy.Query{Capability: c, Path: "a/b"}).Allowed {
			t.Errorf("with the fix %s is refused:\n%s", c, x.Fix)
		}
	}
	if x := policy.Explain(rules, policy.Query{Capability: policy.Read, Path: "no"}); x.Fix != "" || !strings.Contains(x.Reason, "denies") {
		t.Errorf("a deny: %+v", x)
	}
	if x := policy.Explain(rules, policy.Query{Capability: policy.Read, Path: "a/c"}); !x.Allowed {
		t.Errorf("allowed: %+v", x)
	}
}

// slow decides as the documentation says it, by looking at every rule.
func slow(policies []*policy.Policy, q policy.Query) bool {
	best, found := "", false
	caps := map[policy.Capability]bool{}
	for _, p := range policies {
		for _, r := range p.Rules {
			if !match(r.Path, q.Path) && !(q.Capability == policy.List && match(r.Path, strings.TrimSuffix(q.Path, "/"))) {
				continue
			}
			if found && r.Path != best && moreSpecific(best, r.Path, q.Path) {
				continue
			}
			if r.Path != best || !found {
				best, found, caps = r.Path, true, map[policy.Capability]bool{}
			}
			for _, c := range r.Capabilities {
				caps[c] = true
			}
		}
	}
	return found && !caps[policy.Deny] && caps[q.Capability]
}

func match(pattern, path string) bool {
	p, star := strings.CutSuffix(pattern, "*")
	want, have := strings.Split(p, "/"), strings.Split(path, "/")
	if len(have) < len(want) || !star && len(have) != len(want) {
		return false
	}
	for i, w := range want {
		last := i == len(want)-1
		switch {
		case last && star:
			return strings.HasPrefix(strings.Join(have[i:], "/"), w)
		case w == "+" && have[i] != "":
		case w != have[i]:
			return false
		}
	}
	return true
}

// moreSpecific reports whether a comes before b: an exact path first, then Vault's five rules.
func moreSpecific(a, b, path string) bool {
	exact := func(p string) int {
		switch p {
		case path:
			return 2
		case strings.TrimSuffix(path, "/"):
			return 1
		}
		return 0
	}
	if x, y := exact(a), exact(b); x != y {
		return x > y
	}
	wild := func(p string) int {
		for i := range len(p) {
			if p[i] == '*' || p[i] == '+' && (i == 0 || p[i-1] == '/') {
				return i
			}
		}
		return len(p) + 1
	}
	if x, y := wild(a), wild(b); x != y {
		return x > y
	}
	if x, y := strings.HasSuffix(a, "*"), strings.HasSuffix(b, "*"); x != y {
		return y
	}
	if x, y := strings.Count("/"+a+"/", "/+/"), strings.Count("/"+b+"/", "/+/"); x != y {
		return x < y
	}
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// TestCheck_Law holds the compiled form to the slow one, for random rules and paths.
func TestCheck_Law(t *testing.T) {
	t.Parallel()
	segment := rapid.SampledFrom([]string{"a", "b", "ab", "+"})
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "rules") {
			parts := rapid.SliceOfN(segment, 1, 4).Draw(t, "segments")
			path := strings.Join(parts, "/")
			if rapid.Bool().Draw(t, "star") && !strings.HasSuffix(path, "+") {
				path += rapid.SampledFrom([]string{"*", "/*"}).Draw(t, "end")
			}
			fmt.Fprintf(&text, "path %q { capabilities = [%q] }\n", path, rapid.SampledFrom([]string{"read", "list", "deny", "update"}).Draw(t, "capability"))
		}
		p, err := policy.Parse("p", text.String())
		if err != nil {
			t.Fatal(err)
		}
		acl := policy.Compile(p)
		path := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "c"}), 1, 4).Draw(t, "path"), "/")
		q := policy.Query{Capability: rapid.SampledFrom([]policy.Capability{policy.Read, policy.List, policy.Update}).Draw(t, "asked"), Path: path}
		if got, want := acl.Check(q).Allowed, slow([]*policy.Policy{p}, q); got != want {
			t.Fatalf("%s %s: %v, want %v by\n%s", q.Capability, path, got, want, text.String())
		}
		if x := policy.Explain([]*policy.Policy{p}, q); x.Allowed != acl.Check(q).Allowed {
			t.Fatalf("the explanation differs: %+v", x)
		}
	})
}

// TestDefault requires that the default policy is a policy.
func TestDefault(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(parse(t, "default", policy.DefaultText))
	if !acl.Check(policy.Query{Capability: policy.Read, Path: "auth/token/lookup-self"}).Allowed {
		t.Error("a token may not look at itself")
	}
	if acl.Check(policy.Query{Capability: policy.Read, Path: "secret/data/a"}).Allowed {
		t.Error("everybody may read secrets")
	}
}

// FuzzParse requires that whatever is taken compiles and decides without a panic.
func FuzzParse(f *testing.F) {
	f.Add(policy.DefaultText, "auth/token/lookup-self")
	f.Add(`{"path": {"a/+/*": {"capabilities": ["read"]}}}`, "a/b/c")
	f.Add(`path "+" { policy = "sudo" }`, "/")
	f.Fuzz(func(t *testing.T, text, path string) {
		p, err := policy.Parse("p", text)
		if err != nil {
			return
		}
		acl := policy.Compile(p)
		q := policy.Query{Capability: policy.Read, Path: path}
		if acl.Check(q).Allowed != policy.Explain([]*policy.Policy{p}, q).Allowed {
			t.Errorf("%q of %q: decision and explanation differ", path, text)
		}
		acl.Capabilities(path)
	})
}

func BenchmarkCheck(b *testing.B) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "path \"secret/data/team%d/*\" { capabilities = [\"read\"] }\n", i)
	}
	acl := policy.Compile(parse(b, "p", text.String()), parse(b, "default", policy.DefaultText))
	q := policy.Query{Capability: policy.Read, Path: "secret/data/team42/app/db"}
	b.ReportAllocs()
	for b.Loop() {
		if !acl.Check(q).Allowed {
			b.Fatal("refused")
		}
	}
}
