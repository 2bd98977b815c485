package transit

import "crypto/elliptic"

// kind is the type of a named key. The numbers are those of stored keys and of backups, which are interchangeable with
// OpenBao's.
type kind int

const (
	aes256 kind = iota
	ecdsaP256
	ed25519Key
	rsa2048
	rsa4096
	chacha20
	ecdsaP384
	ecdsaP521
	aes128
	rsa3072
	hmacKey
	xchacha20
	kinds // how many there are
)

// Limits of the size of an HMAC key, in bytes.
const (
	minHMACKey = 32
	maxHMACKey = 512
)

// String returns the name of the type in the API.
func (k kind) String() string {
	switch k {
	case aes128:
		return "aes128-gcm96"
	case aes256:
		return "aes256-gcm96"
	case chacha20:
		return "chacha20-poly1305"
	case xchacha20:
		return "xchacha20-poly1305"
	case ecdsaP256:
		return "ecdsa-p256"
	case ecdsaP384:
		return "ecdsa-p384"
	case ecdsaP521:
		return "ecdsa-p521"
	case ed25519Key:
		return "ed25519"
	case rsa2048:
		return "rsa-2048"
	case rsa3072:
		return "rsa-3072"
	case rsa4096:
		return "rsa-4096"
	case hmacKey:
		return "hmac"
	}
	return "[unknown]"
}

// kindNamed finds a type by its name in the API.
func kindNamed(name string) (kind, bool) {
	for k := range kinds {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

// symmetric says that the key is one of an AEAD cipher.
func (k kind) symmetric() bool { return k == aes128 || k == aes256 || k == chacha20 || k == xchacha20 }
func (k kind) isECDSA() bool   { return k == ecdsaP256 || k == ecdsaP384 || k == ecdsaP521 }
func (k kind) isRSA() bool     { return k == rsa2048 || k == rsa3072 || k == rsa4096 }
func (k kind) encrypts() bool  { return k.symmetric() || k.isRSA() }
func (k kind) signs() bool     { return k.isECDSA() || k.isRSA() || k == ed25519Key }
func (k kind) derives() bool   { return k.symmetric() || k == ed25519Key }

// hashes says that what is signed is the hash of the input; Ed25519 hashes on its own.
func (k kind) hashes() bool { return k.isECDSA() || k.isRSA() }

// size is the length of a symmetric key in bytes, or of an RSA modulus; 0 for others.
func (k kind) size() int {
	switch k {
	case aes128:
		return 16
	case aes256, chacha20, xchacha20:
		return 32
	case rsa2048:
		return 256
	case rsa3072:
		return 384
	case rsa4096:
		return 512
	}
	return 0
}

func (k kind) nonceSize() int {
	if k == xchacha20 {
		return 24
	}
	return 12
}

// curve is that of an ECDSA type, nil for others.
func (k kind) curve() elliptic.Curve {
	switch k {
	case ecdsaP256:
		return elliptic.P256()
	case ecdsaP384:
		return elliptic.P384()
	case ecdsaP521:
		return elliptic.P521()
	}
	return nil
}
