package dotenv

import (
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// maxExpansions bounds what one value can be expanded to, for entries that refer to each other without end.
const maxExpansions = 1000

// Expand replaces references to other variables in values, with the meaning of the npm package dotenv-expand (13.x): $NAME,
// ${NAME}, ${NAME:-default} and ${NAME-default}, ${NAME:+other} and ${NAME+other}; \$ stands for a dollar. A name means the
// process environment first and the entries above second. An entry that the process environment sets otherwise keeps the
// value from there.
func Expand(entries []Entry, environ func(name string) (string, bool)) []Entry {
	e := &expander{above: map[string]string{}, environ: environ}
	out := slices.Clone(entries)
	for i := range out {
		value := string(out[i].Value.Reveal())
		if outer, ok := environ(out[i].Name); ok && outer != "" && outer != value {
			value = outer
		} else {
			value = e.expand(value)
		}
		value = strings.ReplaceAll(value, `\$`, "$")
		e.above[out[i].Name] = value
		out[i].Value = secret.Of(value)
	}
	return out
}

type expander struct {
	above   map[string]string
	environ func(string) (string, bool)
}

func (e *expander) lookup(name string) string {
	if v, ok := e.environ(name); ok {
		return v
	}
	return e.above[name]
}

// expand replaces the first reference until none is left. A value that has been seen as the whole text before is not put in
// again: it would lead back to itself.
func (e *expander) expand(text string) string {
	seen := map[string]bool{}
	for range maxExpansions {
		reference, expression, ok := firstReference(text)
		if !ok {
			return text
		}
		seen[text] = true
		name, value, fallback := e.evaluate(expression)
		if value == "" || seen[value] {
			value = fallback
		}
		text = replaceFirst(text, reference, value)
		if above, ok := e.above[name]; ok && text == above {
			return text
		}
	}
	return text
}

// evaluate takes an expression apart at its first operator.
func (e *expander) evaluate(expression string) (name, value, fallback string) {
	at, operator := firstOperator(expression)
	if at < 0 {
		return expression, e.lookup(expression), ""
	}
	name, fallback = expression[:at], expression[at+len(operator):]
	if !strings.HasSuffix(operator, "+") {
		return name, e.lookup(name), fallback
	}
	if e.lookup(name) == "" {
		fallback = ""
	}
	return name, "", fallback
}

func firstOperator(expression string) (at int, operator string) {
	for i := range len(expression) {
		for _, op := range []string{":+", "+", ":-", "-"} {
			if strings.HasPrefix(expression[i:], op) {
				return i, op
			}
		}
	}
	return -1, ""
}

// firstReference finds the first ${…} or $NAME that has no backslash before it.
func firstReference(text string) (reference, expression string, ok bool) {
	for i := range len(text) {
		if text[i] != '$' || i > 0 && text[i-1] == '\\' {
			continue
		}
		rest := text[i+1:]
		if strings.HasPrefix(rest, "{") {
			if end := strings.IndexAny(rest[1:], "{}"); end > 0 && rest[1+end] == '}' {
				return text[i : i+end+3], rest[1 : 1+end], true
			}
		}
		if n := identifierLen(rest); n > 0 {
			return text[i : i+1+n], rest[:n], true
		}
	}
	return "", "", false
}

func identifierLen(text string) int {
	n := 0
	for n < len(text) && (text[n] == '_' || isLetter(text[n]) || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// replaceFirst is JavaScript's String.replace with a text: in the replacement, $$ stands for a dollar, $& for what is
// replaced, $` and $' for what is before and behind it.
func replaceFirst(text, old, replacement string) string {
	before, after, _ := strings.Cut(text, old)
	var b strings.Builder
	b.WriteString(before)
	for i := 0; i < len(replacement); i++ {
		if replacement[i] != '$' || i+1 == len(replacement) {
			b.WriteByte(replacement[i])
			continue
		}
		i++
		switch replacement[i] {
		case '$':
			b.WriteByte('$')
		case '&':
			b.WriteString(old)
		case '`':
			b.WriteString(before)
		case '\'':
			b.WriteString(after)
		default:
			b.WriteByte('$')
			i--
		}
	}
	b.WriteString(after)
	return b.String()
}
