package idtoken

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for the hashes below
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
)

// algorithms are those of RFC 7518 and RFC 8037 that tokens are signed with.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"}
}

const rsaBits = 2048

func generate(algorithm string) (private, public []byte, err error) {
	var key crypto.Signer
	switch algorithm[:2] {
	case "RS":
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case "ES":
		key, err = ecdsa.GenerateKey(curveOf(algorithm), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, nil, err
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, nil, err
	}
	public, err = x509.MarshalPKIXPublicKey(key.Public())
	return private, public, err
}

func curveOf(algorithm string) elliptic.Curve {
	switch algorithm {
	case "ES384":
		return elliptic.P384()
	case "ES512":
		return elliptic.P521()
	}
	return elliptic.P256()
}

func hashOf(algorithm string) crypto.Hash {
	switch algorithm[2:] {
	case "384":
		return crypto.SHA384
	case "512":
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digest(algorithm string, signed []byte) []byte {
	h := hashOf(algorithm).New()
	h.Write(signed)
	return h.Sum(nil)
}

var encoding = base64.RawURLEncoding.Strict()

// header is the protected header of a token, by RFC 7515.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
}

// sign makes a token of its claims, in the compact form of RFC 7515.
func (p *Pair) sign(claims []byte) (string, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(p.Private)
	if err != nil {
		return "", err
	}
	head, err := json.Marshal(header{p.Algorithm, p.ID})
	if err != nil {
		return "", err
	}
	signed := encoding.EncodeToString(head) + "." + encoding.EncodeToString(claims)
	var signature []byte
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, hashOf(p.Algorithm), digest(p.Algorithm, []byte(signed)))
	case *ecdsa.PrivateKey:
		signature, err = signECDSA(key, digest(p.Algorithm, []byte(signed)))
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(signed))
	default:
		err = errors.New("the signing key is of an unknown type")
	}
	return signed + "." + encoding.EncodeToString(signature), err
}

// signECDSA makes the two numbers of a signature, each as long as the curve's order, one after the other: RFC 7518, 3.4.
func signECDSA(key *ecdsa.PrivateKey, sum []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		return nil, err
	}
	n := (key.Params().BitSize + 7) / 8
	out := make([]byte, 2*n)
	r.FillBytes(out[:n])
	s.FillBytes(out[n:])
	return out, nil
}

// verify reports whether a signature is the pair's.
func (p *Pair) verify(signed, signature []byte) bool {
	parsed, err := x509.ParsePKIXPublicKey(p.Public)
	if err != nil {
		return false
	}
	switch key := parsed.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, hashOf(p.Algorithm), digest(p.Algorithm, signed), signature) == nil
	case *ecdsa.PublicKey:
		n := (key.Params().BitSize + 7) / 8
		if len(signature) != 2*n {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
		return ecdsa.Verify(key, digest(p.Algorithm, signed), r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(key, signed, signature)
	}
	return false
}

var errForm = errors.New("compact JWS format must have three parts, each of them base64url")

// split takes a token apart, without judging it.
func split(token string) (head header, claims, signed, signature []byte, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return head, nil, nil, nil, errForm
	}
	raw, err := encoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &head) != nil {
		return head, nil, nil, nil, errForm
	}
	if claims, err = encoding.DecodeString(parts[1]); err != nil {
		return head, nil, nil, nil, errForm
	}
	if signature, err = encoding.DecodeString(parts[2]); err != nil {
		return head, nil, nil, nil, errForm
	}
	return head, claims, []byte(parts[0] + "." + parts[1]), signature, nil
}

// jwk is a public key as RFC 7517 writes it.
type jwk struct {
	Use       string `json:"use"`
	Type      string `json:"kty"`
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
}

func (p *Pair) jwk() (jwk, error) {
	out := jwk{Use: "sig", KeyID: p.ID, Algorithm: p.Algorithm}
	parsed, err := x509.ParsePKIXPublicKey(p.Public)
	if err != nil {
		return out, err
	}
	switch key := parsed.(type) {
	case *rsa.PublicKey:
		out.Type, out.N = "RSA", encoding.EncodeToString(key.N.Bytes())
		out.E = encoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, X, Y
		if err != nil {
			return out, err
		}
		n := (len(point) - 1) / 2
		out.Type, out.Curve = "EC", key.Params().Name
		out.X, out.Y = encoding.EncodeToString(point[1:1+n]), encoding.EncodeToString(point[1+n:])
	case ed25519.PublicKey:
		out.Type, out.Curve, out.X = "OKP", "Ed25519", encoding.EncodeToString(key)
	default:
		return out, errors.New("the public key is of an unknown type")
	}
	return out, nil
}
