package ref

import (
	"slices"
	"strings"
)

const (
	open  = "${" + Scheme
	close = "}"
)

// Template is a value in its parts: text and references.
type Template struct {
	parts []part
}

// part is text, or a reference if ref is not nil.
type part struct {
	text string
	ref  *Ref
}

// ParseTemplate takes a value apart. A value that starts with zvault:// is one reference as a whole; in any other,
// ${zvault://…} is a reference, $${zvault:// stands for the text ${zvault://, and everything else is text. Errors quote
// the reference and nothing around it, for a value is secret.
func ParseTemplate(value string) (Template, error) {
	if strings.HasPrefix(value, Scheme) {
		r, err := Parse(value)
		if err != nil {
			return Template{}, err
		}
		return Template{parts: []part{{ref: &r}}}, nil
	}
	var t Template
	for {
		before, after, found := strings.Cut(value, open)
		if !found {
			t.text(value)
			return t, nil
		}
		if strings.HasSuffix(before, "$") {
			t.text(before[:len(before)-1] + open)
			value = after
			continue
		}
		inside, rest, found := strings.Cut(after, close)
		if !found || strings.ContainsAny(inside, " \t\r\n") {
			return Template{}, syntax("a reference starts with %s and is not closed with %s", open, close)
		}
		r, err := Parse(Scheme + inside)
		if err != nil {
			return Template{}, err
		}
		t.text(before)
		t.parts = append(t.parts, part{ref: &r})
		value = rest
	}
}

func (t *Template) text(s string) {
	if s != "" {
		t.parts = append(t.parts, part{text: s})
	}
}

// Refs lists the references, each once, in order.
func (t Template) Refs() []Ref {
	var all []Ref
	for _, p := range t.parts {
		if p.ref != nil && !slices.Contains(all, *p.ref) {
			all = append(all, *p.ref)
		}
	}
	return all
}

// IsLiteral reports whether there is no reference in it.
func (t Template) IsLiteral() bool {
	return !slices.ContainsFunc(t.parts, func(p part) bool { return p.ref != nil })
}

// Expand puts what lookup returns in the place of each reference. An error of lookup is returned as it is.
func (t Template) Expand(lookup func(Ref) ([]byte, error)) ([]byte, error) {
	var out []byte
	for _, p := range t.parts {
		if p.ref == nil {
			out = append(out, p.text...)
			continue
		}
		v, err := lookup(*p.ref)
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
	}
	return out, nil
}

// QuoteLiteral returns a value that expands to s, whatever s holds. A text that starts with the scheme itself has no such
// form and is returned with ok false: store it as raw.
func QuoteLiteral(s string) (quoted string, ok bool) {
	if strings.HasPrefix(s, Scheme) {
		return s, false
	}
	return strings.ReplaceAll(s, open, "$"+open), true
}
