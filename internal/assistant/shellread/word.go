package shellread

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// building is a word under construction.
type building struct {
	text strings.Builder
	vars []string
}

func (b *building) add(w Word) {
	b.text.WriteString(w.Text)
	b.vars = append(b.vars, w.Vars...)
}

func (b *building) word() Word { return Word{Text: b.text.String(), Vars: b.vars} }

// word reads up to what ends a word outside of quotes.
func (r *reader) word() (Word, error) {
	var b building
	for !r.done() {
		at := r.text[r.at]
		switch {
		case r.has("<(") || r.has(">("):
			r.at += 2
			if err := r.commands(')'); err != nil {
				return Word{}, err
			}
			b.text.WriteByte(Unknown)
		case strings.IndexByte(" \t\r\n;|&<>()", at) >= 0:
			return b.word(), nil
		case at == '\\':
			r.at++
			if !r.done() {
				b.text.WriteByte(r.text[r.at])
				r.at++
			}
		case at == '\'':
			inner, _, ok := strings.Cut(r.text[r.at+1:], "'")
			if !ok {
				return Word{}, ErrUnreadable
			}
			b.text.WriteString(inner)
			r.at += len(inner) + 2
		case at == '"':
			r.at++
			w, err := r.quoted('"')
			if err != nil {
				return Word{}, err
			}
			b.add(w)
		case at == '$' || at == '`':
			w, err := r.expansion()
			if err != nil {
				return Word{}, err
			}
			b.add(w)
		default:
			b.text.WriteByte(at)
			r.at++
		}
	}
	return b.word(), nil
}

// quoted reads what stands between double quotes, up to the byte that ends it; 0 for the end of the text.
func (r *reader) quoted(end byte) (Word, error) {
	var b building
	for !r.done() {
		at := r.text[r.at]
		switch {
		case end != 0 && at == end:
			r.at++
			return b.word(), nil
		case at == '\\' && r.at+1 < len(r.text):
			if next := r.text[r.at+1]; strings.IndexByte("$`\"\\", next) < 0 {
				b.text.WriteByte('\\')
			}
			b.text.WriteByte(r.text[r.at+1])
			r.at += 2
		case at == '$' || at == '`':
			w, err := r.expansion()
			if err != nil {
				return Word{}, err
			}
			b.add(w)
		default:
			b.text.WriteByte(at)
			r.at++
		}
	}
	if end != 0 {
		return Word{}, ErrUnreadable
	}
	return b.word(), nil
}

// expansion reads what begins with a dollar or a backquote.
func (r *reader) expansion() (Word, error) {
	unknown := Word{Text: string(rune(Unknown))}
	switch {
	case r.has("`"):
		return unknown, r.backquoted()
	case r.has("$(("):
		if length := arithmetic(r.text[r.at+3:]); length >= 0 {
			r.at += 3 + length
			return unknown, nil
		}
		r.at += 2
		return unknown, r.commands(')')
	case r.has("$("):
		r.at += 2
		return unknown, r.commands(')')
	case r.has("${"):
		return r.parameter()
	case r.has("$'"):
		return r.ansi()
	case r.has(`$"`):
		r.at++
		return Word{}, nil
	}
	r.at++
	start := r.at
	for !r.done() && IsName(r.text[start:r.at+1]) {
		r.at++
	}
	if start == r.at {
		if !r.done() && strings.IndexByte("@*#?$!-0123456789", r.text[r.at]) >= 0 {
			r.at++
			return unknown, nil
		}
		return Word{Text: "$"}, nil
	}
	return r.variable(r.text[start:r.at]), nil
}

func (r *reader) variable(name string) Word {
	if v, known := r.vars[name]; known {
		return Word{Text: v, Vars: []string{name}}
	}
	return Word{Text: string(rune(Unknown)), Vars: []string{name}}
}

