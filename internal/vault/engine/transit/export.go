package transit

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func exportRoute() *logical.Route {
	return &logical.Route{
		Pattern: "export/:type/:name/*version",
		Fields: []logical.Field{
			nameField,
			{Name: "type", Type: logical.String, Help: "encryption-key, signing-key, hmac-key, public-key or certificate-chain."},
			{Name: "version", Type: logical.String, Help: "A version or latest; all if left out."},
			{Name: "format", Type: logical.String, Help: "raw, der or pem; the usual of the type if left out."},
		},
		Ops:         map[logical.Operation]logical.Handler{logical.Read: exportKey},
		Synopsis:    "Export a key",
		Description: "Private keys leave only if the key is exportable.",
	}
}

func exportKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	what, format := r.Params.Get("type"), r.Data.String("format")
	switch what {
	case "encryption-key", "signing-key", "hmac-key", "public-key", "certificate-chain":
	default:
		return nil, logical.Invalid("invalid export type: %s", what)
	}
	switch format {
	case "", "raw", "der", "pem":
	default:
		return nil, logical.Invalid("invalid format: %s", format)
	}
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, logical.ErrNotFound
	}
	switch {
	case !k.Exportable && what != "public-key" && what != "certificate-chain":
		return nil, logical.Invalid("private key material is not exportable")
	case k.SoftDeleted:
		return nil, fault("%s", errSoftDeleted.Error())
	case what == "encryption-key" && !k.Type.encrypts():
		return nil, logical.Invalid("encryption not supported for the key")
	case what == "signing-key" && !k.Type.signs():
		return nil, logical.Invalid("signing not supported for the key")
	case what == "certificate-chain" && !k.Type.signs():
		return nil, logical.Invalid("certificate chain not supported for keys that do not support signing")
	}
	return k.eachVersion(r.Params.Get("version"), func(v *version) (string, error) { return k.export(v, what, format) })
}

// eachVersion answers with what fn makes of one version, or of all if which is empty.
func (k *key) eachVersion(which string, fn func(*version) (string, error)) (*logical.Response, error) {
	chosen := k.Versions
	if which != "" {
		number := k.LatestVersion
		if which != "latest" {
			var err error
			if number, err = strconv.Atoi(strings.TrimPrefix(which, "v")); err != nil {
				return nil, logical.Invalid("invalid key version")
			}
		}
		if number < k.MinDecryptionVersion {
			return nil, logical.Invalid("version for export is below minimum decryption version")
		}
		v := k.Versions[number]
		if v == nil {
			return nil, logical.Invalid("version does not exist or cannot be found")
		}
		chosen = map[int]*version{number: v}
	}
	keys := make(map[string]any, len(chosen))
	for number, v := range chosen {
		text, err := fn(v)
		if err != nil {
			return nil, err
		}
		keys[strconv.Itoa(number)] = text
	}
	return &logical.Response{Data: map[string]any{"name": k.Name, "type": k.Type.String(), "keys": keys}}, nil
}

// export writes one version as text.
func (k *key) export(v *version, what, format string) (string, error) {
	coded := format == "der" || format == "pem"
	switch {
	case what == "certificate-chain":
		if len(v.Certificates) == 0 {
			return "", fault("selected key version does not have a certificate chain imported")
		}
		return v.chainPEM(), nil
	case what == "hmac-key" || what == "encryption-key" && k.Type.symmetric():
		if coded {
			return "", fault("unknown format for HMAC key; supported values are `` or `raw`")
		}
		secret := v.HMACKey
		if what == "encryption-key" || k.Type == hmacKey {
			secret = v.Key
		}
		return base64.StdEncoding.EncodeToString(secret), nil
	case !k.Type.signs():
		return "", fault("unknown key type %v for export type %v", k.Type, what)
	case k.Type != ed25519Key && format == "raw":
		family := "rsa"
		if k.Type.isECDSA() {
			family = "ec"
		}
		return "", fault("unknown key format for %s key; supported values are ``, `der`, or `pem`", family)
	case what == "public-key":
		return k.exportPublic(v, format)
	}
	return exportPrivate(v, format)
}

func (k *key) exportPublic(v *version, format string) (string, error) {
	if k.Type == ed25519Key && format != "der" && format != "pem" {
		return v.Public, nil
	}
	public, err := v.public()
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	return encodeDER(public, format, "PUBLIC KEY", der), nil
}

// exportPrivate writes a private key: in the form of its own family, or in PKCS #8. It is empty if there is none.
func exportPrivate(v *version, format string) (string, error) {
	if v.lacksPrivate() {
		return "", nil
	}
	private, err := v.private()
	if err != nil {
		return "", err
	}
	if format == "der" || format == "pem" {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return "", err
		}
		return encodeDER(private.Public(), format, "PRIVATE KEY", der), nil
	}
	switch private := private.(type) {
	case *rsa.PrivateKey:
		return encodeDER(private.Public(), format, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(private)
		return encodeDER(private.Public(), format, "EC PRIVATE KEY", der), err
	case ed25519.PrivateKey:
		return base64.StdEncoding.EncodeToString(private), nil
	}
	return "", errDamaged
}

// encodeDER writes an object in base64 for the format "der", else in PEM, which ends in a newline for RSA only.
func encodeDER(public crypto.PublicKey, format, label string, der []byte) string {
	if format == "der" {
		return base64.StdEncoding.EncodeToString(der)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	if _, ok := public.(*rsa.PublicKey); ok {
		return text
	}
	return strings.TrimSpace(text)
}
