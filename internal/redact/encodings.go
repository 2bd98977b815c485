package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is a form in which a value may appear.
type Encoding uint8

// The encodings.
const (
	Plain Encoding = iota
	Base64
	Hex
	Percent
	JSON
	HTML
	Shell
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

// encodings calls add with every form of a value. Some forms may be the same.
func encodings(v []byte, add func(Encoding, []byte)) {
	add(Plain, v)
	if bytes.ContainsRune(v, '\n') {
		add(Plain, bytes.ReplaceAll(bytes.ReplaceAll(v, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
		add(Plain, bytes.ReplaceAll(v, []byte("\r\n"), []byte("\n")))
		for line := range bytes.Lines(v) {
			if line = bytes.TrimRight(line, "\r\n"); len(line) >= MinLine && !dull(line) {
				add(Line, line)
			}
		}
	}
	base64Forms(v, add)
	lower := make([]byte, hex.EncodedLen(len(v)))
	hex.Encode(lower, v)
	add(Hex, lower)
	add(Hex, bytes.ToUpper(lower))
	percentForms(v, add)
	jsonForms(v, add)
	htmlForms(v, add)
	shellForms(v, add)
	reversed := bytes.Clone(v)
	slices.Reverse(reversed)
	add(Reversed, reversed)
	if utf8.Valid(v) {
		textForms(v, add)
	}
}

// dull reports whether a line is the frame of a PEM block or the like, which is no secret.
func dull(line []byte) bool { return bytes.HasPrefix(line, []byte("-----")) }

// textForms adds the forms of a value that is text.
func textForms(v []byte, add func(Encoding, []byte)) {
	runes := []rune(string(v))
	if len(runes) != len(v) {
		back := slices.Clone(runes)
		slices.Reverse(back)
		add(Reversed, []byte(string(back)))
	}
	units := utf16.Encode(runes)
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
	}
	add(UTF16, little)
	add(UTF16, big)
}

// base64Lines are the bytes that one line of base64 holds where lines are cut: 64 letters in PEM, 76 in MIME.
var base64Lines = [...]int{48, 57}

func base64Forms(v []byte, add func(Encoding, []byte)) {
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			add(Base64, aligned(enc, v, shift))
		}
		whole := []byte(enc.EncodeToString(v))
		add(Base64, whole)
		if pad := (4 - len(whole)%4) % 4; pad > 0 {
			add(Base64, append(whole, strings.Repeat("=", pad)...))
		}
	}
	for _, n := range base64Lines {
		if len(v) <= n {
			continue
		}
		for piece := range slices.Chunk(v, n) {
			if len(piece) >= MinLine {
				add(Base64, []byte(base64.StdEncoding.EncodeToString(piece)))
			}
		}
	}
}

// aligned returns the letters that stand for a value wherever it lies in what is encoded: behind shift bytes of others, and
// without the letters at the ends that also depend on its neighbours.
func aligned(enc *base64.Encoding, v []byte, shift int) []byte {
	padded := append(make([]byte, shift, shift+len(v)), v...)
	letters := enc.EncodeToString(padded)
	first := (8*shift + 5) / 6
	last := 8 * len(padded) / 6
	return []byte(letters[first:last])
}

const upperHex, lowerHex = "0123456789ABCDEF", "0123456789abcdef"

// keptInPercent are the characters besides letters and digits that encoders leave as they are: RFC 3986, JavaScript's
// encodeURIComponent and encodeURI, a path in Go, and none.
var keptInPercent = [...]string{"-_.~", "-_.~!'()*", "-_.~!'()*;/?:@&=+$,#", "-_.~$&+=:@", ""}

func percentForms(v []byte, add func(Encoding, []byte)) {
	for _, keep := range keptInPercent {
		for _, digits := range []string{upperHex, lowerHex} {
			form := percent(v, keep, digits)
			add(Percent, form)
			if bytes.Contains(v, []byte(" ")) {
				add(Percent, bytes.ReplaceAll(form, []byte("%20"), []byte("+")))
			}
		}
	}
}

// percent encodes all but letters, digits and those to keep; with nothing to keep, every byte.
func percent(v []byte, keep, digits string) []byte {
	out := make([]byte, 0, len(v)*3)
	for _, c := range v {
		if keep != "" && (isAlphanumeric(c) || strings.IndexByte(keep, c) >= 0) {
			out = append(out, c)
			continue
		}
		out = append(out, '%', digits[c>>4], digits[c&15])
	}
	return out
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// jsonForms adds what the usual encoders make of a string: plain JavaScript, with slashes escaped as PHP does, with markup
// escaped as Go does, and in ASCII as Python does.
func jsonForms(v []byte, add func(Encoding, []byte)) {
	plain := jsonEscape(v, "", false)
	add(JSON, plain)
	add(JSON, bytes.ReplaceAll(plain, []byte("/"), []byte(`\/`)))
	add(JSON, jsonEscape(v, "<>&", false))
	add(JSON, jsonEscape(v, "", true))
}

func jsonEscape(v []byte, more string, ascii bool) []byte {
	out := make([]byte, 0, len(v)+8)
	for _, r := range string(v) {
		switch short := strings.IndexRune("\"\\\b\f\n\r\t", r); {
		case short >= 0:
			out = append(out, '\\', `"\bfnrt`[short])
		case r < ' ' || ascii && r > '~' || more != "" && (r == 0x2028 || r == 0x2029) || strings.ContainsRune(more, r):
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func htmlForms(v []byte, add func(Encoding, []byte)) {
	if !bytes.ContainsAny(v, `&<>"'`) {
		return
	}
	for _, quotes := range [][2]string{{"&quot;", "&#39;"}, {"&#34;", "&#39;"}, {"&quot;", "&#x27;"}, {"&quot;", "&apos;"}, {`"`, "'"}} {
		add(HTML, []byte(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, quotes[0], "'", quotes[1]).Replace(string(v))))
	}
}

func shellForms(v []byte, add func(Encoding, []byte)) {
	add(Shell, bytes.ReplaceAll(v, []byte("'"), []byte(`'\''`)))
	add(Shell, bytes.ReplaceAll(v, []byte("'"), []byte(`'"'"'`)))
	backslashed := make([]byte, 0, len(v)+8)
	for _, c := range v {
		if !isAlphanumeric(c) && c < utf8.RuneSelf && !strings.ContainsRune("-_./:=@%+,", rune(c)) {
			backslashed = append(backslashed, '\\')
		}
		backslashed = append(backslashed, c)
	}
	add(Shell, backslashed)
	add(Shell, []byte(strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\E`).Replace(string(v))))
	add(Shell, []byte(strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(string(v))))
}