// arithmetic is the length of an arithmetic expression up to and with its end; -1 if it is none, or holds commands.
func arithmetic(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				if strings.HasPrefix(text[i:], "))") {
					return i + 2
				}
				return -1
			}
			depth--
		case '`', '\'', '"', '\n', ';':
			return -1
		case '$':
			if strings.HasPrefix(text[i:], "$(") {
				return -1
			}
		}
	}
	return -1
}

// backquoted reads a command substitution of the old kind.
func (r *reader) backquoted() error {
	var inner strings.Builder
	for r.at++; !r.done(); r.at++ {
		switch b := r.text[r.at]; {
		case b == '`':
			r.at++
			n, err := r.nested(inner.String())
			if err != nil {
				return err
			}
			return n.commands(0)
		case b == '\\' && r.at+1 < len(r.text) && strings.IndexByte("`\\$", r.text[r.at+1]) >= 0:
			r.at++
			inner.WriteByte(r.text[r.at])
		default:
			inner.WriteByte(b)
		}
	}
	return ErrUnreadable
}

// parameter reads ${...}. What follows the name, such as a default, counts as part of the value.
func (r *reader) parameter() (Word, error) {
	inner, ok := balanced(r.text[r.at+2:])
	if !ok {
		return Word{}, ErrUnreadable
	}
	r.at += 2 + len(inner) + 1
	length := 0
	for length < len(inner) && IsName(inner[:length+1]) {
		length++
	}
	name, rest := inner[:length], inner[length:]
	if rest == "" {
		return r.variable(name), nil
	}
	n, err := r.nested(strings.TrimLeft(rest, ":-=+?"))
	if err != nil {
		return Word{}, err
	}
	w, err := n.quoted(0)
	if err != nil {
		return Word{}, err
	}
	w.Text = strings.ReplaceAll(w.Text, `"`, "")
	w.Vars = append(w.Vars, strings.TrimLeft(name, "!#"))
	if strings.IndexByte("!#", inner[0]) >= 0 || !strings.HasPrefix(rest, ":-") && !strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, ":=") {
		w.Text = string(rune(Unknown))
	}
	return w, nil
}

// balanced returns what stands before the brace that closes.
func balanced(text string) (string, bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return text[:i], i > 0
			}
			depth--
		}
	}
	return "", false
}

// ansi reads $'...' with the escapes of C.
func (r *reader) ansi() (Word, error) {
	var b strings.Builder
	for r.at += 2; !r.done(); {
		at := r.text[r.at]
		r.at++
		switch {
		case at == '\'':
			return Word{Text: b.String()}, nil
		case at != '\\' || r.done():
			b.WriteByte(at)
		default:
			r.escape(&b)
		}
	}
	return Word{}, ErrUnreadable
}

// escape reads an escape of C behind its backslash.
func (r *reader) escape(b *strings.Builder) {
	at := r.text[r.at]
	number := func(skip, most, base int) {
		r.at += skip
		end := r.at
		for end < len(r.text) && end-r.at < most {
			if _, err := strconv.ParseUint(r.text[end:end+1], base, 8); err != nil {
				break
			}
			end++
		}
		n, _ := strconv.ParseUint("0"+r.text[r.at:end], base, 32)
		r.at = end
		if n < utf8.RuneSelf || most > 3 {
			b.WriteRune(rune(n)) //nolint:gosec // at most 32 bits, and an invalid one is replaced
		} else {
			b.WriteByte(byte(n)) //nolint:gosec // three octal or two hexadecimal digits
		}
	}
	switch {
	case at == 'x':
		number(1, 2, 16)
	case at == 'u':
		number(1, 4, 16)
	case at == 'U':
		number(1, 8, 16)
	case '0' <= at && at <= '7':
		number(0, 3, 8)
	default:
		if i := strings.IndexByte("abefnrtv", at); i >= 0 {
			at = "\a\b\x1b\f\n\r\t\v"[i]
		}
		b.WriteByte(at)
		r.at++
	}
}
