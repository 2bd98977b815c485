package scan

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// A fingerprint finds a value, also within other text and in the usual encodings, without holding it. It is a list of forms, each
// of the encodings of redact:
//
//	version (1)    0x01
//	each form:     encoding (1) || length (4, big endian) || anchor (8) || digest (16)
//
// anchor is the form's first anchorSize bytes, padded with zeros, enciphered by AES and cut short: a keyed function quick enough
// to be computed at every byte of a file. digest is the MAC of the whole form, cut short.
//
// Without the key a fingerprint says how long the value is, which of its forms are the same length, and whether two values of the
// same vault begin alike or are the same; nothing of the values themselves. With the key, values can be guessed and tried at some
// millions a second, the first eight bytes apart from the rest: one that a dictionary holds, or of less than about 16 random
// characters, should be taken as known to whoever has both. The vault keeps fingerprints sealed for that reason. Values that
// redact leaves alone, and forms of fewer than anchorSize bytes, are not looked for.
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
