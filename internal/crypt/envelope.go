package crypt

import (
	"encoding/binary"
	"fmt"
)

// An envelope, version 1:
//
//	offset  bytes
//	0       1      version, 0x01
//	1       4      id of the key, big endian, not 0
//	5       12     nonce, random
//	17      n      ciphertext
//	17+n    16     tag of AES-256-GCM (NIST SP 800-38D)
//
// The additional data that the tag covers is the first five bytes, one byte that says what is inside (0 data, 1 a key),
// and then what the caller binds the envelope to. So neither version nor key id can be changed, and data never opens as a
// key nor a key as data.
const (
	envelopeVersion = 1
	headerSize      = 1 + 4
	nonceSize       = 12
	tagSize         = 16

	// Overhead is how many bytes longer an envelope is than what it holds.
	Overhead = headerSize + nonceSize + tagSize
)

// content says what an envelope holds.
type content byte

const (
	contentData content = 0
	contentKey  content = 1
)

// EnvelopeKeyID returns the id of the key that an envelope was sealed with, or ErrFormat. It is not authenticated before
// Open.
func EnvelopeKeyID(envelope []byte) (KeyID, error) {
	if len(envelope) < Overhead || envelope[0] != envelopeVersion {
		return 0, ErrFormat
	}
	id := KeyID(binary.BigEndian.Uint32(envelope[1:headerSize]))
	if id == 0 {
		return 0, ErrFormat
	}
	return id, nil
}

// AAD encodes the parts that an envelope is bound to, each with its length ahead (four bytes, big endian), so that no two
// lists of parts encode alike.
func AAD(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p))) //nolint:gosec // a part is never 4 GiB long
		out = append(out, p...)
	}
	return out
}

func newHeader(id KeyID) [headerSize]byte {
	h := [headerSize]byte{envelopeVersion}
	binary.BigEndian.PutUint32(h[1:], uint32(id))
	return h
}

// bound is the additional data of an envelope.
func bound(header []byte, what content, aad []byte) []byte {
	out := make([]byte, 0, headerSize+1+len(aad))
	out = append(out, header[:headerSize]...)
	out = append(out, byte(what))
	return append(out, aad...)
}

func wrongKey(want, got KeyID) error {
	return fmt.Errorf("sealed with key %d, this is key %d: %w", got, want, ErrOpen)
}
