// Package kwp wraps keys with AES as RFC 5649 (NIST SP 800-38F, KWP) says: the form in which key material is brought to and
// taken from the transit engine.
//
//	plaintext:  AIV(4) | length(4) | key, padded with zeros to a multiple of 8
//	ciphertext: as long as that; one AES block if that is 16 bytes, else six rounds of RFC 3394 over 8-byte halves
package kwp

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// MaxKey is the length of the longest key that is wrapped or unwrapped, in bytes. The format goes to 4 GiB; the encoding of an
// RSA-4096 key needs 2.4 KiB.
const MaxKey = 1 << 20

var (
	// ErrKey is returned for a wrapping key that is none of AES.
	ErrKey = errors.New("wrapping key is not an AES key")
	// ErrSize is returned for an empty or too long key or wrapped key, and for a wrapped key that is not whole.
	ErrSize = errors.New("invalid size of wrapped key")
	// ErrIntegrity is returned for a wrapped key that is damaged or was wrapped with another key.
	ErrIntegrity = errors.New("wrapped key failed its integrity check")
)

// aiv is the alternative initial value of RFC 5649, section 3.
const aiv = 0xA65959A6

// Wrap returns key wrapped with kek, an AES key.
func Wrap(kek, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, ErrKey
	}
	if len(key) == 0 || len(key) > MaxKey {
		return nil, ErrSize
	}
	out := make([]byte, 8+(len(key)+7)/8*8)
	binary.BigEndian.PutUint32(out, aiv)
	binary.BigEndian.PutUint32(out[4:], uint32(len(key)))
	copy(out[8:], key)
	if len(out) == 16 {
		block.Encrypt(out, out)
		return out, nil
	}
	var half [16]byte
	copy(half[:8], out)
	for t, step := 0, uint64(1); t < 6; t++ {
		for i := 8; i < len(out); i, step = i+8, step+1 {
			copy(half[8:], out[i:])
			block.Encrypt(half[:], half[:])
			binary.BigEndian.PutUint64(half[:], binary.BigEndian.Uint64(half[:])^step)
			copy(out[i:i+8], half[8:])
		}
	}
	copy(out, half[:8])
	return out, nil
}

// Unwrap returns the key in wrapped, which Wrap made with the same kek. wrapped is left as it is.
func Unwrap(kek, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, ErrKey
	}
	if len(wrapped) < 16 || len(wrapped)%8 != 0 || len(wrapped) > MaxKey+8 {
		return nil, ErrSize
	}
	out := append([]byte(nil), wrapped...)
	if len(out) == 16 {
		block.Decrypt(out, out)
		return check(out)
	}
	var half [16]byte
	copy(half[:8], out)
	for step := uint64(6 * (len(out)/8 - 1)); step > 0; {
		for i := len(out) - 8; i > 0; i, step = i-8, step-1 {
			binary.BigEndian.PutUint64(half[:], binary.BigEndian.Uint64(half[:])^step)
			copy(half[8:], out[i:])
			block.Decrypt(half[:], half[:])
			copy(out[i:i+8], half[8:])
		}
	}
	copy(out, half[:8])
	return check(out)
}

// check returns the key in an unwrapped plaintext. All is looked at whatever is wrong, so that time tells nothing of what.
func check(out []byte) ([]byte, error) {
	room := len(out) - 8
	length := int64(binary.BigEndian.Uint32(out[4:]))
	var prefix [4]byte
	binary.BigEndian.PutUint32(prefix[:], aiv)
	ok := subtle.ConstantTimeCompare(out[:4], prefix[:])
	fits := 0
	if length > int64(room-8) && length <= int64(room) {
		fits = 1
	}
	ok &= fits
	var padding byte
	for i, b := range out[8:] {
		beyond := byte(0)
		if int64(i) >= length {
			beyond = 0xff
		}
		padding |= b & beyond
	}
	ok &= subtle.ConstantTimeByteEq(padding, 0)
	if ok != 1 {
		clear(out)
		return nil, ErrIntegrity
	}
	return out[8 : 8+length], nil
}
