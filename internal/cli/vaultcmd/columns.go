package vaultcmd

import (
	"strings"
	"time"
	"unicode/utf8"
)

// gap is what stands between columns.
const gap = "    "

// columns lays out rows: cells without white space around them, "n/a" for an empty one, each column as wide as its widest.
func columns(rows [][]string) string {
	var widths []int
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(row))
		for j, cell := range row {
			cell = strings.TrimSpace(cell)
			if cell == "" {
				cell = "n/a"
			}
			cells[i][j] = cell
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range cells {
		for j, cell := range row {
			b.WriteString(cell)
			if j < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)) + gap)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// underlined is columns with a header and dashes below it.
func underlined(header []string, rows [][]string) string {
	dashes := make([]string, len(header))
	for i, h := range header {
		dashes[i] = strings.Repeat("-", len(h))
	}
	return columns(append([][]string{header, dashes}, rows...))
}

// title is a heading between equals signs, over something of a width.
func title(text string, width int) string {
	signs := width - len(text) - 2
	if signs <= 0 {
		signs = 4
	}
	side := strings.Repeat("=", (signs+1)/2)
	return side + " " + text + " " + side
}

// span prints a duration without the zeros at its end: 1h, not 1h0m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if i := strings.Index(s, "h0m"); i > 0 {
		s = s[:i+1] + s[i+3:]
	}
	return s
}

// Where long text for people is broken: in output, and in help.
const (
	outputWidth = 78
	helpWidth   = 110
)

func wrap(text string) string { return wrapAt(outputWidth, text) }

// wrapAt breaks text at spaces.
func wrapAt(most int, text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > most:
			b.WriteString("\n")
			width = 0
		default:
			b.WriteString(" ")
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String()
}
