package policy

import (
	"errors"
	"fmt"
	"strings"
)

// A template is a path with expressions in it: literal, expression, literal, expression, ..., literal.
type template struct {
	literals    []string
	expressions []string
}

var errBraces = errors.New("unbalanced {{ and }}: close each {{ with a }}")

// parseTemplate splits a path at its expressions, without the spaces around them.
func parseTemplate(path string) (template, error) {
	var t template
	rest := path
	for {
		literal, after, found := strings.Cut(rest, "{{")
		if strings.Contains(literal, "}}") {
			return template{}, errBraces
		}
		t.literals = append(t.literals, literal)
		if !found {
			return t, nil
		}
		expression, tail, closed := strings.Cut(after, "}}")
		if !closed || strings.Contains(expression, "{{") {
			return template{}, errBraces
		}
		expression = strings.TrimSpace(expression)
		if !validExpression(expression) {
			return template{}, fmt.Errorf("unknown expression %q: write identity.entity.id, .name, .metadata.<key>, "+
				".aliases.<accessor>.id, .name or .metadata.<key>, or identity.groups.ids.<id>.name or identity.groups.names.<name>.id",
				expression)
		}
		t.expressions = append(t.expressions, expression)
		rest = tail
	}
}

// filled reports whether there is nothing to fill in.
func (t template) filled() bool { return len(t.expressions) == 0 }

// sample returns the path with a harmless word for each expression: its wildcards are those that the author wrote.
func (t template) sample() string { return strings.Join(t.literals, "x") }

// fill puts values into the expressions. It reports false if one is missing or empty.
func (t template) fill(lookup func(string) (string, bool)) (string, bool) {
	var b strings.Builder
	b.WriteString(t.literals[0])
	for i, expression := range t.expressions {
		v, ok := lookup(expression)
		if !ok || v == "" {
			return "", false
		}
		b.WriteString(v)
		b.WriteString(t.literals[i+1])
	}
	return b.String(), true
}

// Expand returns the policy for somebody in particular. lookup returns the value of an expression, such as
// "identity.entity.name" or "identity.entity.aliases.auth_oidc_1234.metadata.team", and false if there is none. A rule is left
// out if a value is missing or empty, or if a value would bring in a wildcard: an entity named "*" gets nothing, not
// everything. A policy without templates is returned as it is.
func (p *Policy) Expand(lookup func(expression string) (string, bool)) *Policy {
	if !p.Templated() {
		return p
	}
	expanded := &Policy{Name: p.Name, Text: p.Text, Rules: make([]*Rule, 0, len(p.Rules))}
	for _, r := range p.Rules {
		if r.templated {
			r = r.expand(lookup)
		}
		if r != nil {
			expanded.Rules = append(expanded.Rules, r)
		}
	}
	return expanded
}

// expand returns the rule with its path filled in, or nil.
func (r *Rule) expand(lookup func(string) (string, bool)) *Rule {
	t, err := parseTemplate(r.Path)
	if err != nil {
		return nil // Parse has refused such a path
	}
	path, ok := t.fill(lookup)
	if !ok {
		return nil
	}
	written, err := parsePattern(t.sample())
	if err != nil {
		return nil
	}
	filled, err := parsePattern(cleanPath(path))
	if err != nil || !written.sameWildcards(filled) {
		return nil
	}
	clone := *r
	clone.Path, clone.pattern, clone.templated = cleanPath(path), filled, false
	return &clone
}

// validExpression reports whether an expression has one of the forms that somebody can have a value for. Names of accessors,
// groups and group ids hold no full stop; keys of metadata may.
func validExpression(e string) bool {
	if rest, ok := strings.CutPrefix(e, "identity.entity."); ok {
		if alias, ok := strings.CutPrefix(rest, "aliases."); ok {
			accessor, property, _ := strings.Cut(alias, ".")
			return accessor != "" && (validProperty(property) || validKey(property, "custom_metadata."))
		}
		return validProperty(rest)
	}
	if rest, ok := strings.CutPrefix(e, "identity.groups."); ok {
		by, rest, _ := strings.Cut(rest, ".")
		group, property, _ := strings.Cut(rest, ".")
		return (by == "ids" || by == "names") && group != "" && validProperty(property)
	}
	return false
}

func validProperty(s string) bool { return s == "id" || s == "name" || validKey(s, "metadata.") }

func validKey(s, prefix string) bool { return len(s) > len(prefix) && strings.HasPrefix(s, prefix) }
