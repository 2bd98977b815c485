package transit

import (
	"encoding/json"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// answer is a response whose data is JSON written by hand, for the paths that are called most.
type answer struct {
	response  logical.Response
	sensitive logical.Sensitive
	json      []byte
}

// respond makes a response of a finished object, which has no white space between its parts.
func respond(object []byte) *logical.Response {
	a := &answer{json: object}
	a.sensitive.Audit = a.audit
	a.response.Rendered, a.response.Sensitive = object, &a.sensitive
	return &a.response
}

// audit appends the object with every string in it hashed. Names, numbers and truth values stay.
func (a *answer) audit(dst []byte, hash func(string) string) []byte {
	for i := 0; i < len(a.json); {
		if a.json[i] != '"' {
			dst = append(dst, a.json[i])
			i++
			continue
		}
		end := stringEnd(a.json, i)
		quoted := a.json[i:end]
		i = end
		if i < len(a.json) && a.json[i] == ':' {
			dst = append(dst, quoted...)
			continue
		}
		var text string
		if err := json.Unmarshal(quoted, &text); err != nil { // cannot be: appendText wrote it
			text = string(quoted)
		}
		dst = appendText(dst, hash(text))
	}
	return dst
}

// stringEnd returns where the string that starts at i has ended.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// appendText appends s as a JSON string.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil { // no string fails
				return append(dst, `""`...)
			}
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// The members of an object, each with the comma that comes before it unless it is the first.

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendString(dst []byte, name, value string) []byte {
	return appendText(appendName(dst, name), value)
}

func appendInt(dst []byte, name string, value int) []byte {
	return strconv.AppendInt(appendName(dst, name), int64(value), 10)
}

func appendBool(dst []byte, name string, value bool) []byte {
	return strconv.AppendBool(appendName(dst, name), value)
}
