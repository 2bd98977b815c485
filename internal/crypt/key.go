// Package crypt seals bytes into envelopes (AES-256-GCM), derives and wraps keys, and signs.
//
// Start with [GenerateKey] and [Key.Seal]; a [Ring] holds the generations of a key that rotates. Key material lives in
// locked memory (package lockedmem). What Go's cipher keeps besides, the expanded key schedule, lies on the ordinary heap
// and cannot be wiped: Destroy drops it for the collector.
package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

const (
	// KeySize is the length of a key in bytes.
	KeySize = 32
	// MaxUses is how many envelopes one key may seal. With random 96-bit nonces the chance of a repeat stays below 2^-36
	// (NIST SP 800-38D allows 2^32 at 2^-32).
	MaxUses = 1 << 30
)

// KeyID is the generation of a key in its scope; the first is 1.
type KeyID uint32

// Key is an AES-256 key. It is safe for concurrent use, but not after Destroy.
type Key struct {
	id       KeyID
	material *lockedmem.Buffer
	aead     cipher.AEAD
	uses     atomic.Uint64
}

// GenerateKey returns a new random key.
func GenerateKey(id KeyID) (*Key, error) {
	buf, err := lockedmem.Alloc(KeySize)
	if err != nil {
		return nil, err
	}
	if _, err := rand.Read(buf.Bytes()); err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	return newKey(id, buf)
}

// NewKey returns the key with the given material, 32 bytes, which is copied and then wiped.
func NewKey(id KeyID, material []byte) (*Key, error) {
	defer clear(material)
	if len(material) != KeySize {
		return nil, fmt.Errorf("a key has %d bytes, not %d", KeySize, len(material))
	}
	buf, err := lockedmem.Alloc(KeySize)
	if err != nil {
		return nil, err
	}
	copy(buf.Bytes(), material)
	return newKey(id, buf)
}

func newKey(id KeyID, buf *lockedmem.Buffer) (*Key, error) {
	block, err := aes.NewCipher(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	return &Key{id: id, material: buf, aead: aead}, nil
}

// ID returns the generation.
func (k *Key) ID() KeyID { return k.id }

// Uses returns how many envelopes this process has sealed with the key, plus what SetUses said.
func (k *Key) Uses() uint64 { return k.uses.Load() }

// SetUses says how often the key was used before, so that the limit holds across processes.
func (k *Key) SetUses(n uint64) { k.uses.Store(n) }

// Seal returns an envelope of plaintext, bound to aad. It is ErrExhausted after MaxUses.
func (k *Key) Seal(plaintext, aad []byte) ([]byte, error) {
	if k.uses.Add(1) > MaxUses {
		return nil, ErrExhausted
	}
	out := make([]byte, headerSize+nonceSize, Overhead+len(plaintext))
	out[0] = envelopeVersion
	binary.BigEndian.PutUint32(out[1:], uint32(k.id))
	nonce := out[headerSize : headerSize+nonceSize]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return k.aead.Seal(out, nonce, plaintext, bind(out, aad)), nil
}

// Open returns what an envelope holds, if it was sealed by this key and bound to aad; ErrFormat or ErrOpen otherwise.
func (k *Key) Open(envelope, aad []byte) ([]byte, error) {
	id, err := EnvelopeKeyID(envelope)
	if err != nil {
		return nil, err
	}
	if id != k.id {
		return nil, wrongKey(k.id, id)
	}
	nonce := envelope[headerSize : headerSize+nonceSize]
	plain, err := k.aead.Open(nil, nonce, envelope[headerSize+nonceSize:], bind(envelope, aad))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Wrap seals another key. Its id travels inside.
func (k *Key) Wrap(inner *Key, aad []byte) ([]byte, error) {
	buf, err := lockedmem.Alloc(4 + KeySize)
	if err != nil {
		return nil, err
	}
	defer buf.Destroy()
	binary.BigEndian.PutUint32(buf.Bytes(), uint32(inner.id))
	copy(buf.Bytes()[4:], inner.material.Bytes())
	return k.Seal(buf.Bytes(), wrapAAD(aad))
}

// Unwrap opens a key that Wrap sealed.
func (k *Key) Unwrap(envelope, aad []byte) (*Key, error) {
	plain, err := k.Open(envelope, wrapAAD(aad))
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	if len(plain) != 4+KeySize {
		return nil, ErrFormat
	}
	return NewKey(KeyID(binary.BigEndian.Uint32(plain)), plain[4:])
}

// wrapAAD keeps wrapped keys and sealed data apart, so that one never opens as the other.
func wrapAAD(aad []byte) []byte { return append([]byte("zvault wrapped key\x00"), aad...) }

// Derive returns another key, made from this one for a purpose (HKDF-SHA256, RFC 5869). The same purpose gives the same
// key; its id is that of k.
func (k *Key) Derive(purpose string) (*Key, error) {
	out, err := hkdf.Key(sha256.New, k.material.Bytes(), nil, "zvault derive\x00"+purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return NewKey(k.id, out)
}

// MAC returns the HMAC-SHA256 of data under a key derived for a purpose.
func (k *Key) MAC(purpose string, data []byte) [32]byte {
	sub, err := hkdf.Key(sha256.New, k.material.Bytes(), nil, "zvault mac\x00"+purpose, KeySize)
	if err != nil {
		panic(err) // only a longer output than SHA-256 can derive is refused
	}
	defer clear(sub)
	h := hmac.New(sha256.New, sub)
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// Export calls fn with the key material, for those who keep keys: seals. fn must not keep it.
func (k *Key) Export(fn func(material []byte) error) error { return fn(k.material.Bytes()) }

// Destroy wipes the key. Calling it again does nothing.
func (k *Key) Destroy() {
	k.material.Destroy()
	k.aead = nil
}
