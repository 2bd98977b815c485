package page

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"strings"
)

// style is all there is of looks: no file from elsewhere, and both colour schemes.
const style = `:root{color-scheme:light dark}body{font:1.05rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}` +
	`dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,monospace}` +
	`fieldset{border:1px solid;padding:1rem;margin:1rem 0}label{display:block;margin:.4rem 0}textarea{width:100%;min-height:6rem;font-family:ui-monospace,monospace}` +
	`button{font:inherit;padding:.4rem 1.2rem;margin-right:1rem}.wrong{border-left:.4rem solid #c00;padding-left:.8rem}`

// styleHash is what the Content-Security-Policy lets in.
func styleHash() string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// body is a page being written. Its methods escape what they are given.
type body struct {
	title string
	text  *strings.Builder
}

func newBody(title string) body {
	b := body{title, &strings.Builder{}}
	b.text.WriteString("<h1>" + html.EscapeString(title) + "</h1>\n")
	return b
}

// notice is a page that only says something.
func notice(title, text string) body {
	b := newBody(title)
	b.p(text)
	return b
}

func (b body) p(text string) { b.text.WriteString("<p>" + html.EscapeString(text) + "</p>\n") }

// wrong says what was wrong with a form, so that a screen reader says it first.
func (b body) wrong(text string) {
	if text != "" {
		b.text.WriteString(`<p class="wrong" role="alert">` + html.EscapeString(text) + "</p>\n")
	}
}

// facts is a list of names and what they are.
func (b body) facts(pairs [][2]string) {
	b.text.WriteString("<dl>\n")
	for _, p := range pairs {
		b.text.WriteString("<dt>" + html.EscapeString(p[0]) + "</dt><dd>" + html.EscapeString(p[1]) + "</dd>\n")
	}
	b.text.WriteString("</dl>\n")
}

// form begins a form with its key; what is returned ends it.
func (b body) form(key string) (end func()) {
	b.text.WriteString(`<form method="post" action="` + formPath + `" autocomplete="off"><input type="hidden" name="key" value="` + html.EscapeString(key) + `">` + "\n")
	return func() { b.text.WriteString("</form>\n") }
}

// choice is one of several answers.
func (b body) choice(name, value, label string, chosen bool) {
	checked := ""
	if chosen {
		checked = " checked"
	}
	b.text.WriteString(`<label><input type="radio" name="` + html.EscapeString(name) + `" value="` + html.EscapeString(value) + `"` + checked + `> ` + html.EscapeString(label) + "</label>\n")
}

// button sends the form.
func (b body) button(name, value, label string) {
	b.text.WriteString(`<button type="submit" name="` + html.EscapeString(name) + `" value="` + html.EscapeString(value) + `">` + html.EscapeString(label) + "</button>\n")
}

// raw is HTML of our own, without anything from outside.
func (b body) raw(own string) { b.text.WriteString(own + "\n") }

func (b body) document() []byte {
	return []byte("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>" +
		html.EscapeString(b.title) + " – ZVault</title><style>" + style + "</style></head>\n<body><main>\n" + b.text.String() + "</main></body></html>\n")
}
