// Package redact masks known secrets, in all their usual encodings, in a stream of bytes.
//
// Start with [New], then [Matcher.Writer] for a stream or [Matcher.Bytes] for what is at hand. It looks for the values
// themselves and not for what secrets look like, so it never masks anything else.
//
// # What is masked
//
// Each value as it is, and as: base64 (standard and URL alphabet, at all three alignments, in lines of 64 or 76 letters), hex,
// percent-encoding, JSON, HTML and shell escapes, reversed, UTF-16 (both byte orders), with CR LF for LF; and each line of a
// value of several lines, if it is long enough. Overlapping finds are masked together, so no piece of either is left.
//
// # What is not
//
// Values shorter than [MinLength] bytes and everyday words such as "true" or "localhost" would tear ordinary output to
// pieces; they are left alone, and [Matcher.Skipped] names them.
package redact

import (
	"bytes"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const (
	// MinLength is the fewest bytes of a value that is masked.
	MinLength = 6
	// MinLine is the fewest bytes of a line of a longer value that is masked by itself.
	MinLine = 12
)

// Secret is a value to mask, and what to call it.
type Secret struct {
	Name  string
	Value secret.Value
}

// Option changes how a Matcher masks.
type Option func(*Matcher)

// WithMask sets what stands in the place of a value; the default is "[redacted:NAME]".
func WithMask(mask func(name string) string) Option {
	return func(m *Matcher) { m.mask = mask }
}

// Matcher finds and masks a set of secrets. It does not change and can be shared by goroutines.
type Matcher struct {
	index   *index // nil: nothing to look for
	names   []string
	mask    func(name string) string
	skipped []string
}

// New makes a Matcher. Secrets with the same value are masked under the first one's name.
func New(secrets []Secret, options ...Option) (*Matcher, error) {
	m := &Matcher{mask: func(name string) string { return "[redacted:" + name + "]" }}
	for _, o := range options {
		o(m)
	}
	b := newBuilder(len(secrets))
	for _, s := range secrets {
		if tooPlain(s.Value.Reveal()) {
			m.skipped = append(m.skipped, s.Name)
			continue
		}
		m.names = append(m.names, s.Name)
		encodings(s.Value.Reveal(), func(e Encoding, form []byte) { b.add(form, len(m.names)-1, e) })
	}
	m.index = b.build()
	return m, nil
}

// Forms calls fn with every form in which a value is masked, some of them maybe twice; with none for a value that is left alone.
// fn must not keep the bytes.
func Forms(v secret.Value, fn func(Encoding, []byte)) {
	if tooPlain(v.Reveal()) {
		return
	}
	encodings(v.Reveal(), func(e Encoding, form []byte) {
		if len(form) >= MinLength-1 {
			fn(e, form)
		}
	})
}

// Skipped names the secrets that are not masked because their values are too short or too common.
func (m *Matcher) Skipped() []string { return slices.Clone(m.skipped) }

// Match is a secret found at bytes Start to End.
type Match struct {
	Start, End int
	Name       string
	Encoding   Encoding
}

// Find lists the secrets in b by where they start; at each place the longest form. Matches may overlap.
func (m *Matcher) Find(b []byte) []Match {
	var all []Match
	if m.index == nil {
		return nil
	}
	for at := 0; ; {
		f, next := m.index.next(b, at, true)
		if f.end == 0 {
			return all
		}
		all = append(all, Match{Start: f.start, End: f.end, Name: m.names[f.name], Encoding: f.encoding})
		at = next
	}
}

// Bytes returns b with every secret masked.
func (m *Matcher) Bytes(b []byte) []byte {
	var out bytes.Buffer
	w := m.Writer(&out)
	// A bytes.Buffer takes everything.
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// String returns s with every secret masked.
func (m *Matcher) String(s string) string { return string(m.Bytes([]byte(s))) }

// everyday are values that stand in any output. They are compared in lower case.
var everyday = []string{"false", "enabled", "disabled", "localhost", "development", "staging", "production", "default", "example",
	"postgres", "postgresql", "mongodb", "username", "password", "secret", "changeme", "127.0.0.1", "0.0.0.0", "utf-8", "verbose", "warning", "notice"}

// tooPlain reports whether masking a value would do more harm than good.
func tooPlain(v []byte) bool {
	if len(v) < MinLength {
		return true
	}
	if len(v) > 12 {
		return false
	}
	lower := string(bytes.ToLower(v))
	return slices.Contains(everyday, lower) || len(v) < 8 && !slices.ContainsFunc(v, func(c byte) bool { return c < '0' || c > '9' })
}
