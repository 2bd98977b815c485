package scan

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a file, or a piece of one, with its lines.
type text struct {
	name    string
	content []byte
	starts  []int // of lines
	above   place
	binary  bool
}

func newText(name string, content []byte) *text {
	t := &text{name: name, content: content, starts: []int{0}}
	for at := 0; ; {
		n := bytes.IndexByte(content[at:], '\n')
		if n < 0 {
			return t
		}
		at += n + 1
		t.starts = append(t.starts, at)
	}
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

// allowed reports whether the line at a place says that its secret is no secret.
func (t *text) allowed(at int) bool {
	_, from, to := t.line(at)
	line := t.content[from:to]
	return bytes.Contains(line, []byte("zvault:allow")) || bytes.Contains(line, []byte("gitleaks:allow"))
}

// findings describes the hits, which are sorted, that begin at first or behind it and before limit.
func (t *text) findings(hits []hit, first, limit int) []Finding {
	var all []Finding
	for _, h := range hits {
		if h.start < first || h.start >= limit {
			continue
		}
		number, from, to := t.line(h.start)
		column := utf8.RuneCount(t.content[from:h.start]) + 1
		if number == 1 {
			column += t.above.runes
		}
		number += t.above.lines
		all = append(all, Finding{
			Rule: h.rule, Description: h.description, File: t.name, Line: number, Column: column,
			Secret: h.secret, Excerpt: t.excerpt(h, from, to, hits), Fingerprint: fmt.Sprintf("%s:%s:%d", t.name, h.rule, number),
		})
	}
	return all
}

// maxExcerpt is how many bytes of a line an excerpt shows on each side of the secret.
const maxExcerpt = 40

const masked = "[redacted]"

// excerpt shows the line around a hit, with it and all other hits masked.
func (t *text) excerpt(h hit, from, to int, hits []hit) string {
	at, end := max(from, h.start-maxExcerpt), min(to, h.end+maxExcerpt)
	var b strings.Builder
	for _, o := range hits {
		if o.end <= at || o.start >= end || o.start == o.end {
			continue
		}
		if o.start >= at {
			b.Write(t.content[at:o.start])
			b.WriteString(masked)
		} else if b.Len() == 0 {
			b.WriteString(masked) // it began before the excerpt
		}
		at = max(at, o.end)
	}
	if at < end {
		b.Write(t.content[at:end])
	}
	return strings.TrimSpace(strings.Map(printable, strings.ToValidUTF8(b.String(), "")))
}

// printable keeps what moves a terminal's cursor or colours out of a report.
func printable(r rune) rune {
	if r == '\t' {
		return ' '
	}
	if !unicode.IsGraphic(r) {
		return -1
	}
	return r
}
