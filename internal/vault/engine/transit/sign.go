package transit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// manner is how to sign.
type manner struct {
	hash   crypto.Hash // of the input; 0: none, for PKCS #1 v1.5
	jws    bool        // signatures as in JWS: R | S, and base64url without padding
	salt   int         // of PSS, as package rsa has it
	scheme string      // of RSA: "pss", "" meaning that too, or "pkcs1v15"
}

// signature is what signing gives.
type signature struct {
	text    string
	version int
	public  ed25519.PublicKey // of derived keys
}

// point is an ECDSA signature, in ASN.1 a sequence of two numbers.
type point struct{ R, S *big.Int }

func (m manner) encoding() *base64.Encoding {
	if m.jws {
		return base64.RawURLEncoding
	}
	return base64.StdEncoding
}

// sign signs input, which is a hash unless the key is of Ed25519, with the version of this number, 0 being the latest.
func (k *key) sign(number int, context, input []byte, m manner) (*signature, error) {
	if k.SoftDeleted {
		return nil, errSoftDeleted
	}
	v, number, err := k.forNew(number, "signing")
	if err != nil {
		return nil, err
	}
	if v.lacksPrivate() {
		return nil, logical.Invalid("requested version for signing does not contain a private part")
	}
	out := &signature{version: number}
	private, err := v.private()
	if err == nil && k.Derived {
		private, out.public, err = k.signerOf(v, context)
	}
	if err != nil {
		return nil, err
	}
	var raw []byte
	switch private := private.(type) {
	case *ecdsa.PrivateKey:
		raw, err = signECDSA(private, input, m)
	case ed25519.PrivateKey:
		raw = ed25519.Sign(private, input)
	case *rsa.PrivateKey:
		raw, err = signRSA(private, input, m)
	default:
		err = errDamaged
	}
	if err != nil {
		return nil, err
	}
	out.text = string(appendPrefix(nil, number)) + m.encoding().EncodeToString(raw)
	return out, nil
}

func (k *key) signerOf(v *version, context []byte) (crypto.Signer, ed25519.PublicKey, error) {
	private, err := k.deriveEd25519(v, context)
	if err != nil {
		return nil, nil, err
	}
	public, err := k.publicOf(v, context)
	return private, public, err
}

func signECDSA(private *ecdsa.PrivateKey, input []byte, m manner) ([]byte, error) {
	der, err := ecdsa.SignASN1(rand.Reader, private, input)
	if err != nil || !m.jws {
		return der, err
	}
	var p point
	if _, err := asn1.Unmarshal(der, &p); err != nil {
		return nil, err
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	p.R.FillBytes(raw[:size])
	p.S.FillBytes(raw[size:])
	return raw, nil
}

func signRSA(private *rsa.PrivateKey, input []byte, m manner) ([]byte, error) {
	var raw []byte
	var err error
	switch m.scheme {
	case "", "pss":
		if err := m.checkSalt(&private.PublicKey); err != nil {
			return nil, err
		}
		raw, err = rsa.SignPSS(rand.Reader, private, m.hash, input, &rsa.PSSOptions{SaltLength: m.salt})
	case "pkcs1v15":
		raw, err = rsa.SignPKCS1v15(nil, private, m.hash, input)
	default:
		return nil, fault("unsupported rsa signature algorithm %s", m.scheme)
	}
	if err != nil {
		return nil, fault("%s", err)
	}
	return raw, nil
}

// checkSalt refuses lengths of the salt for which the key has no room.
func (m manner) checkSalt(public *rsa.PublicKey) error {
	most := (public.N.BitLen()-1+7)/8 - 2 - m.hash.Size()
	if m.salt < rsa.PSSSaltLengthEqualsHash || m.salt > most {
		return logical.Invalid("requested salt length %d is invalid", m.salt)
	}
	return nil
}

// verify reports whether text is a signature of input.
func (k *key) verify(context, input []byte, text string, m manner) (bool, error) {
	if k.SoftDeleted {
		return false, errSoftDeleted
	}
	number, encoded, bad := parseEnvelope(text)
	if bad == noDefect && number > k.LatestVersion {
		bad = tooNew
	}
	if bad != noDefect {
		return false, logical.Invalid("invalid signature: %s", bad)
	}
	if number < k.MinDecryptionVersion {
		return false, errTooOld
	}
	raw, err := m.encoding().DecodeString(encoded)
	if err != nil {
		return false, logical.Invalid("invalid base64 signature value")
	}
	v, err := k.version(number)
	if err != nil {
		return false, err
	}
	public, err := k.verifier(v, context)
	if err != nil {
		return false, err
	}
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		return verifyECDSA(public, input, raw, m)
	case ed25519.PublicKey:
		return ed25519.Verify(public, input, raw), nil
	case *rsa.PublicKey:
		return verifyRSA(public, input, raw, m)
	}
	return false, errDamaged
}

func (k *key) verifier(v *version, context []byte) (crypto.PublicKey, error) {
	if k.Derived {
		return k.publicOf(v, context)
	}
	return v.public()
}

func verifyECDSA(public *ecdsa.PublicKey, input, raw []byte, m manner) (bool, error) {
	var p point
	if m.jws {
		size := (public.Curve.Params().BitSize + 7) / 8
		if len(raw) != 2*size {
			return false, nil
		}
		p.R, p.S = new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])
	} else {
		rest, err := asn1.Unmarshal(raw, &p)
		if err != nil {
			return false, logical.Invalid("supplied signature is invalid")
		}
		if len(rest) != 0 {
			return false, logical.Invalid("supplied signature contains extra data")
		}
	}
	return ecdsa.Verify(public, input, p.R, p.S), nil
}

func verifyRSA(public *rsa.PublicKey, input, raw []byte, m manner) (bool, error) {
	switch m.scheme {
	case "", "pss":
		if err := m.checkSalt(public); err != nil {
			return false, err
		}
		return rsa.VerifyPSS(public, m.hash, input, raw, &rsa.PSSOptions{SaltLength: m.salt}) == nil, nil
	case "pkcs1v15":
		return rsa.VerifyPKCS1v15(public, m.hash, input, raw) == nil, nil
	}
	return false, fault("unsupported rsa signature algorithm %s", m.scheme)
}
