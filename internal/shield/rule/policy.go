// Package rule decides which secret may stand where in a request of a shielded program, by the rules of package grant.
//
// It is stricter than a rule says in one point: a rule that names no place permits the headers that carry credentials, and no
// other place; and a secret stands in one place of a request only, unless its rules name each place. What a server is allowed
// to get as a credential must not be sent to it as data, which it may store or pass on.
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

// Policy holds the rules of one run. It is safe for concurrent use.
type Policy struct {
	rules map[string][]grant.Rule
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

// New makes a policy of the rules of each secret; those for other tools are left out. gate, which may be nil, is asked about
// what a rule wants approved and about secrets without a rule. now is the clock.
func New(rules map[string][]grant.Rule, gate grant.Gate, now func() time.Time) *Policy {
	p := &Policy{rules: map[string][]grant.Rule{}, gate: gate, now: now, used: map[counter]int{}}
	for name, all := range rules {
		for _, r := range all {
			if len(r.Tools) == 0 || slices.Contains(r.Tools, Tool) {
				p.rules[name] = append(p.rules[name], r)
			}
		}
	}
	return p
}

// Names reports whether a rule of some secret names a host.
func (p *Policy) Names(host string, port int) bool {
	for _, all := range p.rules {
		for _, r := range all {
			if len(r.Hosts) > 0 && hostFits(r.Hosts, host, port) {
				return true
			}
		}
	}
	return false
}

// NamesPort reports whether a rule of some secret names a host together with this port.
func (p *Policy) NamesPort(host string, port int) bool {
	for _, all := range p.rules {
		for _, r := range all {
			for _, h := range r.Hosts {
				if _, its := splitPort(h); its == port && hostFits([]string{h}, host, port) {
					return true
				}
			}
		}
	}
	return false
}

// Hosts lists the names (without a leading "*.") and networks that the rules name.
func (p *Policy) Hosts() (names []string, networks []netip.Prefix) {
	for _, all := range p.rules {
		for _, r := range all {
			for _, h := range r.Hosts {
				host, _ := splitPort(h)
				if n, ok := network(host); ok {
					networks = append(networks, n)
				} else if host = strings.TrimPrefix(host, "*."); host != "" && host != "*" {
					names = append(names, host)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), networks
}

// Anywhere reports whether a rule names every host.
func (p *Policy) Anywhere() bool {
	for _, all := range p.rules {
		for _, r := range all {
			if slices.Contains(r.Hosts, "*") {
				return true
			}
		}
	}
	return false
}

// MayBody reports whether some secret may stand in the body of a request to a host.
func (p *Policy) MayBody(host string, port int) bool {
	for _, all := range p.rules {
		for _, r := range all {
			if slices.Contains(r.In, "body") && hostFits(r.Hosts, host, port) {
				return true
			}
		}
	}
	return false
}

// Permit returns nil if the use, which is of one secret in one place, is permitted now, and counts it. alone says that the
// secret stands in no other place of the request. Errors are as those of grant.Gate.
func (p *Policy) Permit(ctx context.Context, u grant.Use, alone bool) error {
	name := u.Secrets[0]
	all := p.rules[name]
	if len(all) == 0 {
		return p.ask(ctx, u, alone, fmt.Sprintf("no rule says where %s may be sent", name))
	}
	worst := mismatch{}
	for i, r := range all {
		if m := p.fits(r, u, alone); m.level > 0 {
			if m.level > worst.level {
				worst = m
			}
			continue
		}
		if r.Approve {
			return p.ask(ctx, u, alone, "its rule wants each use approved")
		}
		if !p.count(counter{name, i}, r.Max) {
			worst = mismatch{levelCount, fmt.Sprintf("%s may be used %d times in a run", name, r.Max)}
			continue
		}
		return nil
	}
	return &grant.DeniedError{Use: u, Reason: worst.reason}
}

func (p *Policy) ask(ctx context.Context, u grant.Use, alone bool, why string) error {
	place := u.In[u.Secrets[0]]
	switch {
	case p.gate == nil:
		return &grant.DeniedError{Use: u, Reason: why, Hint: "name the host in a rule of the secret"}
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

// mismatch says why a rule does not permit a use; the higher its level, the nearer the rule was.
type mismatch struct {
	level  int
	reason string
}

const (
	levelExpired = iota + 1
	levelHost
	levelMethod
	levelPath
	levelPlace
	levelCount
)

// fits returns a mismatch of level 0 for a rule that permits the use.
func (p *Policy) fits(r grant.Rule, u grant.Use, alone bool) mismatch {
	name, place := u.Secrets[0], u.In[u.Secrets[0]]
	switch {
	case !r.Expires.IsZero() && p.now().After(r.Expires):
		return mismatch{levelExpired, fmt.Sprintf("the rule of %s has expired", name)}
	case len(r.Hosts) == 0 || !hostFits(r.Hosts, u.Host, u.Port):
		return mismatch{levelHost, fmt.Sprintf("%s may not be sent to %s", name, u.Host)}
	case len(r.Methods) > 0 && !slices.ContainsFunc(r.Methods, func(m string) bool { return strings.EqualFold(m, u.Method) }):
		return mismatch{levelMethod, fmt.Sprintf("%s may not be sent with %s", name, u.Method)}
	case len(r.Paths) > 0 && !slices.ContainsFunc(r.Paths, func(glob string) bool { return pathFits(glob, u.Path) }):
		return mismatch{levelPath, fmt.Sprintf("%s may not be sent to this path of %s", name, u.Host)}
	case !placeFits(r.In, place, alone):
		return mismatch{levelPlace, fmt.Sprintf("%s may not stand in %s", name, place)}
	}
	return mismatch{}
}
