package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

// text writes the rule in JSON, so that the property covers that notation too; the tables cover HCL.
func (r oracleRule) text(t *rapid.T) string {
	body := map[string]any{"capabilities": r.Capabilities}
	if r.Allowed != nil {
		body["allowed_parameters"] = r.Allowed
	}
	if r.Denied != nil {
		body["denied_parameters"] = r.Denied
	}
	body["required_parameters"] = append([]string{}, r.Required...)
	body["min_wrapping_ttl"], body["max_wrapping_ttl"], body["pagination_limit"] = r.MinWrap, r.MaxWrap, r.Limit
	text, err := json.Marshal(map[string]any{r.Path: body})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	operationNames = []string{"create", "read", "update", "patch", "delete", "list", "scan"}
	somePaths      = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "", "+a", "a+"}), 1, 4).Draw(t, "segments"), "/")
	})
	someRules = rapid.Custom(func(t *rapid.T) string {
		path := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "+", "+", "", "+a"}), 1, 4).Draw(t, "segments"), "/")
		if rapid.Bool().Draw(t, "glob") && !strings.HasSuffix(path, "+") {
			path += "*"
		}
		return strings.TrimLeft(path, "/")
	})
	someParameters = rapid.Custom(func(t *rapid.T) map[string][]string {
		if rapid.IntRange(0, 2).Draw(t, "restricted") > 0 {
			return nil
		}
		lists := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2"}), 0, 2)
		return rapid.MapOfN(rapid.SampledFrom([]string{"p", "q", "*"}), lists, 0, 2).Draw(t, "lists")
	})
)

func drawRule(t *rapid.T) oracleRule {
	all := append([]string{"sudo", "deny"}, operationNames...)
	r := oracleRule{
		Policy:       rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "policy"),
		Path:         someRules.Draw(t, "path"),
		Capabilities: rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 6, rapid.ID[string]).Draw(t, "capabilities"),
		Allowed:      someParameters.Draw(t, "allowed"),
		Denied:       someParameters.Draw(t, "denied"),
		Limit:        rapid.IntRange(0, 2).Draw(t, "limit"),
	}
	// An empty list is to be written as one, and not as null.
	for _, lists := range []map[string][]string{r.Allowed, r.Denied} {
		for name, list := range lists {
			if list == nil {
				lists[name] = []string{}
			}
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "requires") == 0 {
		r.Required = []string{"p"}
	}
	if rapid.IntRange(0, 4).Draw(t, "wraps") == 0 {
		r.MinWrap = rapid.IntRange(0, 3).Draw(t, "min")
		r.MaxWrap = rapid.SampledFrom([]int{0, r.MinWrap, 5}).Draw(t, "max")
	}
	return r
}

func drawQuery(t *rapid.T) policy.Query {
	c, ok := policy.ParseCapability(rapid.SampledFrom(operationNames).Draw(t, "operation"))
	if !ok {
		t.Fatal("no such capability")
	}
	q := policy.Query{Capability: c, Path: somePaths.Draw(t, "query")}
	q.WrapTTL = time.Duration(rapid.SampledFrom([]int{0, 0, 1, 2, 4, 9}).Draw(t, "wrap")) * time.Second
	if c != policy.List && c != policy.Scan {
		q.Data = rapid.MapOfN(rapid.SampledFrom([]string{"p", "q", "r"}), rapid.Map(rapid.SampledFrom([]string{"1", "2", "3"}),
			func(s string) any { return s }), 0, 2).Draw(t, "data")
	}
	return q
}

// drawPolicies returns the same rules twice: for the oracle in the order in which Compile takes them, and parsed.
func drawPolicies(t *rapid.T) ([]oracleRule, []*policy.Policy) {
	byName := map[string][]oracleRule{}
	for range rapid.IntRange(0, 10).Draw(t, "rules") {
		r := drawRule(t)
		byName[r.Policy] = append(byName[r.Policy], r)
	}
	var rules []oracleRule
	var policies []*policy.Policy
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		rules = append(rules, byName[name]...)
		var blocks []string
		for _, r := range byName[name] {
			blocks = append(blocks, r.text(t))
		}
		p, err := policy.Parse(name, fmt.Sprintf(`{"path": [%s]}`, strings.Join(blocks, ",")))
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, p)
	}
	return rules, policies
}

func TestACL_LikeTheOracle(t *testing.T) {
	t.Parallel()
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		rules, policies := drawPolicies(t)
		acl := policy.Compile(policies...)
		for range 8 {
			q := drawQuery(t)
			d := acl.Check(q)
			want, by := oracleCheck(rules, q)
			if d.Allowed != want || !slices.Equal(d.Policies, by) {
				t.Fatalf("%s %q %v: %v by %q; want %v by %q", q.Capability, q.Path, q.Data, d.Allowed, d.Policies, want, by)
			}
			if want {
				allowed++
			}
			wantCaps := oracleCapabilities(deciding(rules, policy.List, strings.TrimLeft(q.Path, "/")))
			if caps := acl.Capabilities(q.Path); !slices.Equal(caps, wantCaps) {
				t.Fatalf("capabilities of %q: %q; want %q", q.Path, caps, wantCaps)
			}
		}
	})
	if allowed == 0 {
		t.Error("nothing was ever allowed: the questions do not fit the rules")
	}
}

// What Explain says is what Check does, the rules it names are those of the oracle, and its suggestion keeps its promise.
func TestExplain_KeepsItsWord(t *testing.T) {
	t.Parallel()
	suggested := 0
	rapid.Check(t, func(t *rapid.T) {
		rules, policies := drawPolicies(t)
		q := drawQuery(t)
		e := policy.Explain(policies, q)
		if d := policy.Compile(policies...).Check(q); d.Allowed != e.Decision.Allowed || e.Reason == "" {
			t.Fatalf("explained %v (%s), checked %v", e.Decision.Allowed, e.Reason, d.Allowed)
		}
		var paths []string
		for _, applied := range e.Rules {
			if applied.Decides {
				paths = append(paths, applied.Policy+" "+applied.Rule.Path)
			}
		}
		var want []string
		for _, r := range deciding(rules, q.Capability, strings.TrimLeft(q.Path, "/")) {
			want = append(want, r.Policy+" "+r.Path)
		}
		if !slices.Equal(paths, want) {
			t.Fatalf("deciding rules %q; want %q", paths, want)
		}
		if e.Suggestion == "" {
			return
		}
		suggested++
		added, err := policy.Parse("added", e.Suggestion)
		if err != nil || len(added.Rules) != 1 || added.Rules[0].Capabilities != policy.Capabilities(q.Capability) {
			t.Fatalf("suggestion %s: %v", e.Suggestion, err)
		}
		if e.Decision.Allowed || !policy.Compile(append(policies, added)...).Check(q).Allowed {
			t.Fatalf("suggestion for %+v does not help:\n%s", q, e.Suggestion)
		}
	})
	if suggested == 0 {
		t.Error("nothing was ever suggested")
	}
}
