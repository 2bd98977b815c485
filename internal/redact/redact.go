// Package redact masks known secrets, in all their usual encodings, in a stream of bytes.
//
// Start with [New], then [Matcher.Writer] for a stream or [Matcher.Bytes] for what is at hand. It looks for the values
// themselves and not for what secrets look like, so it never masks anything else.
//
// # What is masked
//
// Each value as it is, without white space around it, and as
//   - base64, in the standard and the URL alphabet, with padding and without, at all three alignments, in lines of 64 or 76 letters;
//   - hex of both cases; percent-encoding of both cases, with + or %20 for a space, as the usual libraries choose what to escape;
//   - JSON as Go, JavaScript, Python, PHP, Java and .NET write it, also as JSON in JSON and with \u00XX for every byte;
//   - HTML and XML escapes; within single, double and $'…' quotes, with backslashes, with quotes doubled;
//   - reversed, by bytes and by characters; UTF-16 of both byte orders;
//   - for a value of several lines: with CR LF for LF and the other way round, and each line of at least [MinLine] bytes.
//
// At each place the longest form counts. Overlapping finds are masked together, so no piece of either is left. Encodings of a
// value within one another (other than JSON), compressed, or encrypted are not known, nor is base64 in lines of a text of which
// the value is only a part. Where base64 of a longer text holds a value, a letter on either side may tell a few bits of it.
//
// # What is not
//
// Some values would tear ordinary output to pieces. They are left alone, and [Matcher.Skipped] names them: values shorter than
// [MinLength] bytes, numbers of less than 8 digits, one character repeated, and everyday words and hosts such as "production",
// "postgres", "us-east-1" or "http://localhost:3000". [Secret.Force] masks such a value all the same, from [MinForced] bytes on.
package redact

import (
	"bytes"
	"errors"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Secret is a value to mask, and what to call it.
type Secret struct {
	Name  string
	Value secret.Value
	// Force masks a value that would be left alone as too short or too common.
	Force bool
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

// ErrNoMask is returned by New for a WithMask without a function.
var ErrNoMask = errors.New("a mask needs a function")

// New makes a Matcher. Secrets with the same value are masked under the first one's name. The values are copied.
func New(secrets []Secret, options ...Option) (*Matcher, error) {
	m := &Matcher{mask: func(name string) string { return "[redacted:" + name + "]" }}
	for _, o := range options {
		o(m)
	}
	if m.mask == nil {
		return nil, ErrNoMask
	}
	b := &builder{raw: make([]rawForm, 0, 24*len(secrets))}
	c := &encoder{fn: func(e Encoding, form []byte) { b.add(form, len(m.names)-1, e) }}
	for _, s := range secrets {
		v := s.Value.Reveal()
		if tooPlain(v) && (!s.Force || len(v) < MinForced) {
			m.skipped = append(m.skipped, s.Name)
			continue
		}
		m.names = append(m.names, s.Name)
		c.all(v)
	}
	m.index = b.build()
	return m, nil
}

// Forms calls fn with every form in which a value is masked, some of them maybe twice; with none for a value that is left alone.
// fn must not keep the bytes.
func Forms(v secret.Value, fn func(Encoding, []byte)) {
	if !tooPlain(v.Reveal()) {
		(&encoder{fn: fn}).all(v.Reveal())
	}
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

// Longest is the length in bytes of the longest form, which is more than a Writer ever holds back.
func (m *Matcher) Longest() int {
	if m.index == nil {
		return 0
	}
	return m.index.longest
}

// Bytes returns a copy of b with every secret masked.
func (m *Matcher) Bytes(b []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(b)))
	w := m.Writer(out)
	// A bytes.Buffer takes everything.
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// String returns s with every secret masked.
func (m *Matcher) String(s string) string { return string(m.Bytes([]byte(s))) }
