package redteam

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Board is what became of attacks behind several fronts.
type Board struct {
	Fronts  []Front
	Attacks []Attack
	// Results are those of Play, for each front.
	Results [][]Result
}

// Count is how many attacks leaked behind a front, and how many were tried.
func (b Board) Count(front int) (leaked, tried int) {
	for _, r := range b.Results[front] {
		if r.Result == Leaked {
			leaked++
		}
		if r.Result != NotApplicable {
			tried++
		}
	}
	return leaked, tried
}

// Unexpected names the leaks behind fronts that promise none. A shield without a sandbox promises nothing about a program of the
// same user that goes for the vault itself (T9).
func (b Board) Unexpected() []string {
	var all []string
	for i, f := range b.Fronts {
		for _, r := range b.Results[i] {
			if r.Result == Leaked && (f == MCP || f == ShieldSandbox || f == Shield && r.Threat != "T9") {
				all = append(all, string(f)+"/"+r.Name)
			}
		}
	}
	return all
}

// The picture's measures, in its own units.
const (
	rowHeight, nameWidth, cellWidth, head = 16, 190, 96, 28
)

var colours = [...]struct {
	verdict Verdict
	fill    string
}{{Leaked, "#d64545"}, {Blocked, "#3f9d63"}, {Alarmed, "#2f7fb8"}, {NotApplicable, "#d8dce0"}}

// SVG draws the table.
func (b Board) SVG() []byte {
	var out bytes.Buffer
	width, height := nameWidth+cellWidth*len(b.Fronts), head+rowHeight*(len(b.Attacks)+1)
	_, _ = fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11"><rect width="100%%" height="100%%" fill="#fff"/>`+"\n", width, height)
	text := func(x, y int, s string) {
		_, _ = fmt.Fprintf(&out, `<text x="%d" y="%d">`, x, y)
		_ = xml.EscapeText(&out, []byte(s)) // into memory
		_, _ = fmt.Fprintln(&out, `</text>`)
	}
	for i, f := range b.Fronts {
		text(nameWidth+i*cellWidth+4, head-10, string(f))
	}
	for j, a := range b.Attacks {
		y := head + j*rowHeight
		text(6, y+12, a.Threat+"  "+a.Name)
		for i := range b.Fronts {
			verdict := b.Results[i][j].Result
			for _, c := range colours {
				if c.verdict == verdict {
					_, _ = fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"><title>%s</title></rect>`+"\n", nameWidth+i*cellWidth+2, y+1, cellWidth-4, rowHeight-2, c.fill, verdict)
				}
			}
		}
	}
	for i := range b.Fronts {
		leaked, tried := b.Count(i)
		text(nameWidth+i*cellWidth+4, height-5, fmt.Sprintf("%d of %d leaked", leaked, tried))
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}
