package policy

import (
	"slices"
	"strings"
)

// suggest returns the text of a rule with which the policies would allow the query, or "" if there is none. The rule is for the
// exact path, grants the one capability, and no more of parameters and wrapping than was missing. It is tried before it is
// returned. It holds names of parameters, never their values.
func suggest(policies []*Policy, q Query, refused refusal) string {
	if !q.Capability.single() {
		return ""
	}
	r := &Rule{Path: strings.TrimLeft(q.Path, "/"), Capabilities: Capabilities(q.Capability)}
	if refused.why == wrapTooShort {
		r.MinWrap = q.WrapTTL
	}
	text, refused := try(policies, q, r)
	// Each turn allows one parameter more, for as long as it is parameters that are not allowed.
	for refused.why == parameterNotAllowed && r.Allowed[refused.parameter] == nil {
		if r.Allowed == nil {
			r.Allowed = map[string][]any{}
		}
		r.Allowed[strings.ToLower(refused.parameter)] = []any{}
		text, refused = try(policies, q, r)
	}
	return text
}

// try adds a rule to the policies, as if it had been written down. It returns its text if that allows the query, or else what
// still refuses it.
func try(policies []*Policy, q Query, r *Rule) (string, refusal) {
	text := Format(r)
	p, err := Parse("suggestion", text)
	if err != nil || p.Templated() || p.Rules[0].pattern.kind != exact {
		return "", refusal{} // the path cannot be written without meaning others too
	}
	acl := Compile(append(slices.Clone(policies), p)...).At(q.Time)
	if acl.Check(q).Allowed {
		return text, refusal{}
	}
	_, refused := acl.find(q.Capability, q.Path).decide(&q)
	return "", refused
}
