package grant

import (
	"fmt"
	"slices"
	"strings"
)

// matcher holds a use with its parts read once, to be held against many rules.
type matcher struct {
	use    Use
	host   host
	port   int
	hostOK bool
	path   []string // segments, decoded; nil if the path is one that two servers may read in two ways
	method string
}

func newMatcher(u Use) *matcher {
	m := &matcher{use: u, port: u.port(), method: strings.ToUpper(u.Method)}
	if h, err := parseHost(u.Host); err == nil {
		m.host, m.hostOK = h, true
	}
	if segments, err := cleanPath(u.Path); err == nil {
		m.path = segments
	}
	return m
}

// matched is what match returns for a rule that permits the use. It is more than there are fields.
const matched = 100

// match holds the use of one secret against one rule: matched, or how many fields fit before one did not, and which.
func (m *matcher) match(name string, r Rule) (int, string) {
	if !r.limits() {
		return -1, "anything"
	}
	for i, check := range []func(string, Rule) (bool, string){m.tool, m.env, m.command, m.hosts, m.methods, m.paths, m.places} {
		if ok, reason := check(name, r); !ok {
			return i, reason
		}
	}
	return matched, ""
}

// limits reports whether any field says what is permitted. A rule that does not, permits nothing.
func (r Rule) limits() bool {
	return len(r.Tools)+len(r.Envs)+len(r.Hosts)+len(r.Methods)+len(r.Paths)+len(r.In)+len(r.Commands) > 0
}

func (m *matcher) tool(_ string, r Rule) (bool, string) {
	return fits(r, r.Tools, m.use.Tool == "", func(t string) bool { return t == m.use.Tool }), "the tool " + Visible(m.use.Tool)
}

func (m *matcher) env(_ string, r Rule) (bool, string) {
	return fits(r, r.Envs, m.use.Env == "", func(e string) bool { return e == m.use.Env }), "the environment " + Visible(m.use.Env)
}

func (m *matcher) hosts(_ string, r Rule) (bool, string) {
	if m.use.Host == "" {
		return fits(r, r.Hosts, true, func(string) bool { return false }), "a use without a host"
	}
	ok := fits(r, r.Hosts, false, func(text string) bool {
		p, err := parseHostPattern(text)
		return err == nil && m.hostOK && p.match(m.host, m.port)
	})
	return ok, "the host " + Visible(m.use.address())
}

func (m *matcher) methods(_ string, r Rule) (bool, string) {
	return fits(r, r.Methods, m.method == "", func(s string) bool { return strings.ToUpper(s) == m.method }), "the method " + Visible(m.method)
}

func (m *matcher) paths(_ string, r Rule) (bool, string) {
	if m.path == nil && len(r.Paths) > 0 {
		return false, fmt.Sprintf("the path %s, which can be read in two ways", Visible(m.use.Path))
	}
	ok := fits(r, r.Paths, m.use.Path == "", func(text string) bool {
		g, err := parseGlob(text)
		return err == nil && g.match(m.path)
	})
	return ok, "the path " + Visible(m.use.Path)
}

// places wants every place where the secret goes among those of the rule.
func (m *matcher) places(name string, r Rule) (bool, string) {
	where := m.use.In[name]
	if where == "" {
		return fits(r, r.In, true, func(string) bool { return false }), "a use that does not say where it goes"
	}
	ok := true
	for place := range strings.SplitSeq(where, ",") {
		place = cleanPlace(place)
		ok = ok && fits(r, r.In, false, func(p string) bool { return cleanPlace(p) == place })
	}
	return ok, "the place " + Visible(where)
}

func (m *matcher) command(_ string, r Rule) (bool, string) {
	argv := m.use.Command
	ok := fits(r, r.Commands, len(argv) == 0, func(text string) bool {
		words, err := splitWords(text)
		if err != nil || len(words) == 0 || len(words) > len(argv) || r.Exact && len(words) != len(argv) {
			return false
		}
		return slices.Equal(words, argv[:len(words)])
	})
	return ok, "the command " + Visible(joinWords(argv))
}

// fits reports whether a field permits what a use has: one of its entries does, or it is empty and does not limit.
func fits(r Rule, field []string, none bool, permits func(string) bool) bool {
	if len(field) == 0 {
		return !r.Exact || none
	}
	return slices.ContainsFunc(field, permits)
}
