package transit

import (
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// nonceKeySize is the length of the key that makes the nonces of convergent encryption.
const nonceKeySize = 32

var errNoContext = logical.Invalid("missing 'context' for key derivation; the key was created using a derived key, which means " +
	"additional, per-request information must be included in order to perform operations with the key")

// cipherFor returns the cipher of a version, derived for the context if the key is a derived one. nonceKey is nil unless the
// key is convergent.
func (k *key) cipherFor(v *version, context []byte) (aead cipher.AEAD, nonceKey []byte, err error) {
	if !k.Derived {
		aead, err = v.aead()
		return aead, nil, err
	}
	size := k.Type.size()
	if k.Convergent {
		if err := k.convergence(v); err != nil {
			return nil, nil, err
		}
		size += nonceKeySize
	}
	material, err := k.derive(v, context, size)
	if err != nil {
		return nil, nil, err
	}
	aead, err = newAEAD(k.Type, material[:k.Type.size()])
	return aead, material[k.Type.size():], err
}

// convergence refuses versions whose nonces were made in ways that are known to be weak.
func (k *key) convergence(v *version) error {
	way := k.ConvergentVersion
	if way == 0 {
		way = 1
	}
	if v.Convergent != 0 {
		way = v.Convergent
	}
	switch {
	case way == convergentVersion:
		return nil
	case way > 0 && way < convergentVersion:
		return logical.Invalid("refusing to support decryption with old convergent encryption key: version %d", way)
	}
	return fault("unhandled convergent version %d", way)
}

// derive makes size bytes of key material from a version and a context.
func (k *key) derive(v *version, context []byte, size int) ([]byte, error) {
	if len(context) == 0 {
		return nil, errNoContext
	}
	switch k.KDF {
	case kdfHKDF:
		return hkdf.Key(sha256.New, v.Key, nil, string(context), size)
	case kdfCounter:
		material := counterKDF(v.Key, context)
		if len(material) < size {
			return nil, fault("could not derive key, length too small")
		}
		return material[:size], nil
	}
	return nil, fault("unsupported key derivation mode")
}

// counterKDF is the KDF in counter mode of NIST SP 800-108 with HMAC-SHA256, for the 256 bits that one round gives: the
// counter, which starts at 0, the context, and the number of bits.
func counterKDF(key, context []byte) []byte {
	var number [4]byte
	mac := hmac.New(sha256.New, key)
	mac.Write(number[:])
	mac.Write(context)
	binary.BigEndian.PutUint32(number[:], 256)
	mac.Write(number[:])
	return mac.Sum(nil)
}

// deriveEd25519 makes the key pair of a context: the derived bytes are its seed.
func (k *key) deriveEd25519(v *version, context []byte) (ed25519.PrivateKey, error) {
	seed, err := k.derive(v, context, ed25519.SeedSize)
	if err != nil {
		return nil, fault("error deriving key: %s", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// publicOf returns the public key of a context, for readers of the key.
func (k *key) publicOf(v *version, context []byte) (ed25519.PublicKey, error) {
	private, err := k.deriveEd25519(v, context)
	if err != nil {
		return nil, err
	}
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("deriving a public key: %w", errDamaged)
	}
	return public, nil
}
