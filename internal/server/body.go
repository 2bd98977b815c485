package server

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bodies are parsed strictly: what two parsers could read differently (a name given twice, bytes that are not UTF-8, something
// behind the end) is refused, and so is what nests deeper than any request has reason to.
const maxDepth = 64

var (
	errJSON      = errors.New("error parsing JSON")
	errDeep      = errors.New("error parsing JSON: it nests deeper than 64 levels")
	errDuplicate = errors.New("error parsing JSON: a name is given twice in one object")
)

// parseObject reads a JSON object. Numbers become json.Number.
func parseObject(b []byte) (map[string]any, error) {
	p := parser{b: b}
	p.space()
	if p.at >= len(p.b) || p.b[p.at] != '{' {
		return nil, errJSON
	}
	v, err := p.object(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at != len(p.b) {
		return nil, errJSON
	}
	return v, nil
}

type parser struct {
	b  []byte
	at int
}

func (p *parser) space() {
	for p.at < len(p.b) {
		switch p.b[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	if p.at >= len(p.b) {
		return nil, errJSON
	}
	switch c := p.b[p.at]; c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.text()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	}
	return p.number()
}

func (p *parser) word(w string) error {
	if len(p.b)-p.at < len(w) || string(p.b[p.at:p.at+len(w)]) != w {
		return errJSON
	}
	p.at += len(w)
	return nil
}

func (p *parser) object(depth int) (map[string]any, error) {
	p.at++
	out := map[string]any{}
	p.space()
	if p.take('}') {
		return out, nil
	}
	for {
		p.space()
		if p.at >= len(p.b) || p.b[p.at] != '"' {
			return nil, errJSON
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, errDuplicate
		}
		p.space()
		if !p.take(':') {
			return nil, errJSON
		}
		p.space()
		if out[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		p.space()
		if p.take('}') {
			return out, nil
		}
		if !p.take(',') {
			return nil, errJSON
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.at++
	out := []any{}
	p.space()
	if p.take(']') {
		return out, nil
	}
	for {
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.space()
		if p.take(']') {
			return out, nil
		}
		if !p.take(',') {
			return nil, errJSON
		}
	}
}

func (p *parser) take(c byte) bool {
	if p.at < len(p.b) && p.b[p.at] == c {
		p.at++
		return true
	}
	return false
}

// text reads a string. Most have no escape and are one copy.
func (p *parser) text() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			s := p.b[start:p.at]
			p.at++
			if !utf8.Valid(s) {
				return "", errJSON
			}
			return string(s), nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", errJSON
		}
		p.at++
	}
	return "", errJSON
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escaped(start int) (string, error) {
	out := append([]byte{}, p.b[start:p.at]...)
	for p.at < len(p.b) {
		c := p.b[p.at]
		p.at++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", errJSON
			}
			return string(out), nil
		case c < ' ':
			return "", errJSON
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.at >= len(p.b) {
			break
		}
		e := p.b[p.at]
		p.at++
		if plain, ok := escapes[e]; ok {
			out = append(out, plain)
			continue
		}
		if e != 'u' {
			return "", errJSON
		}
		r, err := p.unicode()
		if err != nil {
			return "", err
		}
		out = utf8.AppendRune(out, r)
	}
	return "", errJSON
}

// unicode reads what is behind \u, and the other half of a surrogate pair; half of one alone is refused.
func (p *parser) unicode() (rune, error) {
	r, err := p.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if p.word(`\u`) != nil {
		return 0, errJSON
	}
	second, err := p.hex()
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
		return 0, errJSON
	}
	return r, nil
}

func (p *parser) hex() (rune, error) {
	if len(p.b)-p.at < 4 {
		return 0, errJSON
	}
	n, err := strconv.ParseUint(string(p.b[p.at:p.at+4]), 16, 32)
	if err != nil || p.b[p.at] == '+' {
		return 0, errJSON
	}
	p.at += 4
	return rune(n), nil //nolint:gosec // four hex digits
}

func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

func (p *parser) number() (any, error) {
	start := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return nil, errJSON
	}
	if p.take('.') && !p.digits() {
		return nil, errJSON
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return nil, errJSON
		}
	}
	return json.Number(p.b[start:p.at]), nil
}
