package policy

import (
	"strings"
	"time"
)

// A Query is what a request asks for.
type Query struct {
	Capability Capability     // the operation: one of Create, Read, Update, Patch, Delete, List and Scan
	Path       string         // the whole path, with the mount; leading slashes do not count
	Data       map[string]any // the parameters, as encoding/json decodes them
	WrapTTL    time.Duration  // how long the answer is to be wrapped; 0: not
	Time       time.Time      // when it is asked. Required if a rule expires: without it, all is refused then
}

// A Decision is the answer. The zero Decision is a refusal.
type Decision struct {
	Allowed bool
	Root    bool // the root policy decided
	Sudo    bool // the rule grants sudo too, or Root; set even if not Allowed

	MinWrap, MaxWrap time.Duration // the bounds on wrapping that were met; 0: none

	// Limit is the most keys that a list or scan may answer, to be used where the request sets no limit, "max", or one below 1. A
	// greater one has been refused. 0: no limit, and "max" means all.
	Limit int
	// KeysFilter, if not empty, says how a list or scan is to be filtered. See FilterPath.
	KeysFilter string

	// Policies are the names of those that granted it, in their order. Read-only.
	Policies []string
}

// Check decides on a request. Help is no capability: everybody may ask for it.
func (a *ACL) Check(q Query) Decision {
	if a.root {
		return Decision{Allowed: true, Root: true, Sudo: true, Policies: rootAlone[:]}
	}
	if !a.next.IsZero() {
		if q.Time.IsZero() {
			return Decision{}
		}
		a = a.At(q.Time)
	}
	g := a.find(q.Capability, q.Path)
	if g == nil {
		return Decision{}
	}
	d, _ := g.decide(&q)
	return d
}

// rootAlone is shared by all answers for root, so that they cost nothing.
var rootAlone = [...]string{RootName}

// find returns the grant that decides, or nil. An exact rule goes before all others. A list of a folder is governed by rules for
// its name without the slash too: by exact ones after those with it, by those with wildcards before.
func (a *ACL) find(c Capability, path string) *grant {
	path = strings.TrimLeft(path, "/")
	if g := a.exact[path]; g != nil {
		return g
	}
	if c == List || c == Scan {
		if bare, ok := strings.CutSuffix(path, "/"); ok {
			if g := a.exact[bare]; g != nil {
				return g
			}
			if c == List {
				if g := a.loosely(bare); g != nil {
					return g
				}
			}
		}
	}
	return a.loosely(path)
}

// Capabilities returns what may be done with a path, as sys/capabilities answers: the names, sorted; only "root" for the root
// policy; only "deny" where nothing is granted. It looks the path up as a list does. Rules that expire are counted: ask
// a.At(now).
func (a *ACL) Capabilities(path string) []string {
	if a.root {
		return []string{RootName}
	}
	if g := a.find(List, path); g != nil && g.caps != 0 {
		return g.caps.Names()
	}
	return []string{Deny.String()}
}

// A refusal says what stood in the way. The zero refusal: nothing did.
type refusal struct {
	why       why
	parameter string
}

type why uint8

const (
	granted why = iota
	notAnOperation
	denies
	lacksCapability
	wrapTooLong
	wrapTooShort
	wrapImpossible
	parameterMissing
	parameterDenied
	parameterNotAllowed
	limitMissing
	limitTooHigh
)

// decide applies a grant to a request that it governs.
func (g *grant) decide(q *Query) (Decision, refusal) {
	d := Decision{Sudo: g.caps.Has(Sudo)}
	switch {
	case g.caps.Has(Deny):
		return d, refusal{why: denies}
	case !q.Capability.single():
		return d, refusal{why: notAnOperation}
	case !g.caps.Has(q.Capability):
		return d, refusal{why: lacksCapability}
	}
	if r := g.checkWrap(q.WrapTTL); r.why != granted {
		return d, r
	}
	switch q.Capability {
	case Create, Read, Update, Patch:
		if r := g.checkParameters(q.Data); r.why != granted {
			return d, r
		}
	case List, Scan:
		if r := g.checkLimit(q.Data); r.why != granted {
			return d, r
		}
		d.Limit, d.KeysFilter = g.limit, g.keysFilter
	}
	d.Allowed = true
	d.MinWrap, d.MaxWrap = g.minWrap, g.maxWrap
	d.Policies = g.from[bit(q.Capability)]
	return d, refusal{}
}

func (g *grant) checkWrap(ttl time.Duration) refusal {
	switch {
	case g.maxWrap > 0 && (ttl <= 0 || ttl > g.maxWrap):
		return refusal{why: wrapTooLong}
	case g.minWrap > 0 && ttl < g.minWrap:
		return refusal{why: wrapTooShort}
	case g.minWrap > 0 && g.maxWrap > 0 && g.maxWrap < g.minWrap:
		return refusal{why: wrapImpossible} // two policies may say so together
	}
	return refusal{}
}
