package grant_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// few draws from so few values that uses and rules often meet.
func few(values ...string) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID[string])
}

func rules() *rapid.Generator[grant.Rule] {
	return rapid.Custom(func(t *rapid.T) grant.Rule {
		r := grant.Rule{
			Tools: few("http_request", "shield", "run_command").Draw(t, "tools"), Envs: few("development", "production").Draw(t, "envs"),
			Hosts: few("a.example.com", "*.example.com", "10.0.0.0/8", "a.example.com:443").Draw(t, "hosts"), Methods: few("GET", "POST").Draw(t, "methods"),
			Paths: few("/v1/*", "/**", "/v1/x").Draw(t, "paths"), In: few("body", "header:authorization").Draw(t, "in"),
			Commands: few("git", "git push").Draw(t, "commands"), Exact: rapid.Bool().Draw(t, "exact"), Max: rapid.IntRange(0, 3).Draw(t, "max"),
			Approve: rapid.Bool().Draw(t, "approve"), Request: rapid.SampledFrom([]string{"", "x"}).Draw(t, "request"),
		}
		if rapid.Bool().Draw(t, "ends") {
			r.Expires = noon.Add(-time.Second)
		}
		return r
	})
}

func uses() *rapid.Generator[grant.Use] {
	return rapid.Custom(func(t *rapid.T) grant.Use {
		u := grant.Use{
			Project: "p", Env: rapid.SampledFrom([]string{"development", "production"}).Draw(t, "env"), Secrets: few("A", "B").Draw(t, "secrets"),
			Tool: rapid.SampledFrom([]string{"http_request", "shield", "run_command"}).Draw(t, "tool"), Scheme: "https",
			Host: rapid.SampledFrom([]string{"", "a.example.com", "example.com", "10.1.1.1"}).Draw(t, "host"), Port: rapid.SampledFrom([]int{0, 8443}).Draw(t, "port"),
			Method: rapid.SampledFrom([]string{"", "GET", "POST"}).Draw(t, "method"), Path: rapid.SampledFrom([]string{"", "/", "/v1/x", "/v1/../y"}).Draw(t, "path"),
			Body: rapid.SampledFrom([]string{"", "aa"}).Draw(t, "body"), Command: few("git", "push").Draw(t, "command"),
		}
		u.In = map[string]string{}
		for _, s := range u.Secrets {
			u.In[s] = rapid.SampledFrom([]string{"", "body", "header:authorization,body"}).Draw(t, "in "+s)
		}
		return u
	})
}

// One rule more never takes a permission away, wherever it stands; and the order of rules says nothing.
func TestDecide_Monotonic(t *testing.T) {
	t.Parallel()
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		u := uses().Draw(t, "use")
		have := map[string][]grant.Rule{
			"A": rapid.SliceOfN(rules(), 0, 4).Draw(t, "rules of A"), "B": rapid.SliceOfN(rules(), 0, 4).Draw(t, "rules of B"),
		}
		used := rapid.IntRange(0, 3).Draw(t, "used")
		count := func(string, grant.Rule) int { return used }
		before := grant.Decide(u, have, noon, count)
		if before.Outcome == grant.Allowed {
			allowed++
		}
		to := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "to")
		more := map[string][]grant.Rule{"A": have["A"], "B": have["B"]}
		at := rapid.IntRange(0, len(more[to])).Draw(t, "at")
		more[to] = slices.Insert(slices.Clone(more[to]), at, rules().Draw(t, "one more"))
		if after := grant.Decide(u, more, noon, count); before.Outcome == grant.Allowed && after.Outcome != grant.Allowed {
			t.Fatalf("allowed before, then %+v", after)
		}
		slices.Reverse(have["A"])
		if turned := grant.Decide(u, have, noon, count); turned.Outcome != before.Outcome {
			t.Fatalf("in another order: %+v, was %+v", turned, before)
		}
	})
	if allowed == 0 {
		t.Error("no use was ever allowed: nothing was tried")
	}
}

