package scan

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"unicode/utf16"
)

// decode turns UTF-16 with a byte order mark into UTF-8, and leaves everything else as it is.
func decode(content []byte) []byte {
	order := byteOrder(content)
	if order == nil {
		return content
	}
	return decodeUnits(order, content[2:])
}

// byteOrder is what a byte order mark says; nil for a text that has none.
func byteOrder(content []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	case bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		return binary.BigEndian
	}
	return nil
}

// decodeUnits decodes whole pairs of bytes; an odd one at the end is left out.
func decodeUnits(order binary.ByteOrder, content []byte) []byte {
	units := make([]uint16, 0, len(content)/2)
	for pair := range slices.Chunk(content, 2) {
		if len(pair) == 2 {
			units = append(units, order.Uint16(pair))
		}
	}
	return []byte(string(utf16.Decode(units)))
}

// decoding is decode for a stream.
func decoding(r io.Reader) io.Reader {
	b := bufio.NewReaderSize(r, 64<<10)
	mark, err := b.Peek(2)
	order := byteOrder(mark)
	if err != nil || order == nil {
		return b // which returns the error again
	}
	return &unitReader{r: b, order: order, marked: true}
}

// unitReader decodes UTF-16.
type unitReader struct {
	r      io.Reader
	order  binary.ByteOrder
	marked bool // the byte order mark is yet to come
	raw    []byte
	text   []byte
	err    error
}

// Read implements io.Reader.
func (u *unitReader) Read(p []byte) (int, error) {
	for len(u.text) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.text)
	u.text = u.text[n:]
	return n, nil
}

// fill decodes some more. What may be half of a character waits for the rest.
func (u *unitReader) fill() {
	held := len(u.raw)
	u.raw = append(u.raw, make([]byte, 32<<10)...)
	n, err := io.ReadFull(u.r, u.raw[held:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	u.raw, u.err = u.raw[:held+n], err
	if u.marked {
		u.raw, u.marked = u.raw[2:], false
	}
	whole := len(u.raw) &^ 1
	if whole >= 2 && err == nil && u.order.Uint16(u.raw[whole-2:])&0xfc00 == 0xd800 { // the first of a surrogate pair
		whole -= 2
	}
	u.text = decodeUnits(u.order, u.raw[:whole])
	u.raw = slices.Clone(u.raw[whole:])
}
