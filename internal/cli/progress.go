package cli

import (
	"fmt"
	"strings"
)

// progressBar shows how far long work is, on a terminal; elsewhere it shows nothing.
type progressBar struct {
	a     *app
	on    bool
	shown bool
}

func (a *app) progress() *progressBar { return &progressBar{a: a, on: isTerminal(a.err) && !a.quiet} }

// show draws the bar over itself.
func (p *progressBar) show(what string, done, total int) {
	if !p.on || total == 0 {
		return
	}
	const width = 30
	full := width * done / total
	p.shown = true
	_, _ = fmt.Fprintf(p.a.err, "\r\x1b[K%s [%s%s] %d/%d", what, strings.Repeat("#", full), strings.Repeat(".", width-full), done, total)
}

// end clears the line.
func (p *progressBar) end() {
	if p.shown {
		_, _ = fmt.Fprint(p.a.err, "\r\x1b[K")
	}
}
