package policy_test

import (
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

func TestACL_Check(t *testing.T) {
	t.Parallel()
	for name, archive := range archives(t, "testdata/check/*.txtar") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readScenario(t, archive)
			acl := policy.Compile(s.policies...)
			lines := 0
			for line := range strings.Lines(s.files["queries"]) {
				question, want, ok := strings.Cut(strings.TrimSpace(line), "=>")
				if !ok {
					t.Fatalf("line %q has no =>", line)
				}
				lines++
				want = strings.TrimSpace(want)
				if path, ok := strings.CutPrefix(question, "caps "); ok {
					if got := strings.Join(acl.Capabilities(strings.TrimSpace(path)), ", "); got != want {
						t.Errorf("%s: %s; want %s", question, got, want)
					}
					continue
				}
				q := parseQuery(t, question)
				d := acl.Check(q)
				if got := describe(d, strings.Contains(want, "by=")); got != want {
					t.Errorf("%s: %s; want %s", question, got, want)
				}
				if d.Allowed == (len(d.Policies) == 0) {
					t.Errorf("%s: allowed %v by %q", question, d.Allowed, d.Policies)
				}
			}
			if lines < 3 {
				t.Fatalf("only %d queries", lines)
			}
		})
	}
}

func TestACL_Check_WhatIsNoOperation(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(mustParse(t, "p", `path "a" { capabilities = ["read", "list", "sudo"] }`))
	for _, c := range []policy.Capability{0, policy.Sudo, policy.Deny, policy.Read | policy.List, 1 << 12} {
		if d := acl.Check(policy.Query{Capability: c, Path: "a"}); d.Allowed {
			t.Errorf("capability %b is allowed", c)
		}
	}
}

func TestACL_Check_Bounds(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(mustParse(t, "p", `path "a" { capabilities = ["read"] min_wrapping_ttl = 60 max_wrapping_ttl = "1h" }`))
	d := acl.Check(parseQuery(t, "read a wrap=5m"))
	if !d.Allowed || d.MinWrap.Seconds() != 60 || d.MaxWrap.Hours() != 1 {
		t.Errorf("decision %+v", d)
	}
}

// Compile keeps nothing of what it was given that a caller may change, and a policy may be in several ACLs.
func TestCompile_SharesNothing(t *testing.T) {
	t.Parallel()
	a := mustParse(t, "a", `path "x" { capabilities = ["update"] allowed_parameters = { p = ["1"] } }`)
	b := mustParse(t, "b", `path "x" { capabilities = ["update"] allowed_parameters = { p = ["2"] } }`)
	set := []*policy.Policy{a, nil, b}
	both := policy.Compile(set...)
	alone := policy.Compile(a)
	if set[1] != nil {
		t.Error("the caller's slice was changed")
	}
	q := parseQuery(t, `update x p="2"`)
	if !both.Check(q).Allowed || alone.Check(q).Allowed {
		t.Errorf("both: %v, a alone: %v; want true, false", both.Check(q).Allowed, alone.Check(q).Allowed)
	}
	if policy.Compile(nil).Check(q).Allowed || policy.Compile().Check(q).Allowed {
		t.Error("no policy allows something")
	}
	root := mustParse(t, policy.RootName, "")
	if !policy.Compile(nil, root).Check(q).Root || policy.Compile(root, root).Check(q).Allowed {
		t.Error("root counts if, and only if, it is alone")
	}
}

// An ACL made long ago answers for today, and still for yesterday.
func TestACL_At(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(mustParse(t, "p", `
		path "a" { capabilities = ["read"] expiration = "2030-01-01T00:00:00Z" }
		path "a" { capabilities = ["list"] expiration = "2031-01-01T00:00:00Z" }
		path "a" { capabilities = ["update"] }`))
	for _, c := range []struct{ at, want string }{
		{"2029-06-01T00:00:00Z", "list read update"},
		{"2030-06-01T00:00:00Z", "list update"},
		{"2031-06-01T00:00:00Z", "update"},
		{"2030-06-01T00:00:00Z", "list update"},
		{"2029-06-01T00:00:00Z", "list read update"},
	} {
		now := parseQuery(t, "read a at="+c.at).Time
		if got := strings.Join(acl.At(now).Capabilities("a"), " "); got != c.want {
			t.Errorf("at %s: %s; want %s", c.at, got, c.want)
		}
		if acl.At(now) != acl.At(now) {
			t.Errorf("at %s: compiled again", c.at)
		}
	}
}

func TestACL_Reaches(t *testing.T) {
	t.Parallel()
	acl := policy.Compile(mustParse(t, "p", `
		path "exact/a/b"   { capabilities = ["read"] }
		path "deep/a/*"    { capabilities = ["list"] }
		path "wide*"       { capabilities = ["read"] }
		path "no/*"        { capabilities = ["deny"] }
		path "no/+/x"      { capabilities = ["deny"] }
		path "nothing/a"   { }
		path "+/config"    { capabilities = ["sudo"] }
		path "a/+/c/d"     { capabilities = ["read"] }
		path "g/+/pre*"    { capabilities = ["read"] }
		path "h/+"         { capabilities = ["read"] }`))
	for _, c := range []struct {
		mount string
		want  bool
	}{
		{"exact/", true}, {"/exact/", true}, {"deep/", true}, {"deep/a/", true}, {"deep/b/", false}, {"widely/", true},
		{"no/", true}, {"nothing/", true}, {"a/b/", true}, {"a/b/c/", true}, {"a/b/d/", false}, {"a/b/c/d/", true}, {"g/x/prefix/", true},
		{"g/x/other/", false}, {"h/x/", true}, {"h/x/y/", false}, {"a/b/c/d/e/", false}, {"exact/b/", false}, {"nothing/x/", false}, {"other/x/", false},
	} {
		if got := acl.Reaches(c.mount); got != c.want {
			t.Errorf("Reaches(%q) = %v; want %v", c.mount, got, c.want)
		}
	}
	if none := policy.Compile(mustParse(t, "p", `path "a/x" { capabilities = ["deny"] } path "a/y" {} path "a/*" {}`)); none.Reaches("a/") {
		t.Error("denied rules reach")
	}
	if !policy.Compile(mustParse(t, policy.RootName, "")).Reaches("x/") {
		t.Error("root does not reach")
	}
}

func TestFilterPath(t *testing.T) {
	t.Parallel()
	got, ok := policy.FilterPath("{{ .path }}a/{{.key}}", "kv/data/", "x{{.path}}/")
	if want := "kv/data/a/x{{.path}}/"; !ok || got != want {
		t.Errorf("%q, %v; want %q", got, ok, want)
	}
	if got, ok := policy.FilterPath("{{ .path }}", "kv/", "x"); ok {
		t.Errorf("a filter without a key gives %q", got)
	}
}
