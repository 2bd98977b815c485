package crypt

import (
	"crypto/ed25519"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// SigningKey is an Ed25519 key (RFC 8032) in locked memory. It is safe for concurrent use, but not after Destroy.
type SigningKey struct {
	private *lockedmem.Buffer
}

// NewSigningKey returns the signing key with the given seed, 32 bytes, which is wiped.
func NewSigningKey(seed []byte) (*SigningKey, error) {
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, ErrFormat
	}
	buf, err := lockedmem.Alloc(ed25519.PrivateKeySize)
	if err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	copy(buf.Bytes(), private)
	clear(private)
	return &SigningKey{private: buf}, nil
}

// SigningKey derives a signing key from k for a purpose.
func (k *Key) SigningKey(purpose string) (*SigningKey, error) {
	seed, err := k.Derive("signing\x00" + purpose)
	if err != nil {
		return nil, err
	}
	defer seed.Destroy()
	var s *SigningKey
	err = seed.Export(func(material []byte) error {
		s, err = NewSigningKey(append([]byte(nil), material...))
		return err
	})
	return s, err
}

// Sign signs a message.
func (s *SigningKey) Sign(message []byte) []byte {
	return ed25519.Sign(ed25519.PrivateKey(s.private.Bytes()), message)
}

// Public returns the public key.
func (s *SigningKey) Public() ed25519.PublicKey {
	return append(ed25519.PublicKey(nil), s.private.Bytes()[ed25519.SeedSize:]...)
}

// Destroy wipes the key.
func (s *SigningKey) Destroy() { s.private.Destroy() }

// Verify reports whether a signature of a message is by the owner of a public key.
func Verify(public ed25519.PublicKey, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
}
