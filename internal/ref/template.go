package ref

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	opening = "${" + Scheme
	closing = "}"
)

var errUnclosed = errors.New("a reference starts with " + opening + " and is not closed with " + closing)

// Template is a value in its parts: text and references. It prints as its references only, for the text may be secret.
type Template struct {
	parts []part
}

// part is text, or a reference if ref is not nil.
type part struct {
	text string
	ref  *Ref
}

// ParseTemplate takes a value apart:
//
//	zvault://…       at the start: the whole value is one reference
//	${zvault://…}    anywhere: a reference
//	$zvault://…      at the start, and $${zvault:// anywhere, also with more dollars before it: text, with one dollar less
//
// Everything else is text. Errors quote the reference and nothing around it, for a value is secret.
func ParseTemplate(value string) (Template, error) {
	if strings.HasPrefix(value, Scheme) {
		r, err := Parse(value)
		if err != nil {
			return Template{}, err
		}
		return Template{parts: []part{{ref: &r}}}, nil
	}
	var t Template
	if escaped(value) {
		value = value[1:]
		scheme := strings.Index(value, Scheme) + len(Scheme)
		t.text(value[:scheme])
		value = value[scheme:]
	}
	for {
		before, after, found := strings.Cut(value, opening)
		if !found {
			t.text(value)
			return t, nil
		}
		if strings.HasSuffix(before, "$") {
			t.text(before[:len(before)-1] + opening)
			value = after
			continue
		}
		inside, rest, found := strings.Cut(after, closing)
		if !found || strings.ContainsAny(inside, " \t\r\n") {
			return Template{}, fmt.Errorf("%w: %w", ErrSyntax, errUnclosed)
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

// escaped reports whether a value starts with the scheme behind one or more dollars.
func escaped(value string) bool {
	bare := strings.TrimLeft(value, "$")
	return len(bare) < len(value) && strings.HasPrefix(bare, Scheme)
}

func (t *Template) text(s string) {
	if s != "" {
		t.parts = append(t.parts, part{text: s})
	}
}

// QuoteLiteral returns a value that is no reference and expands to s, whatever s holds. It is s itself unless s looks like
// holding a reference.
func QuoteLiteral(s string) string {
	quoted := strings.ReplaceAll(s, opening, "$"+opening)
	if strings.HasPrefix(s, Scheme) || escaped(s) {
		quoted = "$" + quoted
	}
	return quoted
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

// Expand puts what lookup returns in the place of each reference; the result is a new slice. lookup is called for every
// occurrence; its error is returned as it is.
func (t Template) Expand(lookup func(Ref) ([]byte, error)) ([]byte, error) {
	var out bytes.Buffer
	for _, p := range t.parts {
		if p.ref == nil {
			out.WriteString(p.text)
			continue
		}
		v, err := lookup(*p.ref)
		if err != nil {
			return nil, err
		}
		out.Write(v)
	}
	return out.Bytes(), nil
}

// Format prints the references for every verb, and no text.
func (t Template) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "template of %v", t.Refs()) // fmt.State never fails
}
