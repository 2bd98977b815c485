package redact

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
)

// The search is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994) with blocks of four bytes. All
// forms agree on a window of m bytes, their beginnings. For the last block of the text under the window a table tells how far
// the window can move before any form could fit; only where that is 0 are forms compared. With windows of up to 12 bytes that
// is about one look into the table for every six bytes of text.
const (
	blockSize = 4
	maxWindow = 12
)

// form is one encoding of one value.
type form struct {
	bytes    []byte
	name     int32
	encoding Encoding
}

// index finds forms.
type index struct {
	window  int
	shift   []uint8 // by block hash
	bits    uint    // of a block hash
	buckets []int32 // by window hash: first form of that hash, -1 for none
	bucket  uint    // bits of a window hash
	chain   []int32 // by form: next form of that hash, longest first
	forms   []form  // sorted
	longest int
}

type builder struct {
	forms []form
}

func newBuilder(secrets int) *builder { return &builder{forms: make([]form, 0, 32*secrets)} }

// add takes a form. Too short ones come of short values whose base64 loses letters at the ends; they are no use.
func (b *builder) add(v []byte, name int, e Encoding) {
	if len(v) >= MinLength-1 {
		b.forms = append(b.forms, form{bytes: v, name: int32(name), encoding: e}) //nolint:gosec // far fewer secrets than that
	}
}

// build sorts the forms, drops those that are there twice, and makes the tables.
func (b *builder) build() *index {
	slices.SortStableFunc(b.forms, func(x, y form) int { return bytes.Compare(x.bytes, y.bytes) })
	forms := slices.CompactFunc(b.forms, func(x, y form) bool { return bytes.Equal(x.bytes, y.bytes) })
	if len(forms) == 0 {
		return nil
	}
	x := &index{forms: slices.Clip(forms), window: maxWindow}
	for _, f := range forms {
		x.window = min(x.window, len(f.bytes))
		x.longest = max(x.longest, len(f.bytes))
	}
	x.bits, x.bucket = tableBits(len(forms)*(x.window-blockSize+1)*8), tableBits(len(forms)*2)
	x.shift = bytes.Repeat([]byte{byte(x.window - blockSize + 1)}, 1<<x.bits)
	x.buckets = make([]int32, 1<<x.bucket)
	for i := range x.buckets {
		x.buckets[i] = -1
	}
	x.chain = make([]int32, len(forms))
	for i, f := range x.forms { // of equal windows the longest form comes last in sorted order, so first in its chain
		for end := blockSize; end <= x.window; end++ {
			h := x.hashBlock(f.bytes[end-blockSize:])
			x.shift[h] = min(x.shift[h], byte(x.window-end))
		}
		h := x.hashWindow(f.bytes)
		x.chain[i], x.buckets[h] = x.buckets[h], int32(i) //nolint:gosec // far fewer forms than that
	}
	return x
}

// tableBits is the size of a table with room for n, within what a processor's second cache holds.
func tableBits(n int) uint {
	bits := uint(10)
	for 1<<bits < n && bits < 21 {
		bits++
	}
	return bits
}

func (x *index) hashBlock(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> (32 - x.bits)
}

// hashWindow hashes the first and the last block of a window.
func (x *index) hashWindow(b []byte) uint32 {
	first, last := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[x.window-blockSize:])
	return (first*0x9e3779b1 ^ last*0x85ebca77) >> (32 - x.bucket)
}

// found is a form at a place of the text.
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
		if !final && len(text)-start < x.longest && x.mayGrow(text[start:]) {
			return found{}, start
		}
		if f, ok := x.at(text, start); ok {
			return f, start + 1
		}
		end++
	}
	return found{}, min(end-window, len(text))
}

// at finds the longest form at a place.
func (x *index) at(text []byte, start int) (found, bool) {
	best := found{}
	rest := text[start:]
	for i := x.buckets[x.hashWindow(rest)]; i >= 0; i = x.chain[i] {
		f := &x.forms[i]
		if start+len(f.bytes) > best.end && bytes.HasPrefix(rest, f.bytes) {
			best = found{start: start, end: start + len(f.bytes), name: f.name, encoding: f.encoding}
		}
	}
	return best, best.end > 0
}

// mayGrow reports whether text is the beginning of a longer form.
func (x *index) mayGrow(text []byte) bool {
	i := sort.Search(len(x.forms), func(i int) bool { return bytes.Compare(x.forms[i].bytes, text) > 0 })
	return i < len(x.forms) && bytes.HasPrefix(x.forms[i].bytes, text)
}
