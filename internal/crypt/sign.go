package crypt

import (
	"crypto/ed25519"
	"fmt"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// SigningKey is an Ed25519 key (RFC 8032), its seed in locked memory. It is safe for concurrent use; Destroy waits for calls
// under way.
type SigningKey struct {
	public ed25519.PublicKey

	mu   sync.RWMutex // held for writing by Destroy alone
	seed *lockedmem.Buffer
}

// NewSigningKey returns the signing key with the given seed, 32 bytes, which is copied and then wiped, also after an error.
func NewSigningKey(seed []byte) (*SigningKey, error) {
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: a seed of %d bytes instead of %d", ErrKey, len(seed), ed25519.SeedSize)
	}
	buf, err := lockedmem.Alloc(ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	copy(buf.Bytes(), seed)
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	public := append(ed25519.PublicKey(nil), private[ed25519.SeedSize:]...)
	return &SigningKey{public: public, seed: buf}, nil
}

// Sign signs a message. It panics if the key was destroyed.
func (s *SigningKey) Sign(message []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.seed == nil {
		panic(ErrDestroyed)
	}
	// The private key cannot stay in locked memory: crypto/ed25519 keeps what it computes from it in a cache keyed by a weak
	// pointer to the key, and the runtime knows no such pointers to memory that is not its own.
	private := make(ed25519.PrivateKey, 0, ed25519.PrivateKeySize)
	private = append(append(private, s.seed.Bytes()...), s.public...)
	defer clear(private)
	return ed25519.Sign(private, message)
}

// Public returns the public key.
func (s *SigningKey) Public() ed25519.PublicKey { return append(ed25519.PublicKey(nil), s.public...) }

// Destroy wipes the key. Calling it again does nothing.
func (s *SigningKey) Destroy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seed == nil {
		return
	}
	s.seed.Destroy()
	s.seed = nil
}

// Verify reports whether a signature of a message is by the owner of a public key.
func Verify(public ed25519.PublicKey, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
}
