package redact_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// foreign reads what Python, Node and bash make of some values: testdata/forms.jsonl, written by those programs themselves
// (Python 3.11: json, urllib.parse, html, shlex, base64; Node 20; bash 5.2).
func foreign(t *testing.T) []struct{ Tool, Value, Form string } {
	t.Helper()
	file, err := os.Open("testdata/forms.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	var all []struct{ Tool, Value, Form string }
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var one struct{ Tool, Value, Form string }
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		t.Fatal("no forms were found")
	}
	return all
}

func TestEncodings_OfOtherPrograms(t *testing.T) {
	t.Parallel()
	for _, c := range foreign(t) {
		if out := matcher(t, c.Value).String("<" + c.Form + ">"); out != "<[redacted:S0]>" {
			t.Errorf("%s of %q: %q becomes %q", c.Tool, c.Value, c.Form, out)
		}
	}
}

// encoders are Go's own, and plain ways to write the others.
var encoders = map[string]func(string) string{
	"plain":            func(s string) string { return s },
	"base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 raw":       func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 url":       func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64 raw url":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"hex":              func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":              func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"query":            url.QueryEscape,
	"path":             url.PathEscape,
	"user":             func(s string) string { return url.User(s).String() },
	"query, lower":     func(s string) string { return lowerPercent(url.QueryEscape(s)) },
	"html":             html.EscapeString,
	"html template":    template.HTMLEscapeString,
	"xml":              func(s string) string { var b bytes.Buffer; _ = xml.EscapeText(&b, []byte(s)); return b.String() },
	"json":             func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	"slog":             func(s string) string { q := strconv.Quote(s); return q[1 : len(q)-1] },
	"single quotes":    func(s string) string { return strings.ReplaceAll(s, "'", `'\''`) },
	"reversed":         func(s string) string { b := []byte(s); slices.Reverse(b); return string(b) },
	"reversed by rune": func(s string) string { r := []rune(s); slices.Reverse(r); return string(r) },
	"utf-16 le":        func(s string) string { return toUTF16(s, 0, 8) },
	"utf-16 be":        func(s string) string { return toUTF16(s, 8, 0) },
	"crlf":             func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"percent each":     func(s string) string { return each("%%%02x", s) },
	"PERCENT each":     func(s string) string { return each("%%%02X", s) },
	"json each":        func(s string) string { return each(`\u%04x`, s) },
	"JSON each":        func(s string) string { return each(`\u%04X`, s) },
	"backslash x":      func(s string) string { return each(`\x%02x`, s) },
}

func each(format, s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func lowerPercent(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

func toUTF16(s string, first, second uint) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u >> first))
		b.WriteByte(byte(u >> second))
	}
	return b.String()
}

var shapes = []string{
	"swordfish-9", "sixsix", "sk_live_51H8xq2eZvKYlo2C", `p"a's\s <w>&o/r d`, "two\nlines of it", "postgres://app:x?y@h/d", "tab\tand $HOME",
	"~tilde#hash!", "ümläute sind schön", strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz?>", 5),
}

func TestEncodings_OfGo(t *testing.T) {
	t.Parallel()
	for _, v := range shapes {
		m := matcher(t, v)
		for name, encode := range encoders {
			if out := m.String("<" + encode(v) + ">"); out != "<[redacted:S0]>" {
				t.Errorf("%s of %q: %q becomes %q", name, v, encode(v), out)
			}
		}
	}
}

// A value is found at every alignment of base64, within other text.
func TestBase64_Alignments(t *testing.T) {
	t.Parallel()
	for _, v := range shapes {
		m := matcher(t, v)
		for before := range 7 {
			for after := range 7 {
				for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
					text := enc.EncodeToString([]byte(strings.Repeat("x", before) + v + strings.Repeat("y", after)))
					out := m.String(text)
					left := len(strings.Replace(out, "[redacted:S0]", "", 1))
					if most := (before+after)*4/3 + 6; !strings.Contains(out, "[redacted:S0]") || left > most {
						t.Errorf("%q with %d bytes before and %d after: %q", v, before, after, out)
					}
				}
			}
		}
	}
}

// Long values are found in base64 that is cut into lines, whole or a line of it.
func TestBase64_Lines(t *testing.T) {
	t.Parallel()
	v := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 4)
	m := matcher(t, v)
	letters := base64.StdEncoding.EncodeToString([]byte(v))
	for _, width := range []int{64, 76} {
		for _, end := range []string{"\n", "\r\n"} {
			var lines []string
			for line := range slices.Chunk([]byte(letters), width) {
				lines = append(lines, string(line))
			}
			if out := m.String(strings.Join(lines, end)); out != "[redacted:S0]" {
				t.Errorf("in lines of %d letters: %q", width, out)
			}
			if out := m.String(lines[1]); out != "[redacted:S0]" {
				t.Errorf("a line of %d letters: %q", width, out)
			}
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN FAKE KEY-----\nMIIBVQIBADANBgkqhkiG9w0B\nAQEFAASCAT8wggE7AgEAAkEA\nshort\n-----END FAKE KEY-----\n"
	m := matcher(t, key, "  padded-value \n")
	for in, want := range map[string]string{
		key:                                    "[redacted:S0]",
		strings.ReplaceAll(key, "\n", "\r\n"):  "[redacted:S0]",
		strings.TrimSpace(key):                 "[redacted:S0]",
		strings.ReplaceAll(key, "\n", `\n`):    "[redacted:S0]",
		"> MIIBVQIBADANBgkqhkiG9w0B <":         "> [redacted:S0] <",
		"-----BEGIN FAKE KEY-----\nof another": "-----BEGIN FAKE KEY-----\nof another",
		"short":                                "short",
		"x=padded-value;":                      "x=[redacted:S1];",
		base64.StdEncoding.EncodeToString([]byte("padded-value")): "[redacted:S1]",
	} {
		if out := m.String(in); out != want {
			t.Errorf("%q becomes %q; want %q", in, out, want)
		}
	}
}
