package token

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// batchPrefix starts batch tokens.
const batchPrefix = "zvb_"

// batchSealer seals batch tokens with XChaCha20-Poly1305, whose nonces are long enough to be random without counting uses.
type batchSealer struct{ aead cipher.AEAD }

func newBatchSealer(key []byte) (*batchSealer, error) {
	aead, err := chacha20poly1305.NewX(key)
	return &batchSealer{aead}, err
}

func (b *batchSealer) seal(e *Entry) (string, error) {
	plain, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(plain)+b.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return batchPrefix + base64.RawURLEncoding.EncodeToString(b.aead.Seal(nonce, nonce, plain, []byte(batchPrefix))), nil
}

func (b *batchSealer) open(id string) (*Entry, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(id, batchPrefix))
	if err != nil || len(raw) < b.aead.NonceSize() {
		return nil, ErrInvalid
	}
	nonce := raw[:b.aead.NonceSize()]
	plain, err := b.aead.Open(nil, nonce, raw[len(nonce):], []byte(batchPrefix))
	if err != nil {
		return nil, ErrInvalid
	}
	e := &Entry{}
	if err := json.Unmarshal(plain, e); err != nil {
		return nil, ErrInvalid
	}
	e.Hash = Hash(id)
	return e, nil
}
