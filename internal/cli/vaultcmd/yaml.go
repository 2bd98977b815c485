package vaultcmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// yamlOf turns JSON into YAML with sorted keys. It is written by hand since all it needs are maps, lists and scalars; a text
// that is not plainly a word is quoted, so that nothing is taken for a number, a date or a truth.
func yamlOf(text []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("reading back JSON: %w", err)
	}
	var b strings.Builder
	yamlValue(&b, v, "")
	return strings.TrimLeft(strings.TrimSuffix(b.String(), "\n"), "\n "), nil
}

// yamlValue writes a value that follows "key:" or "-" at an indentation, up to the end of its last line.
func yamlValue(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(indent + yamlText(k) + ":")
			yamlValue(b, v[k], deeper(v[k], indent))
		}
	case []any:
		if len(v) == 0 {
			b.WriteString(" []\n")
			return
		}
		b.WriteString("\n")
		for _, item := range v {
			b.WriteString(indent + "-")
			yamlItem(b, item, indent+"  ")
		}
	case string:
		b.WriteString(" " + yamlText(v) + "\n")
	case nil:
		b.WriteString(" null\n")
	default:
		b.WriteString(" " + fmt.Sprint(v) + "\n")
	}
}

// deeper is the indentation of what is below a key: a list stands where its key stands.
func deeper(v any, indent string) string {
	if _, list := v.([]any); list {
		return indent
	}
	return indent + "  "
}

// yamlItem writes an item of a list, whose first line stands behind the dash.
func yamlItem(b *strings.Builder, item any, indent string) {
	var inner strings.Builder
	yamlValue(&inner, item, indent)
	text := inner.String()
	if below, nested := strings.CutPrefix(text, "\n"+indent); nested {
		text = " " + below
	}
	b.WriteString(text)
}

// yamlText writes a text plainly if it is a word that means nothing else, quoted if not.
func yamlText(s string) string {
	word := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./", r))
	})
	letter := word && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z' || s[0] == '_' || s[0] == '/')
	if letter && !slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(s)) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
