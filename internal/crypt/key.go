package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// Key is an AES-256 key. It is safe for concurrent use; Destroy waits for calls under way, and later ones get ErrDestroyed.
type Key struct {
	id   KeyID
	uses atomic.Uint64

	mu       sync.RWMutex // held for writing by Destroy alone
	material *lockedmem.Buffer
	aead     cipher.AEAD // holds the key schedule on the heap, see the package comment
	macs     macKeys
}

// GenerateKey returns a new random key. The id is not 0.
func GenerateKey(id KeyID) (*Key, error) {
	return makeKey(id, func(to []byte) error {
		_, err := rand.Read(to)
		return err
	})
}

// NewKey returns the key with the given material, KeySize bytes, which is copied and then wiped, also after an error. The
// id is not 0.
func NewKey(id KeyID, material []byte) (*Key, error) {
	defer clear(material)
	if len(material) != KeySize {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrKey, len(material), KeySize)
	}
	return makeKey(id, func(to []byte) error {
		copy(to, material)
		return nil
	})
}

// makeKey has fill write the material.
func makeKey(id KeyID, fill func(to []byte) error) (*Key, error) {
	if id == 0 {
		return nil, fmt.Errorf("%w: its id is 0", ErrKey)
	}
	buf, err := lockedmem.Alloc(KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(buf.Bytes(), fill)
	if err != nil {
		buf.Destroy()
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	return &Key{id: id, material: buf, aead: aead}, nil
}

func newAEAD(material []byte, fill func(to []byte) error) (cipher.AEAD, error) {
	if err := fill(material); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(material)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ID returns the generation.
func (k *Key) ID() KeyID { return k.id }

// Uses returns how many envelopes were sealed with the key, as far as this Key knows.
func (k *Key) Uses() uint64 { return k.uses.Load() }

// AddUses tells the key of n envelopes that were sealed elsewhere, so that the limit holds across processes.
func (k *Key) AddUses(n uint64) { k.uses.Add(n) }

// Export calls fn with the key material, for those who keep keys: seals. fn must neither keep it nor use k.
func (k *Key) Export(fn func(material []byte) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.material == nil {
		return ErrDestroyed
	}
	return fn(k.material.Bytes())
}

// Destroy wipes the key and what MAC derived from it. Calling it again does nothing.
func (k *Key) Destroy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.material == nil {
		return
	}
	k.material.Destroy()
	k.macs.destroy()
	k.material, k.aead = nil, nil
}
