package grant

import (
	"fmt"
	"slices"
	"time"
)

// Decide says what rules, by the name of their secret, make of a use. It depends on nothing but its arguments. Each secret of
// the use needs a rule of its own that permits it; a use of no secret is allowed. Rules that have ended by now are as if
// they were not there. count tells how often a rule was used in this conversation; nil means never.
//
// One rule more never takes a permission away.
func Decide(u Use, rules map[string][]Rule, now time.Time, count func(secret string, r Rule) int) Decision {
	return settle(u, rules, now, count).Decision
}

// settled is a decision with what it came from.
type settled struct {
	Decision
	open []string        // secrets that the person is to be asked about
	each bool            // one of them has a rule that wants each use approved
	used map[string]Rule // by secret: the rule that permits it, if all are permitted
}

func settle(u Use, rules map[string][]Rule, now time.Time, count func(string, Rule) int) settled {
	s := settled{Decision: Decision{Outcome: Allowed}, used: map[string]Rule{}}
	m := newMatcher(u)
	for _, name := range u.names() {
		v := m.verdict(name, rules[name], now, count)
		if v.Outcome == Allowed {
			s.used[name] = v.rule
			continue
		}
		if v.Outcome == Ask {
			s.open = append(s.open, name)
			s.each = s.each || v.each
		}
		if v.Outcome < s.Outcome {
			s.Decision = v.Decision
		}
	}
	return s
}

// names are the secrets of a use, sorted, each once.
func (u Use) names() []string { return slices.Compact(slices.Sorted(slices.Values(u.Secrets))) }

// verdict is the decision about one secret.
type verdict struct {
	Decision
	rule Rule
	each bool
}

// verdict looks for the rule that permits most: one that permits, else one that wants to be asked, else why none does.
func (m *matcher) verdict(name string, rules []Rule, now time.Time, count func(string, Rule) int) verdict {
	closed, furthest := false, -1
	why, asks := fmt.Sprintf("no rule says how %s may be used", Visible(name)), verdict{}
	for _, r := range rules {
		if !r.live(now) {
			continue
		}
		closed = closed || r.written()
		at, reason := m.match(name, r)
		spent := r.Max > 0 && count != nil && count(name, r) >= r.Max
		switch {
		case at < matched:
			if r.written() && at > furthest {
				furthest, why = at, fmt.Sprintf("the rules of %s do not permit %s", Visible(name), reason)
			}
		case spent:
			furthest, why = matched, fmt.Sprintf("the rule of %s permits %d uses in one conversation, and they are used up", Visible(name), r.Max)
		case r.Approve:
			asks = verdict{Decision{Ask, fmt.Sprintf("the rule of %s wants each use approved", Visible(name))}, r, true}
		default:
			return verdict{Decision{Outcome: Allowed}, r, false}
		}
	}
	switch {
	case asks.Outcome == Ask:
		return asks
	case closed:
		return verdict{Decision: Decision{Denied, why}}
	}
	return verdict{Decision: Decision{Ask, why}}
}
