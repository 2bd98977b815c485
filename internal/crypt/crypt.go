// Package crypt seals bytes into envelopes (AES-256-GCM), wraps and derives keys, and signs.
//
// Start with [GenerateKey] and [Key.Seal]; a [Ring] holds the generations of a key that rotates. The format of an envelope
// is drawn in envelope.go; every later version of this package opens the envelopes of every released one.
//
// Key material lives in locked memory (package lockedmem) and is wiped by Destroy. Not all of it can be kept there. What
// Go's ciphers make of a key lies on the ordinary heap and cannot be wiped: the AES key schedule of a Key for as long as
// the Key lives, the states of HMAC and HKDF and the expanded key of Ed25519 until the collector takes them. Destroy lets
// go of all of it. Whoever reads the memory of the process therefore finds the keys in use; what is gained is that keys
// are not written to swap or core dumps in one recognisable piece, and do not outlast their use.
package crypt

import "errors"

const (
	// KeySize is the length of a key in bytes.
	KeySize = 32
	// MaxUses is how many envelopes one key may seal. With random 96-bit nonces the chance that two of them are the same is
	// then below 2^-37; NIST SP 800-38D, 8.3, allows four times as many, at 2^-32.
	MaxUses = 1 << 30
)

var (
	// ErrOpen is returned for an envelope that was damaged, sealed by another key, or bound to something else.
	ErrOpen = errors.New("wrong key, or damaged or moved data")
	// ErrFormat is returned for bytes that are no envelope of a version known here, or do not hold what they should.
	ErrFormat = errors.New("not an envelope of a known version")
	// ErrUnknownKey is returned for an envelope whose key is not in the ring.
	ErrUnknownKey = errors.New("sealed with a key that is not there")
	// ErrExhausted is returned by a key that was used as often as is safe.
	ErrExhausted = errors.New("the key was used as often as is safe; rotate it")
	// ErrDestroyed is returned by a key after Destroy.
	ErrDestroyed = errors.New("the key was destroyed")
	// ErrKey is returned for a key of the wrong length or with the id 0.
	ErrKey = errors.New("not a key")
)

// KeyID is the generation of a key in its scope; the first is 1.
type KeyID uint32
