package setup

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// Diff shows the change, by the lines that are zvault's own: what else stands in the file may be secret and is not shown.
func (c *Change) Diff() string {
	if c.Nothing() {
		return ""
	}
	old, now := c.Path, c.Path
	if c.Created {
		old = "/dev/null"
	}
	if c.Deleted {
		now = "/dev/null"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", old, now)
	text := c.before
	for _, s := range c.Splices {
		line := 1 + bytes.Count(text[:min(s.Offset, len(text))], []byte("\n"))
		hunk(&b, line, "-", s.Removed)
		hunk(&b, line, "+", s.Inserted)
		if next, err := patch.Apply(text, []patch.Splice{s}); err == nil {
			text = next
		}
	}
	return b.String()
}

// hunk shows one piece of text at a line.
func hunk(b *strings.Builder, line int, sign, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	if text == "," {
		fmt.Fprintf(b, "@@ line %d @@\n%s ,\n", line, sign)
		return
	}
	if rest := strings.TrimPrefix(text, ","); rest != text && strings.HasPrefix(strings.TrimLeft(rest, "\r"), "\n") {
		fmt.Fprintf(b, "@@ line %d @@\n%s ,\n", line, sign)
		text = rest
	}
	if trimmed := strings.TrimLeft(text, "\r\n"); trimmed != text {
		line += strings.Count(text[:len(text)-len(trimmed)], "\n")
		text = trimmed
	}
	fmt.Fprintf(b, "@@ line %d @@\n", line)
	for one := range strings.Lines(strings.TrimRight(text, " \t\r\n") + "\n") {
		b.WriteString(sign + strings.TrimRight(one, "\r\n") + "\n")
	}
}
