package crypt

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// Seal returns an envelope of plaintext, bound to aad. It is ErrExhausted after MaxUses.
func (k *Key) Seal(plaintext, aad []byte) ([]byte, error) { return k.seal(contentData, plaintext, aad) }

// Open returns what an envelope holds, if it was sealed by this key and bound to aad; ErrFormat or ErrOpen otherwise.
func (k *Key) Open(envelope, aad []byte) ([]byte, error) {
	return k.open(make([]byte, 0, max(0, len(envelope)-Overhead)), envelope, contentData, aad)
}

func (k *Key) seal(what content, plaintext, aad []byte) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.aead == nil {
		return nil, ErrDestroyed
	}
	if k.uses.Add(1) > MaxUses {
		return nil, ErrExhausted
	}
	header := newHeader(k.id)
	out := make([]byte, headerSize+nonceSize, Overhead+len(plaintext))
	copy(out, header[:])
	nonce := out[headerSize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return k.aead.Seal(out, nonce, plaintext, bound(out, what, aad)), nil
}

// open appends what the envelope holds to dst.
func (k *Key) open(dst, envelope []byte, what content, aad []byte) ([]byte, error) {
	id, err := EnvelopeKeyID(envelope)
	if err != nil {
		return nil, err
	}
	if id != k.id {
		return nil, wrongKey(k.id, id)
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.aead == nil {
		return nil, ErrDestroyed
	}
	nonce, sealed := envelope[headerSize:headerSize+nonceSize], envelope[headerSize+nonceSize:]
	plain, err := k.aead.Open(dst, nonce, sealed, bound(envelope, what, aad))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// A wrapped key is an envelope of the inner key's id, four bytes big endian, and its material.
const wrappedSize = 4 + KeySize

// WrappedSize is the length of an envelope that Wrap makes.
const WrappedSize = Overhead + wrappedSize

// Wrap seals another key, bound to aad. The inner key's id travels with it. It is ErrExhausted after MaxUses.
func (k *Key) Wrap(inner *Key, aad []byte) ([]byte, error) {
	buf, err := lockedmem.Alloc(wrappedSize)
	if err != nil {
		return nil, err
	}
	defer buf.Destroy()
	plain := buf.Bytes()
	binary.BigEndian.PutUint32(plain, uint32(inner.id))
	err = inner.Export(func(material []byte) error {
		copy(plain[4:], material)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return k.seal(contentKey, plain, aad)
}

// Unwrap opens a key that Wrap sealed, bound to aad; ErrFormat or ErrOpen if it cannot.
func (k *Key) Unwrap(envelope, aad []byte) (*Key, error) {
	if len(envelope) != WrappedSize {
		return nil, ErrFormat
	}
	buf, err := lockedmem.Alloc(wrappedSize)
	if err != nil {
		return nil, err
	}
	defer buf.Destroy()
	plain, err := k.open(buf.Bytes()[:0], envelope, contentKey, aad)
	if err != nil {
		return nil, err
	}
	id := KeyID(binary.BigEndian.Uint32(plain))
	if id == 0 {
		return nil, ErrFormat
	}
	return NewKey(id, plain[4:])
}
