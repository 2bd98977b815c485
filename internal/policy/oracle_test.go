package policy_test

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

// The oracle decides as Vault's documentation puts it, by looking at every rule with a regular expression. It shares nothing with
// the package but the types of questions and answers.

type oracleRule struct {
	Policy       string
	Path         string
	Capabilities []string
	Allowed      map[string][]string
	Denied       map[string][]string
	Required     []string
	MinWrap      int // seconds
	MaxWrap      int
	Limit        int
}

func (r oracleRule) segmented() bool {
	return slices.Contains(strings.Split(strings.TrimSuffix(r.Path, "*"), "/"), "+") || strings.Contains(r.Path, "/+")
}

func (r oracleRule) exact() bool { return !r.segmented() && !strings.HasSuffix(r.Path, "*") }

func (r oracleRule) matches(path string) bool {
	body, glob := strings.CutSuffix(r.Path, "*")
	segments := strings.Split(body, "/")
	for i, s := range segments {
		if s == "+" {
			segments[i] = `[^/]*`
		} else {
			segments[i] = regexp.QuoteMeta(s)
		}
	}
	expression := "^" + strings.Join(segments, "/")
	if glob {
		expression += ".*"
	}
	return regexp.MustCompile(expression + "$").MatchString(path)
}

// before orders rules with wildcards: the five criteria of the documentation.
func before(a, b oracleRule) int {
	first := func(r oracleRule) int {
		if r.segmented() {
			return strings.Index(r.Path, "+")
		}
		return len(r.Path) - 1
	}
	glob := func(r oracleRule) int { return strings.Count(r.Path, "*") } // someRules has it at the end only
	plus := func(r oracleRule) int {
		n := 0
		for s := range strings.SplitSeq(r.Path, "/") {
			if s == "+" {
				n++
			}
		}
		return n
	}
	return cmp.Or(
		cmp.Compare(first(b), first(a)),
		cmp.Compare(glob(a), glob(b)),
		cmp.Compare(plus(a), plus(b)),
		cmp.Compare(len(b.Path), len(a.Path)),
		cmp.Compare(b.Path, a.Path),
	)
}

// deciding returns the rules of the pattern that goes first.
func deciding(rules []oracleRule, c policy.Capability, path string) []oracleRule {
	bare := strings.TrimSuffix(path, "/")
	pick := func(path string, exact bool) []oracleRule {
		var found []oracleRule
		for _, r := range rules {
			if r.exact() == exact && r.matches(path) {
				found = append(found, r)
			}
		}
		if !exact {
			slices.SortStableFunc(found, before)
		}
		return slices.DeleteFunc(found, func(r oracleRule) bool { return r.Path != found[0].Path })
	}
	steps := []func() []oracleRule{func() []oracleRule { return pick(path, true) }}
	if c == policy.List || c == policy.Scan {
		steps = append(steps, func() []oracleRule { return pick(bare, true) })
	}
	if c == policy.List {
		steps = append(steps, func() []oracleRule { return pick(bare, false) })
	}
	steps = append(steps, func() []oracleRule { return pick(path, false) })
	for _, step := range steps {
		if found := step(); len(found) > 0 {
			return found
		}
	}
	return nil
}

func oracleCapabilities(rules []oracleRule) []string {
	var names []string
	for _, r := range rules {
		if slices.Contains(r.Capabilities, "deny") {
			return []string{"deny"}
		}
		names = append(names, r.Capabilities...)
	}
	if len(names) == 0 {
		return []string{"deny"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// values joins a parameter's lists. It reports whether the parameter is named, and whether any value counts.
func values(lists []map[string][]string, name string) (all []string, named, anything bool) {
	for _, list := range lists {
		if vs, ok := list[name]; ok {
			all, named, anything = append(all, vs...), true, anything || len(vs) == 0
		}
	}
	return all, named, anything
}

func oracleParameters(rules []oracleRule, data map[string]any) bool {
	var allowed, denied []map[string][]string
	restricted := false
	for _, r := range rules {
		allowed, denied = append(allowed, r.Allowed), append(denied, r.Denied)
		restricted = restricted || len(r.Allowed) > 0
		for _, name := range r.Required {
			if _, ok := data[name]; !ok {
				return false
			}
		}
	}
	_, denyAll, _ := values(denied, "*")
	_, allowOthers, _ := values(allowed, "*")
	for name, v := range data {
		text := v.(string)
		list, named, anything := values(denied, name)
		if denyAll || named && (anything || slices.Contains(list, text)) {
			return false
		}
		list, named, anything = values(allowed, name)
		if restricted && !named && !allowOthers || named && !anything && !slices.Contains(list, text) {
			return false
		}
	}
	return true
}

func oracleCheck(rules []oracleRule, q policy.Query) (allowed bool, by []string) {
	rules = deciding(rules, q.Capability, strings.TrimLeft(q.Path, "/"))
	if !slices.Contains(oracleCapabilities(rules), q.Capability.String()) {
		return false, nil
	}
	smallest := func(get func(oracleRule) int) int {
		n := 0
		for _, r := range rules {
			if v := get(r); v > 0 && (n == 0 || v < n) {
				n = v
			}
		}
		return n
	}
	low, high := smallest(func(r oracleRule) int { return r.MinWrap }), smallest(func(r oracleRule) int { return r.MaxWrap })
	ttl := int(q.WrapTTL / time.Second)
	if ttl < low || high > 0 && (ttl == 0 || ttl > high) {
		return false, nil
	}
	switch q.Capability {
	case policy.Create, policy.Read, policy.Update, policy.Patch:
		if !oracleParameters(rules, q.Data) {
			return false, nil
		}
	}
	for _, r := range rules {
		if slices.Contains(r.Capabilities, q.Capability.String()) && !slices.Contains(by, r.Policy) {
			by = append(by, r.Policy)
		}
	}
	return true, by
}
