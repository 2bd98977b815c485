package policy

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// An ACL answers for a set of policies. It may be used by several goroutines.
type ACL struct {
	root     bool
	exact    map[string]*grant
	heads    []head
	policies []*Policy

	// since and next bound when these rules are the ones that count: after since (or from ever, if zero) and not after next (for
	// ever, if zero). later is the ACL that counted when At was asked last.
	since, next time.Time
	later       atomic.Pointer[ACL]
}

// A head is what is before the first wildcard of a rule. Heads are sorted, so that every head that a path begins with is found
// from the last one that is not greater than the path: it, or one of those it begins with itself. The longest comes first,
// which is the first criterion of the order among rules too.
type head struct {
	text  string
	up    int // the longest other head that this one begins with; -1: none
	rules []loose
}

// A loose rule has wildcards. Those of one head are sorted by priority.
type loose struct {
	pattern pattern
	grant   *grant
}

// Compile merges the policies of one token. A policy with the name root gives everything if it is alone, and nothing beside
// others, as Vault refuses such a token. Rules that are templates still give nothing: see Expand. Nil policies are ignored.
// Rules that expire count until the moment that Query.Time or At says it is later.
func Compile(policies ...*Policy) *ACL {
	policies = slices.DeleteFunc(slices.Clone(policies), func(p *Policy) bool { return p == nil })
	return compileAt(time.Time{}, policies)
}

// compileAt merges the rules that have not expired before now.
func compileAt(now time.Time, policies []*Policy) *ACL {
	a := &ACL{policies: policies, since: now, exact: map[string]*grant{}}
	if len(policies) == 1 && policies[0].Name == RootName {
		a.root = true
		return a
	}
	byHead, known := map[string][]loose{}, map[identity]*grant{}
	for _, p := range policies {
		if p.Name == RootName {
			continue
		}
		for _, r := range p.Rules {
			if r.templated || r.expired(now) {
				continue
			}
			if !r.Expires.IsZero() && (a.next.IsZero() || r.Expires.Before(a.next)) {
				a.next = r.Expires
			}
			g := known[r.pattern.identity()]
			if g == nil {
				g = &grant{}
				known[r.pattern.identity()] = g
				a.place(byHead, r, g)
			}
			g.add(p.Name, r)
		}
	}
	a.heads = sortHeads(byHead)
	return a
}

func (r *Rule) expired(now time.Time) bool { return !r.Expires.IsZero() && now.After(r.Expires) }

// place puts the first rule of its pattern where find looks for it.
func (a *ACL) place(byHead map[string][]loose, r *Rule, g *grant) {
	if r.pattern.kind == exact {
		a.exact[r.pattern.body] = g
		return
	}
	byHead[r.pattern.head] = append(byHead[r.pattern.head], loose{r.pattern, g})
}

func sortHeads(byHead map[string][]loose) []head {
	heads := make([]head, 0, len(byHead))
	for text, rules := range byHead {
		slices.SortFunc(rules, func(a, b loose) int { return b.pattern.compare(&a.pattern) })
		heads = append(heads, head{text: text, rules: rules})
	}
	slices.SortFunc(heads, func(a, b head) int { return strings.Compare(a.text, b.text) })
	for i := range heads {
		up := i - 1
		for up >= 0 && !strings.HasPrefix(heads[i].text, heads[up].text) {
			up = heads[up].up
		}
		heads[i].up = up
	}
	return heads
}

// loosely returns the grant of the rule with wildcards that goes first for a path, or nil.
func (a *ACL) loosely(path string) *grant {
	low, high := 0, len(a.heads)
	for low < high {
		if mid := int(uint(low+high) >> 1); a.heads[mid].text <= path {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for i := low - 1; i >= 0; i = a.heads[i].up {
		h := &a.heads[i]
		if !strings.HasPrefix(path, h.text) {
			continue
		}
		for j := range h.rules {
			if h.rules[j].pattern.matches(path) {
				return h.rules[j].grant
			}
		}
	}
	return nil
}

// At returns the ACL as it is at a time, without the rules that have expired by then: itself, if none has.
func (a *ACL) At(now time.Time) *ACL {
	if a.next.IsZero() || !now.After(a.next) {
		return a
	}
	if b := a.later.Load(); b != nil && !now.Before(b.since) && (b.next.IsZero() || !now.After(b.next)) {
		return b
	}
	b := compileAt(now, a.policies)
	a.later.Store(b)
	return b
}
