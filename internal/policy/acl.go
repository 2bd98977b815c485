package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Query is one question to an ACL.
type Query struct {
	Capability Capability
	Path       string
	Data       map[string]any
	WrapTTL    time.Duration
}

// Decision is the answer.
type Decision struct {
	Allowed  bool
	Root     bool // the root policy decided
	Sudo     bool // sudo is granted on the path
	Limit    int  // of a list; 0: none
	Policies []string
}

// ACL is what several policies allow together. It does not change and is safe for concurrent use.
type ACL struct {
	root     bool
	exact    map[string]*grant
	prefixes map[string]*grant // by what is before the *
	lengths  []int             // of the prefixes, longest first
	patterns []*grant          // with a +, most specific first
}

// grant is what all rules of one pattern say together.
type grant struct {
	pattern  string
	segments []string // of a pattern with a +
	star     bool
	caps     uint16
	deny     bool
	min, max time.Duration
	limit    int
	allowed  map[string][]any
	denied   map[string][]any
	required []string
	policies []string
}

func bit(c Capability) uint16 {
	if i := slices.Index(inOrder, c); i >= 0 {
		return 1 << i
	}
	return 0
}

// Compile makes an ACL of policies.
func Compile(policies ...*Policy) *ACL {
	a := &ACL{exact: map[string]*grant{}, prefixes: map[string]*grant{}}
	byPattern := map[string]*grant{}
	for _, p := range policies {
		a.root = a.root || p.Name == "root"
		for i := range p.Rules {
			r := &p.Rules[i]
			g := byPattern[r.Path]
			if g == nil {
				g = &grant{pattern: r.Path}
				byPattern[r.Path] = g
				g.merge(r, true)
			} else {
				g.merge(r, false)
			}
			if !slices.Contains(g.policies, p.Name) {
				g.policies = append(g.policies, p.Name)
			}
		}
	}
	for pattern, g := range byPattern {
		a.place(pattern, g)
	}
	a.lengths = prefixLengths(a.prefixes)
	slices.SortFunc(a.patterns, func(x, y *grant) int {
		switch {
		case less(x.pattern, y.pattern):
			return 1
		case less(y.pattern, x.pattern):
			return -1
		}
		return 0
	})
	return a
}

func (a *ACL) place(pattern string, g *grant) {
	wild := slices.Contains(strings.Split(strings.TrimSuffix(pattern, "*"), "/"), "+")
	prefix, star := strings.CutSuffix(pattern, "*")
	switch {
	case wild:
		g.segments, g.star = strings.Split(prefix, "/"), star
		a.patterns = append(a.patterns, g)
	case star:
		a.prefixes[prefix] = g
	default:
		a.exact[pattern] = g
	}
}

func prefixLengths(m map[string]*grant) []int {
	seen := map[int]bool{}
	for p := range m {
		seen[len(p)] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(x, y int) int { return y - x })
}

// merge adds a rule. Capabilities add up and a deny wins. Where several rules limit, the widest limit counts, except that the
// shortest wrapping time asked for is the shortest of all.
func (g *grant) merge(r *Rule, first bool) {
	for _, c := range r.Capabilities {
		g.deny = g.deny || c == Deny
		g.caps |= bit(c)
	}
	if first {
		g.min, g.max, g.limit, g.allowed, g.denied, g.required = r.MinWrap, r.MaxWrap, r.Limit, r.Allowed, r.Denied, r.Required
		return
	}
	if r.MinWrap > 0 && (g.min == 0 || r.MinWrap < g.min) {
		g.min = r.MinWrap
	}
	if r.MaxWrap > g.max {
		g.max = r.MaxWrap
	}
	if r.Limit > g.limit {
		g.limit = r.Limit
	}
	g.allowed, g.denied = join(g.allowed, r.Allowed), join(g.denied, r.Denied)
	g.required = append(slices.Clone(g.required), r.Required...)
}

// join puts two tables of parameters together; a list that is empty means every value and stays so.
func join(a, b map[string][]any) map[string][]any {
	if a == nil {
		return b
	}
	out := maps.Clone(a)
	for k, v := range b {
		have, both := out[k]
		if both && (len(have) == 0 || len(v) == 0) {
			out[k] = []any{}
			continue
		}
		out[k] = append(slices.Clone(have), v...)
	}
	return out
}

// less reports whether x is the less specific of two patterns, by Vault's rules: the one whose first wildcard comes earlier; one
// that ends in * if the other does not; the one with more +; the shorter; the one that sorts first.
func less(x, y string) bool {
	fx, fy := firstWild(x), firstWild(y)
	if fx != fy {
		return fx < fy
	}
	sx, sy := strings.HasSuffix(x, "*"), strings.HasSuffix(y, "*")
	if sx != sy {
		return sx
	}
	px, py := countWild(x), countWild(y)
	if px != py {
		return px > py
	}
	if len(x) != len(y) {
		return len(x) < len(y)
	}
	return x < y
}

