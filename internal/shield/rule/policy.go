// Package rule decides which secret may stand where in a request of a shielded program, by the rules of package grant.
//
// It is stricter than a rule says in one point: a rule that names no place permits the headers that carry credentials, and no
// other place; and a secret stands in one place of a request only, unless a rule names each. What a server is allowed to get as
// a credential must not be sent to it as data, which it may store or pass on.
package rule

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// Tool is what rules call the shield.
const Tool = "shield"

// Rules are the rules of one run, by secret.
type Rules struct {
	// Stored are those that the vault keeps: a use that one of them fits is left to the gate, which counts and records it.
	Stored map[string][]grant.Rule
	// Own are those of the schema and of the command line.
	Own map[string][]grant.Rule
}

// Policy holds the rules of one run. It is safe for concurrent use.
type Policy struct {
	rules Rules
	gate  grant.Gate
	now   func() time.Time

	mu   sync.Mutex
	used map[counter]int
}

// counter names a rule of a secret.
type counter struct {
	secret string
	index  int
}

// New makes a policy. gate, which may be nil, is asked about uses that a stored rule fits, about what a rule wants approved, and
// about secrets without a rule. now is the clock.
func New(rules Rules, gate grant.Gate, now func() time.Time) *Policy {
	return &Policy{rules: rules, gate: gate, now: now, used: map[counter]int{}}
}

// each calls fn with every rule that is for the shield and names hosts, until it returns false.
func (p *Policy) each(fn func(grant.Rule) bool) {
	for _, rules := range []map[string][]grant.Rule{p.rules.Stored, p.rules.Own} {
		for _, all := range rules {
			for _, r := range all {
				if len(r.Hosts) > 0 && (len(r.Tools) == 0 || slices.Contains(r.Tools, Tool)) && !fn(r) {
					return
				}
			}
		}
	}
}

// Names reports whether a rule of some secret names a host.
func (p *Policy) Names(host string, port int) (named bool) {
	p.each(func(r grant.Rule) bool {
		named = p.leadsTo(r, host, port)
		return !named
	})
	return named
}

// MayBody reports whether some secret may stand in the body of a request to a host.
func (p *Policy) MayBody(host string, port int) (may bool) {
	p.each(func(r grant.Rule) bool {
		may = slices.Contains(r.In, "body") && p.leadsTo(r, host, port)
		return !may
	})
	return may
}

// leadsTo reports whether a rule names a host, whatever else it says.
func (p *Policy) leadsTo(r grant.Rule, host string, port int) bool {
	u := grant.Use{Secrets: []string{"any"}, Host: host, Port: port}
	return grant.Decide(u, map[string][]grant.Rule{"any": {{Hosts: r.Hosts}}}, p.now(), nil).Outcome == grant.Allowed
}

// Hosts lists the names (without a leading "*.") and networks that the rules name.
func (p *Policy) Hosts() (names []string, networks []netip.Prefix) {
	p.each(func(r grant.Rule) bool {
		for _, h := range r.Hosts {
			host := withoutPort(h)
			if n, ok := network(host); ok {
				networks = append(networks, n)
			} else if host = strings.TrimPrefix(host, "*."); host != "" {
				names = append(names, host)
			}
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names), networks
}

// withoutPort takes "host:port" of a rule apart.
func withoutPort(h string) string {
	h = strings.ToLower(h)
	if i := strings.LastIndexByte(h, ':'); i > 0 && (strings.Count(h, ":") == 1 || h[i-1] == ']') {
		h = h[:i]
	}
	return strings.Trim(h, "[]")
}

// network reads an address or a network.
func network(host string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(host); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// Permit returns nil if the use, which is of one secret in one place, is permitted now, and counts it. alone says that the
// secret stands in no other place of the request. Errors are as those of grant.Gate.
func (p *Policy) Permit(ctx context.Context, u grant.Use, alone bool) error {
	name := u.Secrets[0]
	own, stored := p.rules.Own[name], p.rules.Stored[name]
	if len(own) == 0 && len(stored) == 0 {
		return p.ask(ctx, u, alone, fmt.Sprintf("no rule says where %s may be sent", name))
	}
	why, denied := "", 0
	note := func(level int, reason string) {
		if level > denied {
			why, denied = reason, level
		}
	}
	for i, r := range own {
		level, reason := p.fits(r, u, alone)
		switch {
		case level > 0:
			note(level, reason)
		case r.Approve:
			return p.ask(ctx, u, alone, fmt.Sprintf("the rule of %s wants each use approved", name))
		case !p.count(counter{name, i}, r.Max):
			note(levelSpent, fmt.Sprintf("the rule of %s permits %d uses in one run, and they are used up", name, r.Max))
		default:
			return nil
		}
	}
	for _, r := range stored {
		level, reason := p.fits(r, u, alone)
		if level == 0 && p.gate != nil {
			return p.gate.Authorize(ctx, u)
		}
		note(level, reason)
	}
	return &grant.DeniedError{Use: u, Reason: why, Hint: fmt.Sprintf("a person can permit it with `zvault secret allow %s --tool shield --host %s`", name, u.Host)}
}

// How near a rule was to permitting a use; 0 is that it does.
const (
	levelUse = iota + 1
	levelPlace
	levelSpent
)

// fits says whether a rule permits a use, and why not.
func (p *Policy) fits(r grant.Rule, u grant.Use, alone bool) (level int, reason string) {
	name := u.Secrets[0]
	if len(r.Hosts) == 0 {
		return levelUse, fmt.Sprintf("the rules of %s name no host", name)
	}
	place, anyHeader := u.In[name], !r.Exact && (len(r.In) == 0 || slices.Equal(r.In, []string{"header"}))
	probe := r
	probe.Max, probe.Approve, probe.Session, probe.Client = 0, false, "", ""
	if anyHeader {
		probe.In = nil
	}
	d := grant.Decide(u, map[string][]grant.Rule{name: {probe}}, p.now(), nil)
	switch {
	case d.Outcome != grant.Allowed && d.Reason == "":
		return levelUse, fmt.Sprintf("the rules of %s do not permit it", name)
	case d.Outcome != grant.Allowed:
		return levelUse, d.Reason
	case anyHeader && (!alone || !credentialPlace(place)):
		return levelPlace, fmt.Sprintf("%s may not stand in %s", name, place)
	}
	return 0, ""
}

func (p *Policy) ask(ctx context.Context, u grant.Use, alone bool, why string) error {
	place := u.In[u.Secrets[0]]
	switch {
	case p.gate == nil:
		return &grant.DeniedError{Use: u, Reason: why}
	case !credentialPlace(place) || !alone:
		return &grant.DeniedError{Use: u, Reason: fmt.Sprintf("%s, and %s is no place for a credential", why, place)}
	}
	return p.gate.Authorize(ctx, u)
}

func (p *Policy) count(c counter, most int) bool {
	if most == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[c] >= most {
		return false
	}
	p.used[c]++
	return true
}
