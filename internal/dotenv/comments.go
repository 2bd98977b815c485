package dotenv

import (
	"bytes"
	"strings"
)

// Decorator is a word in a comment that says something about the entry below: @required, @type=url. This is the style of the
// @env-spec comments.
type Decorator struct {
	Name  string // without the '@'
	Value string // behind the '=', without quotes; empty if there is none
}

// comments reads the comment lines above an entry and the one behind its value.
func (s *scanner) comments(from, until int, m match) (text string, decorators []Decorator) {
	var lines []string
	block := string(s.src[from:max(from, min(until, len(s.src)))])
	for line := range strings.FieldsFuncSeq(block, func(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }) {
		lines = append(lines, line)
	}
	if m.comment.end > m.comment.start {
		lines = append(lines, string(s.src[m.comment.start:m.comment.end]))
	}
	var words []string
	for _, line := range lines {
		if _, off := IsAssignment([]byte(strings.TrimSpace(line))); off {
			continue // a former value, most likely
		}
		line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")), "#"))
		if strings.HasPrefix(line, "@") {
			decorators = append(decorators, parseDecorators(line)...)
			continue
		}
		if line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, "\n"), decorators
}

// parseDecorators reads "@required @type=url @pattern="^a b$""; what is no decorator ends it.
func parseDecorators(line string) []Decorator {
	var out []Decorator
	for line = strings.TrimSpace(line); strings.HasPrefix(line, "@"); line = strings.TrimSpace(line) {
		end := strings.IndexAny(line, "= \t")
		if end < 0 {
			end = len(line)
		}
		d := Decorator{Name: line[1:end]}
		line = line[end:]
		if rest, ok := strings.CutPrefix(line, "="); ok {
			d.Value, line = decoratorValue(rest)
		}
		if d.Name == "" {
			return out
		}
		out = append(out, d)
	}
	return out
}

func decoratorValue(text string) (value, rest string) {
	if text == "" {
		return "", ""
	}
	if quote := text[0]; quote == '"' || quote == '\'' {
		if inside, after, ok := strings.Cut(text[1:], string(quote)); ok {
			return inside, after
		}
	}
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// IsAssignment reports whether the text of a comment is itself an assignment, switched off: its value may be a secret.
func IsAssignment(comment []byte) (valueStart int, ok bool) {
	inner := bytes.TrimLeft(comment, "# \t")
	s := &scanner{src: inner}
	m, ok := s.assignment(0)
	if !ok || m.value.end == m.value.start || bytes.ContainsAny(inner[:m.name.end], " \t") && !m.exported {
		return 0, false
	}
	return len(comment) - len(inner) + m.value.start, true
}
