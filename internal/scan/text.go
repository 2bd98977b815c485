package scan

import (
	"bytes"
	"sort"
	"strings"
)

// text is a file with its lines.
type text struct {
	name    string
	content []byte
	starts  []int // of lines
}

func newText(name string, content []byte) *text {
	t := &text{name: name, content: content, starts: []int{0}}
	for i, c := range content {
		if c == '\n' {
			t.starts = append(t.starts, i+1)
		}
	}
	return t
}

// line returns the number of the line at a place, from 1, and its bounds without the line end.
func (t *text) line(at int) (number, start, end int) {
	number = sort.SearchInts(t.starts, at+1)
	start, end = t.starts[number-1], len(t.content)
	if number < len(t.starts) {
		end = t.starts[number] - 1
	}
	return number, start, end
}

// maxExcerpt is how much of a line an excerpt shows on each side of the secret.
const maxExcerpt = 40

func (t *text) finding(rule, description string, start, end int, secret string) Finding {
	number, from, to := t.line(start)
	before := t.content[max(from, start-maxExcerpt):start]
	var after []byte
	if end < to {
		after = t.content[end:min(to, end+maxExcerpt)]
	}
	return Finding{
		Rule: rule, Description: description, File: t.name, Line: number, Column: start - from + 1, Secret: secret,
		Excerpt: strings.ToValidUTF8(strings.TrimSpace(string(before)+"[redacted]"+string(after)), "?"),
	}
}

// allowed reports whether the line at a place says that its secret is no secret.
func (t *text) allowed(at int) bool {
	_, from, to := t.line(at)
	line := t.content[from:to]
	return bytes.Contains(line, []byte("zvault:allow")) || bytes.Contains(line, []byte("gitleaks:allow"))
}
