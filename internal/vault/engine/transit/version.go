package transit

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// version is one version of a key. Which members are set depends on the type of the key.
type version struct {
	Key          []byte          `json:"key"`      // of ciphers, HMAC and Ed25519 (64 bytes: seed and public key)
	HMACKey      []byte          `json:"hmac_key"` // every version can make HMACs
	Time         time.Time       `json:"time"`
	X            *big.Int        `json:"ec_x"`
	Y            *big.Int        `json:"ec_y"`
	D            *big.Int        `json:"ec_d"`
	RSA          *rsa.PrivateKey `json:"rsa_key"`
	RSAPublic    *rsa.PublicKey  `json:"rsa_public_key"`
	Public       string          `json:"public_key"` // PEM of ECDSA, base64 of Ed25519, empty for RSA
	Convergent   int             `json:"convergent_version"`
	Created      int64           `json:"creation_time"`     // Time in seconds
	Certificates [][]byte        `json:"certificate_chain"` // DER, the leaf first

	// Built on first use and then shared: they are safe for concurrent use.
	aead    func() (cipher.AEAD, error)
	private func() (crypto.Signer, error)
	public  func() (crypto.PublicKey, error)
}

var (
	errNoPrivate = errors.New("key version has no private key")
	errDamaged   = errors.New("key version is damaged")
)

func (v *version) prepare(k kind) {
	switch {
	case k.symmetric():
		v.aead = sync.OnceValues(func() (cipher.AEAD, error) { return newAEAD(k, v.Key) })
	case k.signs():
		v.private = sync.OnceValues(func() (crypto.Signer, error) { return v.buildPrivate(k) })
		v.public = sync.OnceValues(func() (crypto.PublicKey, error) { return v.buildPublic(k) })
	}
}

func newAEAD(k kind, key []byte) (cipher.AEAD, error) {
	if len(key) != k.size() {
		return nil, errDamaged
	}
	switch k {
	case chacha20:
		return chacha20poly1305.New(key)
	case xchacha20:
		return chacha20poly1305.NewX(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// lacksPrivate says that only the public key was imported.
func (v *version) lacksPrivate() bool { return v.RSA == nil && v.D == nil && len(v.Key) == 0 }

func (v *version) buildPrivate(k kind) (crypto.Signer, error) {
	switch {
	case v.lacksPrivate():
		return nil, errNoPrivate
	case k.isECDSA():
		return v.ecPrivate(k)
	case k.isRSA():
		return v.rsaPrivate(k)
	}
	if len(v.Key) != ed25519.PrivateKeySize {
		return nil, errDamaged
	}
	return ed25519.PrivateKey(v.Key), nil
}

func (v *version) ecPrivate(k kind) (crypto.Signer, error) {
	size := (k.curve().Params().BitSize + 7) / 8
	if v.D == nil || v.D.Sign() <= 0 || v.D.BitLen() > size*8 {
		return nil, errDamaged
	}
	private, err := ecdsa.ParseRawPrivateKey(k.curve(), v.D.FillBytes(make([]byte, size)))
	if err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	if public, err := v.ecPublic(k); err != nil || !private.PublicKey.Equal(public) {
		return nil, errDamaged
	}
	return private, nil
}

// rsaPrivate makes a key of its numbers only, with what speeds it up computed afresh.
func (v *version) rsaPrivate(k kind) (crypto.Signer, error) {
	if v.RSA == nil || v.RSA.N == nil || v.RSA.N.BitLen() != k.size()*8 {
		return nil, errDamaged
	}
	private := &rsa.PrivateKey{PublicKey: v.RSA.PublicKey, D: v.RSA.D, Primes: v.RSA.Primes}
	for _, p := range append([]*big.Int{private.D}, private.Primes...) {
		if p == nil || p.Sign() <= 0 || p.BitLen() > private.N.BitLen() { // larger ones would take long to be found wrong
			return nil, errDamaged
		}
	}
	private.Precompute()
	if err := private.Validate(); err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	return private, nil
}

func (v *version) buildPublic(k kind) (crypto.PublicKey, error) {
	switch {
	case k.isECDSA():
		return v.ecPublic(k)
	case k.isRSA():
		public := v.RSAPublic
		if v.RSA != nil {
			public = &v.RSA.PublicKey
		}
		if public == nil || public.N == nil || public.N.BitLen() != k.size()*8 || public.E < 3 || public.E&1 == 0 {
			return nil, errDamaged
		}
		return public, nil
	}
	raw, err := base64.StdEncoding.DecodeString(v.Public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errDamaged
	}
	return ed25519.PublicKey(raw), nil
}

func (v *version) ecPublic(k kind) (*ecdsa.PublicKey, error) {
	size := (k.curve().Params().BitSize + 7) / 8
	if v.X == nil || v.Y == nil || v.X.Sign() < 0 || v.Y.Sign() < 0 || v.X.BitLen() > size*8 || v.Y.BitLen() > size*8 {
		return nil, errDamaged
	}
	point := make([]byte, 1+2*size) // SEC 1, section 2.3.3: 4 | X | Y
	point[0] = 4
	v.X.FillBytes(point[1 : 1+size])
	v.Y.FillBytes(point[1+size:])
	return ecdsa.ParseUncompressedPublicKey(k.curve(), point)
}

// setEC takes over a public ECDSA key and, unless private is nil, its private key.
func (v *version) setEC(public *ecdsa.PublicKey, private *ecdsa.PrivateKey) error {
	point, err := public.Bytes()
	if err != nil {
		return err
	}
	half := len(point) / 2
	v.X, v.Y = new(big.Int).SetBytes(point[1:1+half]), new(big.Int).SetBytes(point[1+half:])
	if private != nil {
		d, err := private.Bytes()
		if err != nil {
			return err
		}
		v.D = new(big.Int).SetBytes(d)
	}
	v.Public, err = publicPEM(public)
	return err
}

// publicPEM is a public key as SubjectPublicKeyInfo in PEM, with a newline at the end.
func publicPEM(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