// A use of several secrets is allowed exactly when each of them alone is.
func TestDecide_EachSecret(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := uses().Draw(t, "use")
		u.Secrets = []string{"A", "B"}
		have := map[string][]grant.Rule{
			"A": rapid.SliceOfN(rules(), 0, 4).Draw(t, "rules of A"), "B": rapid.SliceOfN(rules(), 0, 4).Draw(t, "rules of B"),
		}
		both := grant.Decide(u, have, noon, nil).Outcome
		a, b := u, u
		a.Secrets, b.Secrets = []string{"A"}, []string{"B"}
		if want := min(grant.Decide(a, have, noon, nil).Outcome, grant.Decide(b, have, noon, nil).Outcome); both != want {
			t.Fatalf("both %d, the lesser of each alone %d", both, want)
		}
	})
}

// The rule that an answer makes permits what was asked, and with any one thing changed that it fixes, no longer.
func TestUse_Like(t *testing.T) {
	t.Parallel()
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		u := uses().Draw(t, "use")
		u.Secrets = []string{"A"}
		r, err := u.Like("A")
		if err != nil {
			return
		}
		made++
		have := map[string][]grant.Rule{"A": {r}}
		if got := grant.Decide(u, have, noon, nil); got.Outcome != grant.Allowed {
			t.Fatalf("%+v does not permit what it was made of: %s", r, got.Reason)
		}
		u.Body += "changed"
		if grant.Decide(u, have, noon, nil).Outcome != grant.Allowed {
			t.Fatal("another body is not permitted")
		}
		for name, change := range changes() {
			other := u
			change(&other)
			if name == "Body" || name == "Query" || name == "Project" || name == "Secrets" || name == "Scheme" {
				continue
			}
			if grant.Decide(other, have, noon, nil).Outcome == grant.Allowed {
				t.Fatalf("%+v permits a use with another %s", r, name)
			}
		}
	})
	if made == 0 {
		t.Error("no rule was ever made")
	}
}

// changes are ways to change each field of a use.
func changes() map[string]func(*grant.Use) {
	return map[string]func(*grant.Use){
		"Project": func(u *grant.Use) { u.Project += "x" },
		"Env":     func(u *grant.Use) { u.Env += "x" },
		"Secrets": func(u *grant.Use) { u.Secrets = append(slices.Clone(u.Secrets), "X") },
		"Tool":    func(u *grant.Use) { u.Tool += "x" },
		"Scheme":  func(u *grant.Use) { u.Scheme += "x" },
		"Host":    func(u *grant.Use) { u.Host += "x" },
		"Port":    func(u *grant.Use) { u.Port += 7; u.Host += "x" }, // a port without a host means nothing
		"Method":  func(u *grant.Use) { u.Method += "X" },
		"Path":    func(u *grant.Use) { u.Path += "/x" },
		"Query":   func(u *grant.Use) { u.Query += "x" },
		"In":      func(u *grant.Use) { u.In = map[string]string{"A": u.In["A"] + ",login"} },
		"Body":    func(u *grant.Use) { u.Body += "x" },
		"Command": func(u *grant.Use) { u.Command = append(slices.Clone(u.Command), "x") },
	}
}

// Two uses that differ in any field have different digests; the order of the secrets says nothing.
func TestUse_Digest(t *testing.T) {
	t.Parallel()
	all := changes()
	for f := range reflect.TypeFor[grant.Use]().Fields() {
		if all[f.Name] == nil {
			t.Errorf("the test does not change %s", f.Name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		u := uses().Draw(t, "use")
		for name, change := range all {
			other := u
			change(&other)
			if other.Digest() == u.Digest() {
				t.Fatalf("another %s has the same digest", name)
			}
		}
		u.Secrets = append([]string{"B"}, u.Secrets...)
		turned := u
		turned.Secrets = slices.Clone(u.Secrets)
		slices.Reverse(turned.Secrets)
		if turned.Digest() != u.Digest() {
			t.Fatal("the order of the secrets changes the digest")
		}
	})
}