func firstWild(p string) int {
	if strings.HasPrefix(p, "+") {
		return 0
	}
	first := len(p) + 1
	if i := strings.Index(p, "/+"); i >= 0 {
		first = i + 1
	}
	if i := strings.IndexByte(p, '*'); i >= 0 && i < first {
		first = i
	}
	return first
}

func countWild(p string) int {
	n := 0
	for s := range strings.SplitSeq(p, "/") {
		if s == "+" {
			n++
		}
	}
	return n
}

// find returns what the most specific pattern for a path grants, nil if none matches.
func (a *ACL) find(path string, list bool) *grant {
	if g := a.exact[path]; g != nil {
		return g
	}
	if list && strings.HasSuffix(path, "/") { // a list of "a/" is also a list of "a"
		if g := a.exact[path[:len(path)-1]]; g != nil {
			return g
		}
	}
	var best *grant
	for _, n := range a.lengths {
		if n > len(path) {
			continue
		}
		if g := a.prefixes[path[:n]]; g != nil {
			best = g
			break
		}
	}
	for _, g := range a.patterns {
		if best != nil && less(g.pattern, best.pattern) {
			break
		}
		if g.matches(path) || list && g.matches(strings.TrimSuffix(path, "/")) {
			return g
		}
	}
	return best
}

// matches compares a path with a pattern that has a +.
func (g *grant) matches(path string) bool {
	for i, s := range g.segments {
		last := i == len(g.segments)-1
		segment, rest, more := strings.Cut(path, "/")
		switch {
		case last && g.star:
			return strings.HasPrefix(path, s)
		case last:
			return !more && (s == "+" && segment != "" || s == segment)
		case !more || s == "+" && segment == "" || s != "+" && s != segment:
			return false
		}
		path = rest
	}
	return false
}

// Check decides.
func (a *ACL) Check(q Query) Decision {
	if a.root {
		return Decision{Allowed: true, Root: true, Sudo: true, Policies: []string{"root"}}
	}
	g := a.find(q.Path, q.Capability == List || q.Capability == Scan)
	if g == nil || g.deny {
		return Decision{}
	}
	d := Decision{Sudo: g.caps&bit(Sudo) != 0, Limit: g.limit, Policies: g.policies}
	need := bit(q.Capability)
	d.Allowed = need != 0 && g.caps&need != 0 && g.wraps(q.WrapTTL) && g.takes(q)
	return d
}

// wraps reports whether a wrapping time is within bounds.
func (g *grant) wraps(ttl time.Duration) bool {
	if g.min > 0 && ttl < g.min {
		return false
	}
	return g.max == 0 || ttl > 0 && ttl <= g.max
}

// takes reports whether the parameters of a write are within bounds.
func (g *grant) takes(q Query) bool {
	switch q.Capability {
	case Create, Update, Patch:
	default:
		return true
	}
	for _, name := range g.required {
		if _, ok := lookup(q.Data, name); !ok {
			return false
		}
	}
	if g.denied != nil {
		if _, every := g.denied["*"]; every && len(q.Data) > 0 {
			return false
		}
		for name, value := range q.Data {
			if list, ok := g.denied[strings.ToLower(name)]; ok && listed(value, list) {
				return false
			}
		}
	}
	if len(g.allowed) == 0 {
		return true
	}
	_, every := g.allowed["*"]
	for name, value := range q.Data {
		list, ok := g.allowed[strings.ToLower(name)]
		if !ok && !every || ok && !listed(value, list) {
			return false
		}
	}
	return true
}

func lookup(data map[string]any, name string) (any, bool) {
	for k, v := range data {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// listed reports whether a value is in a list, of which an empty one has all; text in it may begin or end in *.
func listed(value any, list []any) bool {
	if len(list) == 0 {
		return true
	}
	return slices.ContainsFunc(list, func(item any) bool {
		pattern, ok := item.(string)
		if !ok {
			return reflect.DeepEqual(item, value) || fmt.Sprint(item) == fmt.Sprint(value)
		}
		text, ok := value.(string)
		if !ok {
			return pattern == fmt.Sprint(value)
		}
		return globs(pattern, text)
	})
}

func globs(pattern, text string) bool {
	begin, end := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	inner := strings.TrimSuffix(strings.TrimPrefix(pattern, "*"), "*")
	switch {
	case begin && end:
		return strings.Contains(text, inner)
	case begin:
		return strings.HasSuffix(text, inner)
	case end:
		return strings.HasPrefix(text, inner)
	}
	return pattern == text
}

// Capabilities lists what may be done with a path, as sys/capabilities answers.
func (a *ACL) Capabilities(path string) []string {
	if a.root {
		return []string{"root"}
	}
	g := a.find(path, true)
	if g == nil || g.deny || g.caps == 0 {
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
