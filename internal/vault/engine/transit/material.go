package transit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// parsePrivate reads an asymmetric private key in PKCS #8. Besides what the standard library reads, it reads two forms that
// other programs write: Ed25519 as if it were an elliptic curve of ECDSA, and RSA under the identifier of RSA-PSS.
func parsePrivate(der []byte) (crypto.PrivateKey, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	switch {
	case err == nil:
		return private, nil
	case strings.Contains(err.Error(), "unknown elliptic curve"):
		if private, ok := parseEd25519AsEC(der); ok {
			return private, nil
		}
	case strings.Contains(err.Error(), oidRSAPSS().String()):
		if private, ok := parseRSAPSS(der); ok {
			return private, nil
		}
	}
	return nil, fault("error parsing asymmetric key: %s", err)
}

func oidRSAPSS() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10} }

// isEd25519 knows the identifier of RFC 8410 and that of the draft before it, which NSS writes.
func isEd25519(oid asn1.ObjectIdentifier) bool {
	return oid.Equal(asn1.ObjectIdentifier{1, 3, 101, 112}) || oid.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 15, 1})
}

// privateInfo is PrivateKeyInfo of RFC 5208.
type privateInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
}

// ecPrivate is the beginning of ECPrivateKey of RFC 5915.
type ecPrivate struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
}

func parseEd25519AsEC(der []byte) (ed25519.PrivateKey, bool) {
	var info privateInfo
	var curve asn1.ObjectIdentifier
	var inner ecPrivate
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, false
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &curve); err != nil || !isEd25519(curve) {
		return nil, false
	}
	if _, err := asn1.Unmarshal(info.PrivateKey, &inner); err != nil || len(inner.PrivateKey) != ed25519.SeedSize {
		return nil, false
	}
	return ed25519.NewKeyFromSeed(inner.PrivateKey), true
}

func parseRSAPSS(der []byte) (*rsa.PrivateKey, bool) {
	var info privateInfo
	if _, err := asn1.Unmarshal(der, &info); err != nil || !info.Algorithm.Algorithm.Equal(oidRSAPSS()) {
		return nil, false
	}
	private, err := x509.ParsePKCS1PrivateKey(info.PrivateKey)
	return private, err == nil
}

// parsePublic reads a public key in PEM.
func parsePublic(text string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fault("error parsing public key: not in PEM format")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fault("error parsing public key: %s", err)
	}
	return public, nil
}

// setSymmetric takes over imported key material of a cipher or of HMAC.
func (v *version) setSymmetric(k kind, material []byte) error {
	n := len(material)
	if k.symmetric() && n != k.size() || k == hmacKey && (n < minHMACKey || n > maxHMACKey) {
		return fault("invalid key size %d bytes for key type %s", n, k)
	}
	v.Key = material
	if k == hmacKey {
		v.HMACKey = material
	}
	return nil
}

// setAsymmetric takes over an imported key pair or public key of the type k.
func (v *version) setAsymmetric(k kind, imported any) error {
	wrong := fault("invalid key type: expected %s, got %T", k, imported)
	switch imported := imported.(type) {
	case *ecdsa.PrivateKey:
		if err := fitsCurve(k, &imported.PublicKey, wrong); err != nil {
			return err
		}
		return v.setEC(&imported.PublicKey, imported)
	case *ecdsa.PublicKey:
		if err := fitsCurve(k, imported, wrong); err != nil {
			return err
		}
		return v.setEC(imported, nil)
	case ed25519.PrivateKey:
		public, ok := imported.Public().(ed25519.PublicKey)
		if k != ed25519Key || !ok {
			return wrong
		}
		v.Key, v.Public = imported, base64.StdEncoding.EncodeToString(public)
	case ed25519.PublicKey:
		if k != ed25519Key {
			return wrong
		}
		v.Public = base64.StdEncoding.EncodeToString(imported)
	case *rsa.PrivateKey:
		if err := fitsModulus(k, &imported.PublicKey, wrong); err != nil {
			return err
		}
		v.RSA, v.RSAPublic = imported, &imported.PublicKey
	case *rsa.PublicKey:
		if err := fitsModulus(k, imported, wrong); err != nil {
			return err
		}
		v.RSAPublic = imported
	default:
		return wrong
	}
	return nil
}

func fitsCurve(k kind, public *ecdsa.PublicKey, wrong error) error {
	if !k.isECDSA() {
		return wrong
	}
	if public.Curve != k.curve() {
		return fault("invalid curve: expected %s, got %s", k.curve().Params().Name, public.Curve.Params().Name)
	}
	return nil
}

func fitsModulus(k kind, public *rsa.PublicKey, wrong error) error {
	if !k.isRSA() {
		return wrong
	}
	if public.Size() != k.size() {
		return fault("invalid key size: expected %d bytes, got %d bytes", k.size(), public.Size())
	}
	return nil
}

// matches reports whether a private key belongs to the version's public key.
func (v *version) matches(k kind, private crypto.PrivateKey) bool {
	public, err := v.buildPublic(k)
	if err != nil {
		return false
	}
	switch private := private.(type) {
	case *ecdsa.PrivateKey:
		return private.PublicKey.Equal(public)
	case *rsa.PrivateKey:
		return private.PublicKey.Equal(public)
	case ed25519.PrivateKey:
		mine, ok := private.Public().(ed25519.PublicKey)
		return ok && mine.Equal(public)
	}
	return false
}
