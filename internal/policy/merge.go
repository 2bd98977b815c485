package policy

import (
	"slices"
	"time"
)

// A grant is what all rules with the same pattern give together.
type grant struct {
	caps             Capabilities
	minWrap, maxWrap time.Duration
	allowed, denied  map[string][]any
	required         []string
	limit            int
	keysFilter       string
	from             [capabilityCount][]string // the policies that gave a capability, by its bit
}

// add joins a rule to the grant, in the order of the policies. Deny wins and takes the rest away. Capabilities add up, and so do
// values of parameters, where "any value" swallows the others; a rule without restrictions does not lift those of another.
// Of bounds the smaller wins. Of filters the first wins.
func (g *grant) add(policy string, r *Rule) {
	switch {
	case g.caps.Has(Deny):
		return
	case r.Capabilities.Has(Deny):
		*g = grant{caps: Capabilities(Deny)}
		return
	}
	g.caps |= r.Capabilities
	for i := range capabilityCount {
		if r.Capabilities.Has(1<<i) && !slices.Contains(g.from[i], policy) {
			g.from[i] = append(g.from[i], policy)
		}
	}
	g.minWrap = smaller(g.minWrap, r.MinWrap)
	g.maxWrap = smaller(g.maxWrap, r.MaxWrap)
	g.limit = smaller(g.limit, r.Limit)
	g.allowed = joinParameters(g.allowed, r.Allowed)
	g.denied = joinParameters(g.denied, r.Denied)
	for _, name := range r.Required {
		if !slices.Contains(g.required, name) {
			g.required = append(g.required, name)
		}
	}
	if g.keysFilter == "" {
		g.keysFilter = r.KeysFilter
	}
}

// smaller returns the smaller of two bounds, where 0 is none.
func smaller[T ~int | ~int64](a, b T) T {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func joinParameters(have, more map[string][]any) map[string][]any {
	if len(more) == 0 {
		return have
	}
	joined := make(map[string][]any, len(have)+len(more))
	for name, values := range have {
		joined[name] = values
	}
	for name, values := range more {
		before, ok := joined[name]
		if ok && len(before) == 0 || len(values) == 0 {
			joined[name] = nil
		} else {
			joined[name] = slices.Concat(before, values)
		}
	}
	return joined
}
