package crypt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An envelope, version 1:
//
//	offset  bytes
//	0       1      version, 0x01
//	1       4      id of the key, big endian
//	5       12     nonce, random
//	17      n      ciphertext
//	17+n    16     tag of AES-256-GCM
//
// The additional data that the tag covers is the first five bytes followed by what the caller binds the envelope to, so
// neither version nor key id can be changed.
const (
	envelopeVersion = 1
	headerSize      = 1 + 4
	nonceSize       = 12
	tagSize         = 16

	// Overhead is how many bytes longer an envelope is than what it holds.
	Overhead = headerSize + nonceSize + tagSize
)

var (
	// ErrOpen is returned for an envelope that was damaged, sealed by another key, or bound to something else.
	ErrOpen = errors.New("wrong key, or damaged or moved data")
	// ErrFormat is returned for bytes that are no envelope of a version known here.
	ErrFormat = errors.New("not an envelope of a known version")
	// ErrUnknownKey is returned for an envelope whose key is not in the ring.
	ErrUnknownKey = errors.New("sealed with a key that is not there")
	// ErrExhausted is returned by a key that was used as often as is safe.
	ErrExhausted = errors.New("the key was used as often as is safe; rotate it")
)

// EnvelopeKeyID returns the id of the key that an envelope was sealed with. It is not authenticated before Open.
func EnvelopeKeyID(envelope []byte) (KeyID, error) {
	if len(envelope) < Overhead || envelope[0] != envelopeVersion {
		return 0, ErrFormat
	}
	return KeyID(binary.BigEndian.Uint32(envelope[1:headerSize])), nil
}

// AAD encodes the parts that an envelope is bound to, each with its length ahead, so that no two lists of parts encode
// alike.
func AAD(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 4
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p))) //nolint:gosec // a part is never 4 GiB long
		out = append(out, p...)
	}
	return out
}

// bind puts the header ahead of the caller's additional data.
func bind(header, aad []byte) []byte {
	out := make([]byte, 0, headerSize+len(aad))
	return append(append(out, header[:headerSize]...), aad...)
}

func wrongKey(want, got KeyID) error {
	return fmt.Errorf("sealed with key %d, this is key %d: %w", got, want, ErrOpen)
}
