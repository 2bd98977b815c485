package redact

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// keptInPercent are the characters besides letters, digits and "-_." that encoders leave as they are.
var keptInPercent = [...]string{
	"~",                   // RFC 3986, Go's QueryEscape, Python's quote_plus, curl
	"~/",                  // Python's quote
	"",                    // PHP's urlencode
	"*",                   // Java, URLSearchParams
	"~!'()*",              // JavaScript's encodeURIComponent
	"~!'()*;/?:@&=+$,#",   // JavaScript's encodeURI
	"~$&+=:@",             // Go's PathEscape
	"~$&+,;=",             // user names and passwords in Go
	"~!$&'()*+,;=:@/?[]#", // all that RFC 3986 reserves
}

func (c *encoder) percent(v []byte) {
	for _, keep := range keptInPercent {
		for _, digits := range [...]string{upperHex, lowerHex} {
			c.percentWith(v, keep, digits, false)
			if bytes.IndexByte(v, ' ') >= 0 {
				c.percentWith(v, keep, digits, true)
			}
		}
	}
}

func (c *encoder) percentWith(v []byte, keep, digits string, plus bool) {
	c.scratch = c.scratch[:0]
	for _, b := range v {
		switch {
		case b < utf8.RuneSelf && !escaped(rune(b)) || strings.IndexByte(keep, b) >= 0:
			c.scratch = append(c.scratch, b)
		case plus && b == ' ':
			c.scratch = append(c.scratch, '+')
		default:
			c.scratch = append(c.scratch, '%', digits[b>>4], digits[b&15])
		}
	}
	c.emit(Percent, c.scratch)
}

// jsonDialect is what an encoder of JSON escapes besides what it must.
type jsonDialect struct {
	units   string // characters written as \uXXXX
	slashes bool   // / written as \/
	ascii   bool   // all beyond ASCII, and DEL, as \uXXXX
	quotes  bool   // " as \u0022 too
	long    bool   // \b and \f as \uXXXX
	digits  string
}

var jsonDialects = [...]jsonDialect{
	{digits: lowerHex},                                             // JavaScript, Rust, Go without HTML
	{digits: upperHex},                                             // Jackson
	{digits: lowerHex, units: "<>&\u2028\u2029"},                   // Go
	{digits: lowerHex, units: "<>&\u2028\u2029", long: true},       // Go before 1.22
	{digits: lowerHex, units: "<>&='\u2028\u2029"},                 // Gson
	{digits: lowerHex, ascii: true},                                // Python
	{digits: lowerHex, ascii: true, slashes: true},                 // PHP
	{digits: lowerHex, slashes: true},                              // PHP, unescaped Unicode
	{digits: upperHex, ascii: true, quotes: true, units: "<>&'+`"}, // .NET
	{digits: upperHex, ascii: true, quotes: true, units: "<>&'"},   // PHP with all its JSON_HEX flags
}

// json hands out the value within a string of JSON, and what a second encoder makes of that: logs often hold JSON in JSON.
func (c *encoder) json(v []byte) {
	for i, d := range jsonDialects {
		once := d.escape(nil, v)
		c.emit(JSON, once)
		if i == 0 && bytes.IndexByte(once, '\\') >= 0 {
			c.emit(JSON, d.escape(nil, once))
		}
	}
}

func (d jsonDialect) escape(out, v []byte) []byte {
	for _, r := range string(v) {
		short := strings.IndexRune("\"\\\n\r\t\b\f", r)
		switch {
		case short == 0 && d.quotes, short > 4 && d.long:
			out = d.unit(out, r)
		case short >= 0:
			out = append(out, '\\', `"\nrtbf`[short])
		case r == '/' && d.slashes:
			out = append(out, '\\', '/')
		case r < ' ' || d.ascii && r > '~' || strings.ContainsRune(d.units, r):
			out = d.unit(out, r)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func (d jsonDialect) unit(out []byte, r rune) []byte {
	for _, u := range utf16.AppendRune(nil, r) {
		out = append(out, '\\', 'u', d.digits[u>>12], d.digits[u>>8&15], d.digits[u>>4&15], d.digits[u&15])
	}
	return out
}

// replacements are the escapes of one writer: pairs of what is escaped and how.
type replacements []string

var htmlEscapes = [...]replacements{
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;"},                                               // Go
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;"},                                 // Go's html/template
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;"},                                              // Ruby, lodash, Jinja before 3
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;"},                                             // PHP
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;"},                                             // Python, React
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"},                                             // XML
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;"},  // Go's XML
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "/", "&#x2F;", "`", "&#x60;", "=", "&#x3D;"}, // Mustache
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "/", "&#x2F;"},                              // OWASP
	{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;"},                                                            // attributes
	{"&", "&amp;", "<", "&lt;", ">", "&gt;"},                                                                           // text
	{"&", "&amp;", `"`, "&quot;"},                                                                                      // what the HTML standard serialises in an attribute
}

func (c *encoder) html(v []byte) {
	if bytes.ContainsAny(v, "&<>\"'+/`=\t\r\n") {
		c.replaceAll(HTML, v, htmlEscapes[:])
	}
}

var shellEscapes = [...]replacements{
	{"'", `'\''`},    // within '…'
	{"'", `'"'"'`},   // Python's shlex
	{"'", `'\"'\"'`}, // the same within "…"
	{"'", "''"},      // PowerShell, SQL, YAML
	{`"`, `""`},      // CSV
	{`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\E`, "\a", `\a`, "\b", `\b`, "\f", `\f`, "\v", `\v`}, // $'…'
	{`\`, `\\`, `'`, `\'`},                                    // fish
	{`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`"},             // within "…"
	{`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "!", `\!`},  // the same, interactive
	{`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "\n", `\n`}, // .env files
	{"$", "$$"},                        // make, compose
	{"`", "``", `"`, "`\"", "$", "`$"}, // PowerShell's "…"
	{"^", "^^", "&", "^&", "|", "^|", "<", "^<", ">", "^>", "%", "%%"}, // cmd
}

// unescapedByShells are the signs that writers of backslashes leave alone: most of them; bash with the comma; bash's %q, which
// escapes ~ and # only where a word begins.
var unescapedByShells = [...]string{"-_./:=@%+,", "-_./:=@%+", "-_./:=@%+~#", "-_./:@%+,", "-_./"}

// quoted hands out the value as shells and others write it within quotes, and with backslashes.
func (c *encoder) quoted(v []byte) {
	c.replaceAll(Shell, v, shellEscapes[:])
	for _, keep := range unescapedByShells {
		c.scratch = c.scratch[:0]
		for i, b := range v {
			if b < utf8.RuneSelf && !isAlphanumeric(rune(b)) && (strings.IndexByte(keep, b) < 0 || i == 0 && (b == '~' || b == '#')) {
				c.scratch = append(c.scratch, '\\')
			}
			c.scratch = append(c.scratch, b)
		}
		c.emit(Shell, c.scratch)
	}
}

func (c *encoder) replaceAll(e Encoding, v []byte, writers []replacements) {
	for _, w := range writers {
		c.scratch = w.replace(c.scratch[:0], v)
		c.emit(e, c.scratch)
	}
}

// replace is strings.Replacer for single characters, without its tables.
func (w replacements) replace(out, v []byte) []byte {
next:
	for _, b := range v {
		for i := 0; i < len(w); i += 2 {
			if w[i][0] == b {
				out = append(out, w[i+1]...)
				continue next
			}
		}
		out = append(out, b)
	}
	return out
}
