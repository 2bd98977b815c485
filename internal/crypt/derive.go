package crypt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// What is derived from a key is HKDF-SHA256 (RFC 5869) of its material, without a salt, with an info that names first the
// use, then a NUL, then the caller's purpose. The uses are fixed and hold no NUL, so no purpose of one is one of another.
const (
	useDerive = "zvault derive"
	useMAC    = "zvault mac"
	useSign   = "zvault sign"
)

// expand derives n bytes. They lie on the heap; the caller wipes them.
func (k *Key) expand(use, purpose string, n int) (out []byte, err error) {
	err = k.Export(func(material []byte) error {
		out, err = hkdfSHA256(material, nil, use+"\x00"+purpose, n)
		return err
	})
	return out, err
}

func hkdfSHA256(secret, salt []byte, info string, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, salt, info, n)
}

// Derive returns another key, made from this one for a purpose. The same purpose gives the same key; its id is that of k.
func (k *Key) Derive(purpose string) (*Key, error) {
	out, err := k.expand(useDerive, purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return NewKey(k.id, out)
}

// SigningKey derives a signing key for a purpose.
func (k *Key) SigningKey(purpose string) (*SigningKey, error) {
	seed, err := k.expand(useSign, purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a signing key: %w", err)
	}
	return NewSigningKey(seed)
}

// MAC returns the HMAC-SHA256 (RFC 2104) of data under a key derived for a purpose. What is derived is kept until Destroy,
// so purposes are constants of the program, not data. MAC panics if the key was destroyed: a MAC under no key would look
// like one.
func (k *Key) MAC(purpose string, data []byte) [sha256.Size]byte {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.material == nil {
		panic(ErrDestroyed)
	}
	sub, err := k.macs.get(purpose, k.material.Bytes())
	if err != nil {
		panic(err) // HKDF fails only for longer outputs, memory only when the process has none left
	}
	return hmacSHA256(sub, data)
}

func hmacSHA256(key, data []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

// macKeys keeps the keys that MAC derived, by purpose.
type macKeys struct {
	mu   sync.Mutex
	keys map[string]*lockedmem.Buffer
}

func (m *macKeys) get(purpose string, material []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if buf, ok := m.keys[purpose]; ok {
		return buf.Bytes(), nil
	}
	sub, err := hkdfSHA256(material, nil, useMAC+"\x00"+purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	defer clear(sub)
	buf, err := lockedmem.Alloc(KeySize)
	if err != nil {
		return nil, err
	}
	copy(buf.Bytes(), sub)
	if m.keys == nil {
		m.keys = map[string]*lockedmem.Buffer{}
	}
	m.keys[purpose] = buf
	return buf.Bytes(), nil
}

func (m *macKeys) destroy() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, buf := range m.keys {
		buf.Destroy()
	}
	m.keys = nil
}
