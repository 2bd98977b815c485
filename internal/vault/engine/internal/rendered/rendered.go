// Package rendered keeps JSON objects as they go over the wire, together with what the audit log may show of them, so that a
// secret that is read often is encoded once.
package rendered

import (
	"bytes"
	"encoding/json"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Object is a finished member "data". It does not change once it is made and may be shared.
type Object struct {
	json      []byte
	clear     int // from here on numbers are no secrets
	sensitive logical.Sensitive
}

// New keeps raw, which must be what json.Marshal makes: without white space. Its strings and numbers are secret, but from the
// offset clear on only its strings. The Object keeps raw itself.
func New(raw []byte, clear int) *Object {
	o := &Object{json: raw, clear: clear}
	o.sensitive.Audit = o.audit
	return o
}

// Response returns a new response with the object as its data.
func (o *Object) Response() *logical.Response {
	return &logical.Response{Rendered: o.json, Sensitive: &o.sensitive}
}

// audit appends the object with its values hashed. Numbers of a secret are hashed as their text is: a PIN is as secret as a
// password. Names, true, false and null stay.
func (o *Object) audit(dst []byte, hash func(string) string) []byte {
	dst = appendHashed(dst, o.json[:o.clear], hash, true)
	return appendHashed(dst, o.json[o.clear:], hash, false)
}

func appendHashed(dst, raw []byte, hash func(string) string, numbers bool) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '"':
			end := stringEnd(raw, i)
			if end < len(raw) && raw[end] == ':' {
				dst = append(dst, raw[i:end]...) // a name
			} else {
				dst = appendText(dst, hash(text(raw[i:end])))
			}
			i = end
		case numbers && (c == '-' || c >= '0' && c <= '9'):
			end := numberEnd(raw, i)
			dst = appendText(dst, hash(string(raw[i:end])))
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// stringEnd returns where the string that starts at i has ended.
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

func numberEnd(raw []byte, i int) int {
	for i < len(raw) && raw[i] != ',' && raw[i] != '}' && raw[i] != ']' {
		i++
	}
	return i
}

// text decodes a JSON string. What does not decode, which json.Marshal does not write, is hashed as it stands.
func text(quoted []byte) string {
	if inner := quoted[1:max(len(quoted)-1, 1)]; !bytes.ContainsRune(inner, '\\') {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return string(quoted)
	}
	return s
}

func appendText(dst []byte, s string) []byte {
	if plain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil { // no string fails
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}

// plain reports whether s needs no escapes, which hashes do not.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
