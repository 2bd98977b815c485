package redact

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is a form in which a value may appear. The numbers are stored in fingerprints: they only ever grow.
type Encoding uint8

// The encodings.
const (
	Plain Encoding = iota
	Base64
	Hex
	Percent
	JSON
	HTML
	Shell // quoted or escaped, for a shell or with quotes doubled
	Reversed
	UTF16
	Line // a line of a value of several
)

var encodingNames = [...]string{"plain", "base64", "hex", "percent", "json", "html", "shell", "reversed", "utf-16", "line"}

// String names the encoding.
func (e Encoding) String() string {
	if int(e) < len(encodingNames) {
		return encodingNames[e]
	}
	return fmt.Sprintf("encoding %d", uint8(e))
}

// encoder hands out the forms of values. What it hands out is valid until the next form.
type encoder struct {
	fn      func(Encoding, []byte)
	value   []byte
	scratch []byte
}

// emit hands out a form, unless it is the value once more.
func (c *encoder) emit(e Encoding, form []byte) {
	if e == Plain || !bytes.Equal(form, c.value) {
		c.fn(e, form)
	}
}

// all hands out every form of a value, some maybe twice. A value is often stored with white space around it that is not printed
// with it, a final line break above all, so it is looked for without that too.
func (c *encoder) all(v []byte) {
	c.one(v)
	if core := bytes.TrimSpace(v); len(core) < len(v) && !tooPlain(core) {
		c.one(core)
	}
	if bytes.IndexByte(v, '\n') < 0 {
		return
	}
	for line := range bytes.Lines(v) {
		if line = bytes.TrimSpace(line); len(line) >= MinLine && !dull(line) {
			c.emit(Line, line)
		}
	}
}

// dull reports whether a line is the frame of a PEM block or all of one character, which is no secret.
func dull(line []byte) bool { return bytes.HasPrefix(line, []byte("-----")) || uniform(line) }

func (c *encoder) one(v []byte) {
	c.value = v
	c.emit(Plain, v)
	if bytes.IndexByte(v, '\n') >= 0 {
		unix := bytes.ReplaceAll(v, []byte("\r\n"), []byte("\n"))
		c.emit(Plain, unix)
		c.emit(Plain, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n")))
	}
	if len(v) >= MinLength { // shorter ones, forced, would find too much that is not theirs
		c.base64(v)
	}
	c.hex(v)
	c.everyByte(v)
	if !bytes.ContainsFunc(v, escaped) {
		c.reversed(v)
		return
	}
	c.percent(v)
	c.json(v)
	c.html(v)
	c.quoted(v)
	c.reversed(v)
}

// escaped reports whether some encoder of text escapes a character. None does with letters, digits and these three.
func escaped(r rune) bool {
	return !isAlphanumeric(r) && r != '-' && r != '_' && r != '.'
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

const upperHex, lowerHex = "0123456789ABCDEF", "0123456789abcdef"

func (c *encoder) hex(v []byte) {
	for _, digits := range [...]string{lowerHex, upperHex} {
		c.scratch = c.scratch[:0]
		for _, b := range v {
			c.scratch = append(c.scratch, digits[b>>4], digits[b&15])
		}
		c.emit(Hex, c.scratch)
	}
}

// everyByte hands out the forms of those who escape all there is: %41, \u0041, \x41.
func (c *encoder) everyByte(v []byte) {
	for _, prefix := range [...]struct {
		e    Encoding
		text string
	}{{Percent, "%"}, {JSON, `\u00`}, {Shell, `\x`}} {
		for _, digits := range [...]string{lowerHex, upperHex} {
			c.scratch = c.scratch[:0]
			for _, b := range v {
				c.scratch = append(append(c.scratch, prefix.text...), digits[b>>4], digits[b&15])
			}
			c.emit(prefix.e, c.scratch)
		}
	}
}

// reversed hands out the value backwards, by bytes and by characters, and as UTF-16.
func (c *encoder) reversed(v []byte) {
	c.scratch = append(c.scratch[:0], v...)
	slices.Reverse(c.scratch)
	c.emit(Reversed, c.scratch)
	if !utf8.Valid(v) {
		return
	}
	runes := []rune(string(v))
	units := utf16.Encode(runes)
	c.scratch = c.scratch[:0]
	for _, u := range units {
		c.scratch = append(c.scratch, byte(u), byte(u>>8))
	}
	c.emit(UTF16, c.scratch)
	for i := 0; i < len(c.scratch); i += 2 {
		c.scratch[i], c.scratch[i+1] = c.scratch[i+1], c.scratch[i]
	}
	c.emit(UTF16, c.scratch)
	if len(runes) != len(v) {
		slices.Reverse(runes)
		c.emit(Reversed, []byte(string(runes)))
	}
}
