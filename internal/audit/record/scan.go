package record

import (
	"time"
	"unicode/utf8"
)

// string parses a string in its one spelling.
func (c *cursor) string() string {
	c.want(`"`)
	if c.bad {
		return ""
	}
	b := c.rest
	for i := 0; i < len(b); {
		switch {
		case plain(b[i]):
			i++
		case b[i] == '"':
			c.rest = b[i+1:]
			return string(b[:i])
		case b[i] == '\\':
			return c.unescape(i)
		default:
			size := literal(b[i:])
			if size == 0 {
				c.bad = true
				return ""
			}
			i += size
		}
	}
	c.bad = true
	return ""
}

// unescape parses a string whose first escape is at start.
func (c *cursor) unescape(start int) string {
	b := c.rest
	out := append(make([]byte, 0, start+32), b[:start]...)
	for i := start; i < len(b); {
		switch {
		case plain(b[i]):
			out = append(out, b[i])
			i++
		case b[i] == '"':
			c.rest = b[i+1:]
			return string(out)
		default:
			size := literal(b[i:])
			if size == 0 {
				var r rune
				if r, size = escape(b[i:]); size == 0 {
					c.bad = true
					return ""
				}
				out = utf8.AppendRune(out, r)
			} else {
				out = append(out, b[i:i+size]...)
			}
			i += size
		}
	}
	c.bad = true
	return ""
}

// literal returns the size of the character that b begins with if it stands for itself, else 0.
func literal(b []byte) int {
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size <= 1 || escaped(r) {
		return 0
	}
	return size
}

// escape parses the escape that b begins with; size is 0 if it is none, or one that appendEscape does not write.
func escape(b []byte) (r rune, size int) {
	if len(b) < 2 || b[0] != '\\' {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\':
		return rune(b[1]), 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		for _, d := range b[2:6] {
			r = r<<4 | hexValue(d)
			if r < 0 {
				return 0, 0
			}
		}
		var room [6]byte
		if !escaped(r) || string(appendEscape(room[:0], r)) != string(b[:6]) {
			return 0, 0
		}
		return r, 6
	}
	return 0, 0
}

// hexValue returns the value of a lower-case hex digit, or a negative number.
func hexValue(d byte) rune {
	switch {
	case d >= '0' && d <= '9':
		return rune(d - '0')
	case d >= 'a' && d <= 'f':
		return rune(d-'a') + 10
	}
	return -1
}

// timeLength is the length of a time as appendTime writes it.
const timeLength = len("2006-01-02T15:04:05.000000000Z")

// time parses a time as appendTime writes it.
func (c *cursor) time() time.Time {
	if c.check(len(c.rest) >= timeLength); c.bad {
		return time.Time{}
	}
	b := c.rest[:timeLength]
	t := time.Date(digits(b[0:4]), time.Month(digits(b[5:7])), digits(b[8:10]),
		digits(b[11:13]), digits(b[14:16]), digits(b[17:19]), digits(b[20:29]), time.UTC)
	var room [timeLength]byte
	// Writing it again refuses every other spelling, such as the 30th of February.
	if c.check(validTime(t) && string(appendTime(room[:0], t)) == string(b)); c.bad {
		return time.Time{}
	}
	c.rest = c.rest[timeLength:]
	return t
}

// digits returns the number that b spells; what is no digit makes a number that the caller will not find in b.
func digits(b []byte) int {
	n := 0
	for _, d := range b {
		n = n*10 + int(d-'0')
	}
	return n
}
