package redact

import (
	"bytes"
	"encoding/base64"
)

// base64Lines are the bytes that one line of base64 holds where lines are cut: 64 letters in PEM, 76 in MIME.
var base64Lines = [...]int{48, 57}

// base64 hands out the value in both alphabets: encoded by itself, with padding and without, and the letters that stand for it
// at each of the three places that it can have in a group, whatever its neighbours are.
func (c *encoder) base64(v []byte) {
	for shift := range 3 {
		c.bothAlphabets(c.aligned(v, shift))
	}
	c.scratch = base64.StdEncoding.AppendEncode(c.scratch[:0], v)
	padded := c.scratch
	c.bothAlphabets(bytes.TrimRight(padded, "="))
	if padded[len(padded)-1] == '=' {
		c.bothAlphabets(base64.StdEncoding.AppendEncode(c.scratch[:0], v))
	}
	for _, n := range base64Lines {
		if len(v) > n {
			c.base64Lines(v, n)
		}
	}
}

// aligned returns the letters that stand for a value behind shift other bytes, without those at the ends that also depend on
// its neighbours.
func (c *encoder) aligned(v []byte, shift int) []byte {
	text := append(make([]byte, shift, shift+len(v)), v...)
	c.scratch = base64.RawStdEncoding.AppendEncode(c.scratch[:0], text)
	return c.scratch[(8*shift+5)/6 : 8*len(text)/6]
}

// bothAlphabets hands out letters of the standard alphabet, and changes them to those of the URL alphabet.
func (c *encoder) bothAlphabets(letters []byte) {
	c.emit(Base64, letters)
	if !bytes.ContainsAny(letters, "+/") {
		return
	}
	for i, l := range letters {
		switch l {
		case '+':
			letters[i] = '-'
		case '/':
			letters[i] = '_'
		}
	}
	c.emit(Base64, letters)
}

// base64Lines hands out the value in base64 that is cut into lines of n bytes: all of it, and each line.
func (c *encoder) base64Lines(v []byte, n int) {
	for _, end := range [...]string{"\n", "\r\n"} {
		c.scratch = c.scratch[:0]
		for at := 0; at < len(v); at += n {
			if at > 0 {
				c.scratch = append(c.scratch, end...)
			}
			c.scratch = base64.StdEncoding.AppendEncode(c.scratch, v[at:min(at+n, len(v))])
		}
		c.emit(Base64, c.scratch)
	}
	for at := 0; at < len(v); at += n {
		if piece := v[at:min(at+n, len(v))]; len(piece) >= MinLine {
			c.scratch = base64.StdEncoding.AppendEncode(c.scratch[:0], piece)
			c.emit(Base64, c.scratch)
		}
	}
}
