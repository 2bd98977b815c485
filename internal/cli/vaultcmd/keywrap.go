package vaultcmd

import (
	"crypto/aes"
	"encoding/binary"
	"errors"
	"math"
)

// wrapPadded encrypts a key under another: AES key wrap with padding, RFC 5649.
//
//	A65959A6 | length, 4 bytes | key, filled with zeros to a multiple of 8
//
// Up to 8 bytes of key are one block of AES; longer ones go through RFC 3394's six rounds.
func wrapPadded(under, key []byte) ([]byte, error) {
	if len(key) == 0 || uint64(len(key)) > math.MaxUint32 {
		return nil, errors.New("a key of this length cannot be wrapped")
	}
	block, err := aes.NewCipher(under)
	if err != nil {
		return nil, err
	}
	padded := (len(key) + 7) / 8 * 8
	out := make([]byte, 8+padded)
	binary.BigEndian.PutUint32(out, 0xa65959a6)
	binary.BigEndian.PutUint32(out[4:], uint32(len(key))) //nolint:gosec // held to 32 bits above
	copy(out[8:], key)
	if padded == 8 {
		block.Encrypt(out, out)
		return out, nil
	}
	var buffer [16]byte
	copy(buffer[:8], out[:8])
	n := padded / 8
	for t := 1; t <= 6*n; t++ {
		half := out[8+8*((t-1)%n):][:8]
		copy(buffer[8:], half)
		block.Encrypt(buffer[:], buffer[:])
		copy(half, buffer[8:])
		binary.BigEndian.PutUint64(buffer[:8], binary.BigEndian.Uint64(buffer[:8])^uint64(t))
	}
	copy(out, buffer[:8])
	return out, nil
}
