package dotenv

import (
	"unicode/utf8"
)

// The meaning of a file is that of the npm package dotenv (17.x). It finds assignments anywhere in the text, at the start of
// a line, in this shape, where WS is any white space, line ends included, and [] marks what may be missing:
//
//	WS [export WS] NAME WS = [VALUE] rest      or      NAME : WS [VALUE] rest
//
// NAME is of [A-Za-z0-9_.-]. VALUE is the first of these that fits, and after which only the rest of the line follows:
//
//	WS 'text'   WS "text"   WS `text`     over several lines if need be; a quote behind a backslash does not end it, unless
//	                                      nothing else would
//	text                                  to the end of the line or a '#'
//
// The rest is white space and a comment. Whatever has no such shape is skipped.
type scanner struct {
	src []byte
}

// span is a part of the source.
type span struct{ start, end int }

// match is an assignment as it stands in the source.
type match struct {
	whole    span // from the start of the line to the end of the value or its comment
	exported bool
	name     span
	value    span // trimmed; empty if there is none
	quote    byte // of the quoted form, 0 for text
	comment  span // behind the value, from its '#'
}

// next finds the first assignment at or after a line start.
func (s *scanner) next(from int) (match, bool) {
	for at := from; at < len(s.src); at = s.lineAfter(at) {
		if m, ok := s.assignment(at); ok {
			return m, true
		}
	}
	return match{}, false
}

// lineAfter returns where the next line starts.
func (s *scanner) lineAfter(at int) int {
	for at < len(s.src) {
		if n := s.terminator(at); n > 0 {
			return at + n
		}
		at++
	}
	return at
}

// terminator returns the length of the line end at a position, 0 if there is none. U+2028 and U+2029 end lines too.
func (s *scanner) terminator(at int) int {
	if at >= len(s.src) {
		return 0
	}
	switch s.src[at] {
	case '\n':
		return 1
	case '\r':
		if at+1 < len(s.src) && s.src[at+1] == '\n' {
			return 2
		}
		return 1
	case 0xe2:
		if at+2 < len(s.src) && s.src[at+1] == 0x80 && s.src[at+2]&^1 == 0xa8 {
			return 3
		}
	}
	return 0
}

// space returns the length of the white-space character at a position, 0 if there is none: what JavaScript calls so.
func (s *scanner) space(at int) int {
	if at >= len(s.src) {
		return 0
	}
	return spaceLen(s.src[at:])
}

func spaceLen(b []byte) int {
	switch c := b[0]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	r, n := utf8.DecodeRune(b)
	switch {
	case r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000, r == 0xfeff:
		return n
	}
	return 0
}

func (s *scanner) skipSpace(at int) int {
	for n := s.space(at); n > 0; n = s.space(at) {
		at += n
	}
	return at
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

func (s *scanner) nameEnd(at int) int {
	for at < len(s.src) && isName(s.src[at]) {
		at++
	}
	return at
}

// assignment matches at a line start. The word export is tried as such first, and then as a name.
func (s *scanner) assignment(start int) (match, bool) {
	at := s.skipSpace(start)
	end := s.nameEnd(at)
	if end == at {
		return match{}, false
	}
	if string(s.src[at:end]) == "export" && s.space(end) > 0 {
		if name := s.skipSpace(end); s.nameEnd(name) > name {
			if m, ok := s.named(start, span{name, s.nameEnd(name)}); ok {
				m.exported = true
				return m, true
			}
		}
	}
	return s.named(start, span{at, end})
}

// named matches what follows a name.
func (s *scanner) named(start int, name span) (match, bool) {
	m := match{whole: span{start, 0}, name: name}
	if at := s.skipSpace(name.end); at < len(s.src) && s.src[at] == '=' {
		s.assigned(&m, at+1)
		return m, true
	}
	if name.end < len(s.src) && s.src[name.end] == ':' {
		if n := s.space(name.end + 1); n > 0 {
			if s.src[name.end+1] == '\r' { // CR LF counts as one
				n = s.terminator(name.end + 1)
			}
			s.assigned(&m, name.end+1+n)
			return m, true
		}
	}
	return match{}, false
}

// assigned matches the value and the rest.
func (s *scanner) assigned(m *match, at int) {
	if open := s.skipSpace(at); open < len(s.src) && (s.src[open] == '\'' || s.src[open] == '"' || s.src[open] == '`') {
		if end, ok := s.quoted(open); ok {
			m.value, m.quote = span{open, end}, s.src[open]
			m.comment, m.whole.end = s.rest(end)
			return
		}
	}
	end := at
	for end < len(s.src) && s.src[end] != '#' && s.src[end] != '\n' && s.src[end] != '\r' {
		end++
	}
	m.value = s.trim(span{at, end})
	m.comment, m.whole.end = s.rest(end)
}

// quoted finds the end of a quoted text: the first quote without a backslash before it, and if that does not end the line,
// the last one with.
func (s *scanner) quoted(open int) (end int, ok bool) {
	quote := s.src[open]
	var escaped []int
	for at := open + 1; at < len(s.src); at++ {
		switch {
		case s.src[at] == '\\' && at+1 < len(s.src) && s.src[at+1] == quote:
			at++
			escaped = append(escaped, at)
		case s.src[at] == quote:
			if s.endsLine(at + 1) {
				return at + 1, true
			}
			return s.lastEnding(escaped)
		}
	}
	return s.lastEnding(escaped)
}

func (s *scanner) lastEnding(quotes []int) (end int, ok bool) {
	for i := len(quotes) - 1; i >= 0; i-- {
		if s.endsLine(quotes[i] + 1) {
			return quotes[i] + 1, true
		}
	}
	return 0, false
}

// endsLine reports whether nothing but white space and a comment follows on the line.
func (s *scanner) endsLine(at int) bool {
	for {
		if at >= len(s.src) || s.src[at] == '#' || s.terminator(at) > 0 {
			return true
		}
		n := s.space(at)
		if n == 0 {
			return false
		}
		at += n
	}
}

// rest finds the comment behind a value, if it is on the same line, and where the line ends.
func (s *scanner) rest(at int) (comment span, end int) {
	for at < len(s.src) && s.src[at] != '#' && s.terminator(at) == 0 {
		at++
	}
	comment = span{at, at}
	for at < len(s.src) && s.terminator(at) == 0 {
		at++
	}
	comment.end = at
	return comment, at
}

// trim cuts white space at both ends.
func (s *scanner) trim(v span) span {
	for v.start < v.end {
		n := spaceLen(s.src[v.start:v.end])
		if n == 0 {
			break
		}
		v.start += n
	}
	for v.end > v.start {
		r, n := utf8.DecodeLastRune(s.src[v.start:v.end])
		if r == utf8.RuneError || spaceLen(s.src[v.end-n:v.end]) == 0 {
			break
		}
		v.end -= n
	}
	return v
}
