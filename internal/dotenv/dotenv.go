// Package dotenv reads and writes .env files.
//
// [Parse] gives a [File] that keeps every byte: printed unchanged it is the file again, with comments, order, quoting, line
// ends and what makes no sense. What its entries mean is what the npm package dotenv makes of them. Values are taken
// literally; [Expand] does what dotenv-expand does.
//
// [Write] writes entries for the programs that read such files, each in its own [Dialect]; a value that a dialect cannot
// hold is refused.
package dotenv

import (
	"bytes"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// File is a parsed file. The zero File is empty.
type File struct {
	src     []byte
	entries []Entry
}

// Entry is one assignment.
type Entry struct {
	Name  string
	Value secret.Value
	// Line is where its name stands, from 1.
	Line int
	// Quote is the quote around the value, 0 for none.
	Quote byte
	// Exported says that the word export stands before it.
	Exported bool
	// Comment is the text of the comment lines directly above, without their '#', and of the one behind the value.
	Comment string
	// Decorators are the @words in these comments.
	Decorators []Decorator

	at match
}

// Problem is a line that is neither empty, nor a comment, nor an assignment. It does not hold the line, which may be secret.
type Problem struct {
	Line   int
	Reason string
}

// Parse reads a file. Problems do not keep the rest from being read.
func Parse(src []byte) (*File, []Problem) {
	f := &File{src: bytes.Clone(src)}
	s := &scanner{src: f.src}
	var problems []Problem
	line, counted := 1, 0
	upTo := func(at int) int {
		for counted < at {
			n := s.terminator(counted)
			if n > 0 {
				line++
			}
			counted += max(n, 1)
		}
		return line
	}
	at := 0
	for {
		m, ok := s.next(at)
		until := len(f.src)
		if ok {
			until = m.name.start
			if m.exported {
				until = s.skipSpace(m.whole.start)
			}
		}
		above := s.gap(at, until, upTo, &problems)
		if !ok {
			return f, problems
		}
		e := Entry{Name: string(f.src[m.name.start:m.name.end]), Value: s.value(m), Line: upTo(m.name.start), Quote: m.quote, Exported: m.exported, at: m}
		e.Comment, e.Decorators = s.comments(above, until, m)
		f.entries = append(f.entries, e)
		at = s.lineAfter(m.whole.end)
	}
}

// gap looks at the lines between two entries: it adds a problem for each that makes no sense, and returns where the comment
// block directly above the next entry starts.
func (s *scanner) gap(from, until int, lineOf func(int) int, problems *[]Problem) (block int) {
	block = from
	for at := from; at < until; {
		end := at
		for end < until && s.terminator(end) == 0 {
			end++
		}
		text := s.trim(span{at, end})
		next := end + s.terminator(end)
		switch {
		case text.start == text.end:
			if next <= until && end < until {
				block = next
			}
		case s.src[text.start] != '#':
			*problems = append(*problems, Problem{Line: lineOf(text.start), Reason: s.reason(text)})
			block = next
		}
		at = max(next, at+1)
	}
	return min(block, until)
}

// reason says what is wrong with a line, without quoting it.
func (s *scanner) reason(text span) string {
	line := s.src[text.start:text.end]
	name, _, found := bytes.Cut(line, []byte("="))
	switch {
	case !found:
		return "no '=' in it"
	case len(bytes.TrimSpace(name)) == 0:
		return "no name before the '='"
	}
	return "the name before the '=' has characters other than letters, digits, '_', '-' and '.'"
}

// value works out what an assignment means.
func (s *scanner) value(m match) secret.Value {
	v := s.src[m.value.start:m.value.end]
	if len(v) == 0 {
		return secret.Value{}
	}
	quote := v[0]
	out := unquote(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(v)))
	if quote == '"' {
		out = strings.ReplaceAll(strings.ReplaceAll(out, `\n`, "\n"), `\r`, "\r")
	}
	return secret.Of(out)
}

// unquote takes away a quote at the start of a line and the last such quote that ends a line, together with each other; then
// goes on behind it. A value has several lines only between quotes, or with the line ends of Unicode in it.
func unquote(v string) string {
	s := &scanner{src: []byte(v)}
	var out []byte
	for at := 0; at < len(v); {
		if end, ok := s.closing(at); ok {
			out = append(out, v[at+1:end]...)
			at = end + 1
			continue
		}
		next := s.lineAfter(at)
		out = append(out, v[at:next]...)
		at = next
	}
	return string(out)
}

// closing finds the quote that belongs to the one at a line start.
func (s *scanner) closing(at int) (end int, ok bool) {
	quote := s.src[at]
	if quote != '\'' && quote != '"' && quote != '`' {
		return 0, false
	}
	for end = len(s.src) - 1; end > at; end-- {
		if s.src[end] == quote && (end+1 == len(s.src) || s.terminator(end+1) > 0) {
			return end, true
		}
	}
	return 0, false
}

// Entries lists the assignments in their order. Of several with one name the last counts.
func (f *File) Entries() []Entry { return slices.Clone(f.entries) }

// Effective lists the assignments that count: the last of each name, in the order in which the names first appear.
func (f *File) Effective() []Entry {
	last := map[string]int{}
	var order []string
	for i, e := range f.entries {
		if _, seen := last[e.Name]; !seen {
			order = append(order, e.Name)
		}
		last[e.Name] = i
	}
	out := make([]Entry, len(order))
	for i, name := range order {
		out[i] = f.entries[last[name]]
	}
	return out
}

// Bytes returns the file as it was read.
func (f *File) Bytes() []byte { return bytes.Clone(f.src) }

// Rewrite returns the file with every value replaced by what value returns, which is put in without quotes, and every comment
// and stray line by what text returns. Everything else stays as it is.
func (f *File) Rewrite(value func(Entry) string, text func([]byte) []byte) []byte {
	var out []byte
	at := 0
	for _, e := range f.entries {
		out = append(out, text(f.src[at:e.at.name.start])...)
		out = append(out, f.src[e.at.name.start:f.assignEnd(e)]...)
		if out[len(out)-1] == ':' {
			out = append(out, ' ')
		}
		out = append(out, value(e)...)
		after := max(e.at.value.end, f.assignEnd(e))
		if e.at.comment.start > after || e.at.comment.end > e.at.comment.start {
			out = append(out, text(f.src[after:e.at.whole.end])...)
		}
		at = e.at.whole.end
	}
	return append(out, text(f.src[at:])...)
}

// assignEnd is where an entry's '=' or ':' ends; the white space up to the value is left out, so that a value cannot end up
// on another line than its name.
func (f *File) assignEnd(e Entry) int {
	s := &scanner{src: f.src}
	if at := s.skipSpace(e.at.name.end); at < len(f.src) && f.src[at] == '=' {
		return at + 1
	}
	return e.at.name.end + 1
}
