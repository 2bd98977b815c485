package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/nearest"
)

// Parse reads the text of a policy, in HCL or, if it begins with a brace, in JSON. The name is for messages and for what
// Compile says of it; Parse does not check it. An empty text is a policy without rules. The error joins one Error for each
// mistake found, all of which are ErrSyntax.
func Parse(name, text string) (*Policy, error) {
	p := &parsing{mistakes: mistakes{policy: name}}
	if root, err := read(text); err != nil {
		var at *lineError
		if errors.As(err, &at) {
			p.add(at.line, "%s", at.text)
		} else {
			p.add(0, "%v", err)
		}
	} else {
		p.root(root)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return &Policy{Name: name, Text: text, Rules: p.rules}, nil
}

func read(text string) ([]member, error) {
	switch {
	case len(text) > maxText:
		return nil, failAt(0, "the text is longer than %d bytes", maxText)
	case !utf8.ValidString(text):
		return nil, failAt(0, "the text is not UTF-8")
	case looksLikeJSON(text):
		return readJSON(text)
	}
	return readHCL(text)
}

// parsing is a policy being read.
type parsing struct {
	mistakes
	rules []*Rule
}

// root reads the outermost level, which holds paths and, with no effect, a name.
func (p *parsing) root(members []member) {
	for _, m := range members {
		switch m.name {
		case "path":
			p.paths(m)
		case "name":
			if _, ok := m.value.content.(string); !ok {
				p.add(m.line, "name is %s: write a string, or leave it out", m.value.kind())
			}
		default:
			p.unknown(m, []string{"path", "name"})
		}
	}
}

// unknown reports a name that means nothing, with the one that was perhaps meant.
func (p *parsing) unknown(m member, known []string) {
	if meant, ok := nearest.Of(m.name, known); ok {
		p.add(m.line, "unknown key %q: did you mean %q?", m.name, meant)
		return
	}
	p.add(m.line, "unknown key %q: remove it; known are %s", m.name, strings.Join(known, ", "))
}

// paths reads a member "path": an object, or a list of objects, from paths to what is granted there.
func (p *parsing) paths(m member) {
	objects, ok := m.value.objects()
	if !ok {
		p.add(m.line, "path without a block: write path \"secret/data/app\" { capabilities = [\"read\"] }")
		return
	}
	for _, object := range objects {
		for _, entry := range object.content.([]member) { //nolint:errcheck // objects returns nothing else
			p.path(entry)
		}
	}
}

func (p *parsing) path(m member) {
	bodies, ok := m.value.objects()
	if !ok {
		p.add(m.line, "path %q is %s: write a block in braces after it", m.name, m.value.kind())
		return
	}
	for _, body := range bodies {
		r := &Rule{Path: cleanPath(m.name), Line: m.line}
		p.address(r)
		p.body(r, body.content.([]member)) //nolint:errcheck // objects returns nothing else
		p.rules = append(p.rules, r)
	}
}

// address checks the path of a rule and finds out what it matches.
func (p *parsing) address(r *Rule) {
	t, err := parseTemplate(r.Path)
	if err == nil && t.filled() {
		r.pattern, err = parsePattern(r.Path)
	} else if err == nil {
		r.templated = true
		_, err = parsePattern(t.sample())
	}
	if err != nil {
		p.add(r.Line, "path %q: %v", r.Path, err)
	}
}

// attributes lists what a path block may hold.
func attributes() []string {
	return []string{
		"capabilities", "policy", "comment", "allowed_parameters", "denied_parameters", "required_parameters",
		"min_wrapping_ttl", "max_wrapping_ttl", "pagination_limit", "list_scan_response_keys_filter_path", "expiration",
	}
}

func (p *parsing) body(r *Rule, members []member) {
	lines := map[string]int{}
	for _, m := range members {
		switch first, again := lines[m.name]; {
		case m.name == "mfa_methods":
			p.add(m.line, "path %q: mfa_methods is not enforced: remove it, and ask for the second factor at login", r.Path)
		case !slices.Contains(attributes(), m.name):
			p.unknown(m, attributes())
		case again:
			p.add(m.line, "path %q: %s is set twice, first in line %d: keep one", r.Path, m.name, first)
		case m.value.content == nil:
			// JSON's null is an attribute left out.
		default:
			p.attribute(r, m)
		}
		lines[m.name] = m.line
	}
	if r.MinWrap > 0 && r.MaxWrap > 0 && r.MaxWrap < r.MinWrap {
		p.add(lines["max_wrapping_ttl"], "path %q: max_wrapping_ttl is less than min_wrapping_ttl: raise it to at least %s", r.Path,
			r.MinWrap)
	}
	if line, ok := lines["list_scan_response_keys_filter_path"]; ok && r.KeysFilter != "" && !r.Capabilities.Has(List) {
		p.add(line, "path %q: list_scan_response_keys_filter_path filters lists: grant the capability \"list\" too", r.Path)
	}
}

func (p *parsing) attribute(r *Rule, m member) {
	switch m.name {
	case "capabilities":
		p.capabilities(r, m)
	case "policy":
		p.legacy(r, m)
	case "comment":
		r.Comment = p.text(m)
	case "allowed_parameters":
		r.Allowed = p.parameters(m)
	case "denied_parameters":
		r.Denied = p.parameters(m)
	case "required_parameters":
		r.Required = p.names(m)
	case "min_wrapping_ttl":
		r.MinWrap = p.duration(m)
	case "max_wrapping_ttl":
		r.MaxWrap = p.duration(m)
	case "pagination_limit":
		r.Limit = p.limit(m)
	case "list_scan_response_keys_filter_path":
		r.KeysFilter = p.text(m)
		if _, err := parseKeysFilter(r.KeysFilter); r.KeysFilter != "" && err != nil {
			p.add(m.line, "list_scan_response_keys_filter_path: %v", err)
		}
	case "expiration":
		r.Expires = p.moment(m)
	}
}

func (p *parsing) capabilities(r *Rule, m member) {
	list, ok := m.value.content.([]value)
	if !ok {
		p.add(m.line, "capabilities is %s: write a list of strings, as in [\"read\"]", m.value.kind())
		return
	}
	for _, v := range list {
		name, ok := v.content.(string)
		if !ok {
			p.add(v.line, "capabilities holds %s: write strings, as in [\"read\"]", v.kind())
			continue
		}
		c, ok := ParseCapability(name)
		if !ok {
			p.add(v.line, "unknown capability %s", hint(name, capabilityNames()))
			continue
		}
		r.grant(Capabilities(c))
	}
}

// hint quotes a word that is none of the known ones, and says what to write instead.
func hint(word string, known []string) string {
	if meant, ok := nearest.Of(word, known); ok {
		return strconv.Quote(word) + ": did you mean " + strconv.Quote(meant) + "?"
	}
	return strconv.Quote(word) + ": known are " + strings.Join(known, ", ")
}

func (p *parsing) legacy(r *Rule, m member) {
	word, ok := m.value.content.(string)
	if !ok {
		p.add(m.line, "policy is %s: write \"read\", \"write\", \"sudo\" or \"deny\"", m.value.kind())
		return
	}
	caps, ok := legacy(word)
	if !ok {
		p.add(m.line, "unknown policy %s", hint(word, []string{"read", "write", "sudo", "deny"}))
		return
	}
	r.grant(caps)
}

// grant adds capabilities. Deny takes away the others, whichever comes first.
func (r *Rule) grant(caps Capabilities) {
	if r.Capabilities |= caps; r.Capabilities.Has(Deny) {
		r.Capabilities = Capabilities(Deny)
	}
}
