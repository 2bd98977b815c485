package policy

import (
	"fmt"
	"slices"
	"strings"
)

// An Explanation is a Decision with its reasons.
type Explanation struct {
	Decision Decision
	// Rules are all that match the path, the one that decides first. Several decide together if they have the same path.
	Rules []Applied
	// Reason says in a sentence what decided.
	Reason string
	// Suggestion is the smallest rule that, in a policy of its own, would allow what was refused. It is empty if it was allowed, or
	// if no rule can: Reason says what to change then.
	Suggestion string
}

// Applied is a rule that matches a query.
type Applied struct {
	Policy  string
	Rule    *Rule
	Decides bool
}

// Explain decides as Compile and Check do, and says why. It is slow: it looks at every rule.
func Explain(policies []*Policy, q Query) Explanation {
	acl := Compile(policies...)
	e := Explanation{Decision: acl.Check(q)}
	if acl.root {
		e.Reason = "the policy root allows everything"
		return e
	}
	if !acl.next.IsZero() && q.Time.IsZero() {
		e.Reason = "a rule expires, and the question has no time"
		return e
	}
	e.Rules = matching(acl.policies, q)
	refused := e.judge(q)
	if !e.Decision.Allowed {
		e.Suggestion = suggest(acl.policies, q, refused)
		if e.Suggestion == "" && len(e.Rules) > 0 {
			e.Reason += "; no further rule can lift that, change this one"
		}
	}
	return e
}

// judge finds the reason, from the rules that decide.
func (e *Explanation) judge(q Query) refusal {
	if len(e.Rules) == 0 {
		e.Reason = fmt.Sprintf("no rule matches %q", q.Path)
		return refusal{}
	}
	var g grant
	for _, applied := range e.Rules {
		if applied.Decides {
			g.add(applied.Policy, applied.Rule)
		}
	}
	_, refused := g.decide(&q)
	e.Reason = e.where(refused) + " " + g.reason(q, refused)
	return refused
}

// where names the rules that decide: for a deny only those that deny, for a grant those that grant it.
func (e *Explanation) where(refused refusal) string {
	var places []string
	for _, applied := range e.Rules {
		if applied.Decides && (refused.why != denies || applied.Rule.Capabilities.Has(Deny)) {
			places = append(places, fmt.Sprintf("%q (line %d)", applied.Policy, applied.Rule.Line))
		}
	}
	return fmt.Sprintf("path %q of policy %s", e.Rules[0].Rule.Path, strings.Join(places, " and "))
}

func (g *grant) reason(q Query, r refusal) string {
	switch r.why {
	case granted:
		return "grants " + q.Capability.String()
	case denies:
		return "denies everything"
	case notAnOperation:
		return "is asked for what is no operation"
	case lacksCapability:
		if g.caps == 0 {
			return "grants nothing"
		}
		return fmt.Sprintf("grants %s, but not %s", g.caps, q.Capability)
	case wrapTooLong:
		return fmt.Sprintf("wants the answer wrapped for at most %s", g.maxWrap)
	case wrapTooShort:
		return fmt.Sprintf("wants the answer wrapped for at least %s", g.minWrap)
	case wrapImpossible:
		return fmt.Sprintf("wants the answer wrapped for at least %s and at most %s, which cannot be", g.minWrap, g.maxWrap)
	case parameterMissing:
		return fmt.Sprintf("requires the parameter %q", r.parameter)
	case parameterDenied:
		return fmt.Sprintf("denies the parameter %q, or its value", r.parameter)
	case parameterNotAllowed:
		return fmt.Sprintf("does not allow the parameter %q, or its value", r.parameter)
	case limitMissing:
		return fmt.Sprintf("requires the parameter \"limit\", of at most %d", g.limit)
	}
	return fmt.Sprintf("wants a \"limit\" of at most %d", g.limit)
}

// matching returns the rules that match, by priority. Those of equal priority have the same pattern and stay in the order of the
// policies.
func matching(policies []*Policy, q Query) []Applied {
	var all []Applied
	seen := map[*Rule]bool{}
	for _, look := range looks(q.Capability, q.Path) {
		var found []Applied
		for _, p := range policies {
			for _, r := range p.Rules {
				if p.Name != RootName && !r.templated && !r.expired(q.Time) && !seen[r] && look.sees(&r.pattern) {
					seen[r] = true
					found = append(found, Applied{Policy: p.Name, Rule: r})
				}
			}
		}
		slices.SortStableFunc(found, func(a, b Applied) int { return b.Rule.pattern.compare(&a.Rule.pattern) })
		all = append(all, found...)
	}
	for i := range all {
		all[i].Decides = all[i].Rule.pattern.identity() == all[0].Rule.pattern.identity()
	}
	return all
}

// A look is one of the steps of ACL.find: a path, looked up among the exact rules or the others.
type look struct {
	path  string
	exact bool
}

func (l look) sees(p *pattern) bool { return (p.kind == exact) == l.exact && p.matches(l.path) }

func looks(c Capability, path string) []look {
	path = strings.TrimLeft(path, "/")
	steps := []look{{path, true}}
	if bare, ok := strings.CutSuffix(path, "/"); ok && (c == List || c == Scan) {
		steps = append(steps, look{bare, true})
		if c == List {
			steps = append(steps, look{bare, false})
		}
	}
	return append(steps, look{path, false})
}
