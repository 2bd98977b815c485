package scan

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// Known is a fingerprint with the address of its secret.
type Known struct {
	Secret      string
	Fingerprint []byte
}

// Hit is a value found at bytes Start to End.
type Hit struct {
	Start, End int
	Secret     string
	Form       string // in which encoding
}

// Finder finds many values at once. It is safe for concurrent use.
type Finder struct {
	printer *Printer
	anchors map[uint64][]known
	filter  []uint64 // a bit for the low end of each anchor
	longest int      // bytes of the longest form
}

// filterBits makes a filter of 128 KiB, which few anchors get through that are not known.
const filterBits = 20

type known struct {
	length int
	digest [digestSize]byte
	secret string
	form   redact.Encoding
}

// Finder returns a Finder of fingerprints that a Printer of the same key has made.
func (p *Printer) Finder(all []Known) (*Finder, error) {
	f := &Finder{printer: p, anchors: map[uint64][]known{}, filter: make([]uint64, 1<<filterBits/64)}
	for _, k := range all {
		if err := f.add(k); err != nil {
			return nil, fmt.Errorf("reading the fingerprint of %s: %w", k.Secret, err)
		}
	}
	return f, nil
}

func (f *Finder) add(k Known) error {
	if len(k.Fingerprint) == 0 {
		return nil // of a value that is not looked for
	}
	if k.Fingerprint[0] != fingerprintVersion || (len(k.Fingerprint)-1)%formSize != 0 {
		return ErrFingerprint
	}
	for form := range slices.Chunk(k.Fingerprint[1:], formSize) {
		length := binary.BigEndian.Uint32(form[1:])
		if length < anchorSize || length > 1<<30 {
			return ErrFingerprint
		}
		f.longest = max(f.longest, int(length))
		anchor := binary.BigEndian.Uint64(form[5:])
		f.anchors[anchor] = append(f.anchors[anchor], known{
			length: int(length), digest: [digestSize]byte(form[5+anchorSum:]), secret: k.Secret, form: redact.Encoding(form[0]),
		})
		bit := anchor & (1<<filterBits - 1)
		f.filter[bit>>6] |= 1 << (bit & 63)
	}
	return nil
}

// Longest is the length in bytes of the longest form that is looked for.
func (f *Finder) Longest() int { return f.longest }

// Find lists the values in content, by place; not what lies within another find of the same secret.
func (f *Finder) Find(content []byte) []Hit {
	if len(f.anchors) == 0 {
		return nil
	}
	var hits []Hit
	for at := 0; at+anchorSize <= len(content); at++ {
		anchor := f.printer.anchor(content[at:])
		if bit := anchor & (1<<filterBits - 1); f.filter[bit>>6]&(1<<(bit&63)) != 0 {
			hits = f.confirm(hits, content, at, f.anchors[anchor])
		}
	}
	return outermost(hits)
}

// confirm adds the hits at a place. Values often begin alike, so each length is digested once.
func (f *Finder) confirm(hits []Hit, content []byte, at int, candidates []known) []Hit {
	digests := map[int][digestSize]byte{}
	for _, k := range candidates {
		if at+k.length > len(content) {
			continue
		}
		digest, done := digests[k.length]
		if !done {
			digest = f.printer.digest(content[at : at+k.length])
			digests[k.length] = digest
		}
		if digest == k.digest {
			hits = append(hits, Hit{Start: at, End: at + k.length, Secret: k.secret, Form: k.form.String()})
		}
	}
	return hits
}

// outermost leaves out what lies within another hit of the same secret.
func outermost(hits []Hit) []Hit {
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Or(a.Start-b.Start, b.End-a.End, strings.Compare(a.Secret, b.Secret)) })
	ends := map[string]int{}
	return slices.DeleteFunc(hits, func(h Hit) bool {
		if h.End <= ends[h.Secret] {
			return true
		}
		ends[h.Secret] = h.End
		return false
	})
}
