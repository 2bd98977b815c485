package redact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// The search is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994) with blocks of four bytes. All
// forms agree on a window of m bytes, their beginnings. For the last block of the text under the window a table tells how far
// the window can move before any form could fit; only where that is 0, and a filter knows both ends of the window, are forms
// looked up. With windows of 12 bytes that is about one look into the table for every six bytes of text. Few forms have longer
// windows, as long as the table still fits into a processor's first caches.
const (
	blockSize  = 4
	maxWindow  = 12
	fewWindow  = 32
	smallTable = 1 << 17
)

// longestWindow is how long the window of n forms may be.
func longestWindow(n int) int {
	return min(fewWindow, max(maxWindow, smallTable/(8*n)+blockSize-1))
}

// form is one encoding of one value.
type form struct {
	bytes    []byte
	parent   int32 // the longest form that this one begins with; -1 for none
	name     int32
	encoding Encoding
}

// index finds forms.
type index struct {
	window  int
	shift   []uint8  // by block hash
	bits    uint     // of a block hash
	filter  []uint64 // a bit for each window hash
	fbits   uint     // of a window hash
	keys    []uint64 // by form: its first bytes, as prefixKey has them
	forms   []form   // sorted by bytes
	longest int
}

// find is a form at a place of the text.
type found struct {
	start, end int
	name       int32
	encoding   Encoding
}

// next finds the first form that starts at or after from, the longest of those that start there, and where to go on. A found
// with end 0 means that there is none; then next is the first start that is not ruled out: because the text ends there too
// soon, or, unless final is set, because a longer form may be coming.
func (x *index) next(text []byte, from int, final bool) (f found, next int) {
	window, shift, bits := x.window, x.shift, 32-x.bits
	end := from + window
	for end <= len(text) {
		h := binary.LittleEndian.Uint32(text[end-blockSize:end]) * 0x9e3779b1 >> bits
		if s := int(shift[h]); s > 0 {
			end += s
			continue
		}
		start := end - window
		end++
		if !x.known(text[start:]) {
			continue
		}
		rest := text[start:]
		after := x.after(rest)
		if !final && x.grows(after, rest) {
			return found{}, start
		}
		if i := x.longestAt(after, rest); i >= 0 {
			f := &x.forms[i]
			return found{start: start, end: start + len(f.bytes), name: f.name, encoding: f.encoding}, start + 1
		}
	}
	return found{}, min(end-window, len(text))
}

// known reports whether a form may begin with the window at the beginning of text.
func (x *index) known(text []byte) bool {
	h := x.hashWindow(text)
	return x.filter[h>>6]&(1<<(h&63)) != 0
}

// mayGrow reports whether text is the beginning of a longer form.
func (x *index) mayGrow(text []byte) bool {
	return len(text) < x.longest && x.grows(x.after(text), text)
}

func (x *index) grows(after int, text []byte) bool {
	return after < len(x.forms) && bytes.HasPrefix(x.forms[after].bytes, text)
}

// after returns how many forms do not sort after text.
func (x *index) after(text []byte) int {
	key := prefixKey(text)
	low, high := 0, len(x.keys)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if k := x.keys[middle]; k < key || k == key && bytes.Compare(x.forms[middle].bytes, text) <= 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// longestAt returns the longest form that text begins with, or -1. Whatever sorts between that form and the text begins with
// that form too, so it is the last form that does not sort after the text, or an ancestor of it.
func (x *index) longestAt(after int, text []byte) int {
	i := after - 1
	for i >= 0 && !bytes.HasPrefix(text, x.forms[i].bytes) {
		i = int(x.forms[i].parent)
	}
	return i
}

// hashWindow hashes the first and the last block of a window.
func (x *index) hashWindow(text []byte) uint32 {
	first, last := binary.LittleEndian.Uint32(text), binary.LittleEndian.Uint32(text[x.window-blockSize:])
	return (first*0x9e3779b1 ^ last*0x85ebca77) >> (32 - x.fbits)
}

// prefixKey is a number that sorts as the first bytes of text do; a text that ends sooner counts as followed by zeros.
func prefixKey(text []byte) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64(text)
	}
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

// builder collects forms.
type builder struct {
	raw   []rawForm
	arena []byte // what of the current block of memory is free
}

type rawForm struct {
	key      uint64
	bytes    []byte
	name     int32
	encoding Encoding
}

const arenaSize = 64 << 10

// add copies a form.
func (b *builder) add(v []byte, name int, e Encoding) {
	if len(v) < blockSize {
		return
	}
	if cap(b.arena) < len(v) {
		b.arena = make([]byte, 0, max(arenaSize, len(v)))
	}
	own := append(b.arena[:0:len(v)], v...)
	b.arena = b.arena[len(v):cap(b.arena)][:0]
	b.raw = append(b.raw, rawForm{key: prefixKey(own), bytes: own, name: int32(name), encoding: e}) //nolint:gosec // far fewer secrets than that
}

// build sorts the forms, drops those that are there twice, and makes the tables; nil if there is no form.
func (b *builder) build() *index {
	slices.SortFunc(b.raw, func(f, g rawForm) int {
		if f.key != g.key {
			return cmp.Compare(f.key, g.key)
		}
		return cmp.Or(bytes.Compare(f.bytes, g.bytes), cmp.Compare(f.name, g.name), cmp.Compare(f.encoding, g.encoding))
	})
	raw := slices.CompactFunc(b.raw, func(f, g rawForm) bool { return f.key == g.key && bytes.Equal(f.bytes, g.bytes) })
	if len(raw) == 0 {
		return nil
	}
	x := &index{window: longestWindow(len(raw)), keys: make([]uint64, len(raw)), forms: make([]form, len(raw))}
	for i, f := range raw {
		x.keys[i] = f.key
		x.forms[i] = form{bytes: f.bytes, parent: x.parentOf(i, f.bytes), name: f.name, encoding: f.encoding}
		x.window = min(x.window, len(f.bytes))
		x.longest = max(x.longest, len(f.bytes))
	}
	x.fill()
	return x
}

// parentOf finds the parent of the form that comes next: the one before it, or an ancestor of that.
func (x *index) parentOf(i int, text []byte) int32 { return int32(x.longestAt(i, text)) } //nolint:gosec // an index of forms

// fill makes the tables.
func (x *index) fill() {
	x.bits = tableBits(len(x.forms)*(x.window-blockSize+1)*8, 21)
	x.shift = bytes.Repeat([]byte{byte(x.window - blockSize + 1)}, 1<<x.bits)
	x.fbits = tableBits(len(x.forms)*16, 22)
	x.filter = make([]uint64, 1<<x.fbits/64)
	for i := range x.forms {
		text := x.forms[i].bytes[:x.window]
		if i > 0 && bytes.HasPrefix(x.forms[i-1].bytes, text) {
			continue // the same window as the form before
		}
		for end := blockSize; end <= x.window; end++ {
			h := binary.LittleEndian.Uint32(text[end-blockSize:]) * 0x9e3779b1 >> (32 - x.bits)
			x.shift[h] = min(x.shift[h], byte(x.window-end))
		}
		h := x.hashWindow(text)
		x.filter[h>>6] |= 1 << (h & 63)
	}
}

// tableBits is the size of a table with room for n, within what a processor's second cache holds.
func tableBits(n int, most uint) uint {
	bits := uint(10)
	for 1<<bits < n && bits < most {
		bits++
	}
	return bits
}
