package scan

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// A fingerprint finds a value, also within other text and in the usual encodings, without holding it. It is a list of forms:
//
//	version (1)    0x01
//	each form:     encoding (1) || length (4, big endian) || anchor (8) || digest (16)
//
// anchor is the form's first anchorSize bytes, padded with zeros, enciphered by AES and cut short: a keyed function quick enough
// to be computed at every byte of a file. digest is the MAC of the whole form, cut short. With the key, values can be guessed
// and tried; without it a fingerprint says how long the value is and whether two begin alike.
const (
	fingerprintVersion = 1
	anchorSize         = 8
	anchorSum          = 8
	digestSize         = 16
	formSize           = 1 + 4 + anchorSum + digestSize
)

// ErrFingerprint is returned for bytes that are no fingerprint.
var ErrFingerprint = errors.New("not a fingerprint of a known version")

// Printer makes fingerprints and finds them again. It is safe for concurrent use.
type Printer struct {
	block cipher.Block
	key   *crypt.Key
}

// NewPrinter returns the Printer of a key, which must outlive it.
func NewPrinter(key *crypt.Key) (*Printer, error) {
	anchors, err := key.Derive("scan: anchors")
	if err != nil {
		return nil, err
	}
	defer anchors.Destroy()
	p := &Printer{key: key}
	err = anchors.Export(func(material []byte) error {
		p.block, err = aes.NewCipher(material)
		return err
	})
	return p, err
}

func (p *Printer) anchor(first []byte) uint64 {
	var block [aes.BlockSize]byte
	copy(block[:], first[:anchorSize])
	p.block.Encrypt(block[:], block[:])
	return binary.BigEndian.Uint64(block[:])
}

func (p *Printer) digest(form []byte) [digestSize]byte {
	mac := p.key.MAC("scan: digest", form)
	return [digestSize]byte(mac[:digestSize])
}

// Fingerprint makes the fingerprint of a value; nil for one that is too short or too common to be looked for.
func (p *Printer) Fingerprint(v secret.Value) []byte {
	out := []byte{fingerprintVersion}
	redact.Forms(v, func(e redact.Encoding, form []byte) {
		if len(form) < anchorSize {
			return
		}
		digest := p.digest(form)
		out = append(out, byte(e))
		out = binary.BigEndian.AppendUint32(out, uint32(len(form))) //nolint:gosec // values are short
		out = binary.BigEndian.AppendUint64(out, p.anchor(form))
		out = append(out, digest[:]...)
	})
	if len(out) == 1 {
		return nil
	}
	return out
}

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
}

type known struct {
	length int
	digest [digestSize]byte
	secret string
	form   redact.Encoding
}

// Finder returns a Finder of fingerprints that a Printer of the same key has made.
func (p *Printer) Finder(all []Known) (*Finder, error) {
	f := &Finder{printer: p, anchors: map[uint64][]known{}}
	for _, k := range all {
		if len(k.Fingerprint) == 0 {
			continue
		}
		if k.Fingerprint[0] != fingerprintVersion || (len(k.Fingerprint)-1)%formSize != 0 {
			return nil, fmt.Errorf("reading the fingerprint of %s: %w", k.Secret, ErrFingerprint)
		}
		for form := range slices.Chunk(k.Fingerprint[1:], formSize) {
			anchor := binary.BigEndian.Uint64(form[5:])
			entry := known{
				length: int(binary.BigEndian.Uint32(form[1:])), digest: [digestSize]byte(form[5+anchorSum:]),
				secret: k.Secret, form: redact.Encoding(form[0]),
			}
			f.anchors[anchor] = append(f.anchors[anchor], entry)
		}
	}
	return f, nil
}

// Find lists the values in content, by place.
func (f *Finder) Find(content []byte) []Hit {
	var hits []Hit
	if len(f.anchors) == 0 {
		return nil
	}
	for at := 0; at+anchorSize <= len(content); at++ {
		for _, k := range f.anchors[f.printer.anchor(content[at:])] {
			if at+k.length <= len(content) && f.printer.digest(content[at:at+k.length]) == k.digest {
				hits = append(hits, Hit{Start: at, End: at + k.length, Secret: k.secret, Form: k.form.String()})
			}
		}
	}
	return longestOnly(hits)
}

// longestOnly leaves out what lies within another find of the same secret.
func longestOnly(hits []Hit) []Hit {
	return slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool {
		return slices.ContainsFunc(hits, func(o Hit) bool {
			return o.Secret == h.Secret && o.Start <= h.Start && o.End >= h.End && o.End-o.Start > h.End-h.Start
		})
	})
}
