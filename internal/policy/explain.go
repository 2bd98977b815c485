package policy

import (
	"fmt"
	"slices"
)

// Explanation says why a query is decided as it is.
type Explanation struct {
	Allowed bool    `json:"allowed"`
	Reason  string  `json:"reason"`
	Matched []Match `json:"matched"` // the patterns that match, most specific first; the first decides
	Fix     string  `json:"fix,omitempty"`
}

// Match is a pattern that matches the path.
type Match struct {
	Pattern      string   `json:"pattern"`
	Policies     []string `json:"policies"`
	Capabilities []string `json:"capabilities"`
}

// Explain decides a query as the ACL of the policies would, and says why.
func Explain(policies []*Policy, q Query) Explanation {
	a := Compile(policies...)
	d := a.Check(q)
	x := Explanation{Allowed: d.Allowed, Matched: a.matching(q.Path)}
	switch {
	case d.Root:
		x.Reason = "the root policy allows everything"
		return x
	case d.Allowed:
		x.Reason = fmt.Sprintf("%q grants %s", x.Matched[0].Pattern, q.Capability)
		return x
	case len(x.Matched) == 0:
		x.Reason = "no rule matches the path"
	case slices.Contains(x.Matched[0].Capabilities, "deny"):
		x.Reason = fmt.Sprintf("%q denies it; no other rule can allow what a deny on the same pattern forbids", x.Matched[0].Pattern)
		return x
	case !slices.Contains(x.Matched[0].Capabilities, string(q.Capability)):
		x.Reason = fmt.Sprintf("%q is the most specific rule and does not grant %s", x.Matched[0].Pattern, q.Capability)
	default:
		x.Reason = fmt.Sprintf("%q bounds the parameters or the wrapping time, and the request is outside", x.Matched[0].Pattern)
		return x
	}
	x.Fix = a.smallest(q)
	return x
}

// smallest is the rule that allows the query and takes nothing away: it repeats what is granted on the path now.
func (a *ACL) smallest(q Query) string {
	caps := []string{}
	if g := a.find(q.Path, false); g != nil {
		caps = g.names()
	}
	caps = append(caps, string(q.Capability))
	slices.Sort(caps)
	return fmt.Sprintf("path %q {\n    capabilities = [%s]\n}\n", q.Path, quoted(slices.Compact(caps)))
}

func quoted(list []string) string {
	out := ""
	for i, s := range list {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%q", s)
	}
	return out
}

func (g *grant) names() []string {
	if g.deny {
		return []string{"deny"}
	}
	var names []string
	for _, c := range inOrder {
		if g.caps&bit(c) != 0 {
			names = append(names, string(c))
		}
	}
	return names
}

// matching lists all patterns that match a path, most specific first.
func (a *ACL) matching(path string) []Match {
	var all []*grant
	if g := a.exact[path]; g != nil {
		all = append(all, g)
	}
	for _, n := range a.lengths {
		if n <= len(path) {
			if g := a.prefixes[path[:n]]; g != nil {
				all = append(all, g)
			}
		}
	}
	for _, g := range a.patterns {
		if g.matches(path) {
			all = append(all, g)
		}
	}
	slices.SortStableFunc(all, func(x, y *grant) int {
		switch {
		case x.pattern == path:
			return -1
		case y.pattern == path:
			return 1
		case less(x.pattern, y.pattern):
			return 1
		case less(y.pattern, x.pattern):
			return -1
		}
		return 0
	})
	out := make([]Match, len(all))
	for i, g := range all {
		out[i] = Match{Pattern: g.pattern, Policies: g.policies, Capabilities: g.names()}
	}
	return out
}
