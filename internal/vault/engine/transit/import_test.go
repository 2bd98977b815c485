package transit_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit/internal/kwp"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// bearer wraps keys for a mount.
type bearer struct {
	m      *logicaltest.Mount
	public *rsa.PublicKey
}

func newBearer(t *testing.T) *bearer {
	t.Helper()
	m := logicaltest.New(t, transit.New(), nil)
	text := object(t, m, logical.Read, "wrapping_key", "")["public_key"].(string)
	if again := object(t, m, logical.Read, "wrapping_key", "")["public_key"]; again != text {
		t.Error("another wrapping key")
	}
	block, _ := pem.Decode([]byte(text))
	public := must[any](t)(x509.ParsePKIXPublicKey(block.Bytes)).(*rsa.PublicKey)
	if public.Size() != 512 {
		t.Errorf("wrapping key of %d bytes", public.Size())
	}
	return &bearer{m, public}
}

func (b *bearer) wrap(t *testing.T, raw []byte) string {
	t.Helper()
	ephemeral := make([]byte, 32)
	_, _ = rand.Read(ephemeral)
	head := must[[]byte](t)(rsa.EncryptOAEP(sha256.New(), rand.Reader, b.public, ephemeral, nil))
	return b64(append(head, must[[]byte](t)(kwp.Wrap(ephemeral, raw))...))
}

func (b *bearer) bring(t *testing.T, name, kind string, raw []byte, more string) {
	t.Helper()
	b.m.Must(t, logical.Update, "keys/"+name+"/import", fmt.Sprintf(`{"type":%q,"ciphertext":%q%s}`, kind, b.wrap(t, raw), more))
}

func TestImport(t *testing.T) {
	t.Parallel()
	b := newBearer(t)
	t.Run("AES-GCM vectors", b.vectors)
	t.Run("ours is theirs", b.encrypts)
	t.Run("asymmetric", b.asymmetric)
	t.Run("odd forms", b.oddForms)
	t.Run("refused", b.refused)
	t.Run("versions", b.versions)
	t.Run("public first", b.publicFirst)
	t.Run("hidden from names", func(t *testing.T) {
		b.m.Refused(t, logical.Read, "export/encryption-key/import/wrapping-key", "", 404, "")
		b.m.Refused(t, logical.Update, "derive-key/x", `{"base_key_name":"import/wrapping-key","peer_public_key":"x"}`, 400, "not found")
	})
}

// vectors decrypts Wycheproof's AES-256-GCM ciphertexts with keys that were imported.
func (b *bearer) vectors(t *testing.T) {
	var file struct {
		TestGroups []struct {
			Tests []struct {
				TcID                               int
				Key, IV, AAD, Msg, CT, Tag, Result string
			}
		}
	}
	raw := must[[]byte](t)(os.ReadFile("../../../crypt/testdata/wycheproof/aes_gcm_test.json"))
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	valid := 0
	for _, group := range file.TestGroups {
		for _, v := range group.Tests {
			name := fmt.Sprintf("v%d", v.TcID)
			b.bring(t, name, "aes256-gcm96", must[[]byte](t)(hex.DecodeString(v.Key)), "")
			body := fmt.Sprintf(`{"ciphertext":"vault:v1:%s","associated_data":%q}`,
				b64(must[[]byte](t)(hex.DecodeString(v.IV+v.CT+v.Tag))), b64(must[[]byte](t)(hex.DecodeString(v.AAD))))
			if v.Result == "valid" {
				valid++
				if got := object(t, b.m, logical.Update, "decrypt/"+name, body); got["plaintext"] != b64(must[[]byte](t)(hex.DecodeString(v.Msg))) {
					t.Errorf("%d: %v", v.TcID, got)
				}
			} else {
				b.m.Refused(t, logical.Update, "decrypt/"+name, body, 400, "message authentication failed")
			}
		}
	}
	if valid < 20 {
		t.Errorf("only %d valid vectors", valid)
	}
}

// encrypts opens with the standard library what an imported key encrypted.
func (b *bearer) encrypts(t *testing.T) {
	secret := bytes.Repeat([]byte{3}, 16)
	b.bring(t, "aes", "aes128-gcm96", secret, "")
	text := object(t, b.m, logical.Update, "encrypt/aes", `{"plaintext":"aGVsbG8=","associated_data":"YWQ="}`)["ciphertext"].(string)
	raw := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "vault:v1:")))
	gcm := must[cipher.AEAD](t)(cipher.NewGCM(must[cipher.Block](t)(aes.NewCipher(secret))))
	if got := must[[]byte](t)(gcm.Open(nil, raw[:12], raw[12:], []byte("ad"))); string(got) != "hello" {
		t.Errorf("decrypted to %d bytes", len(got))
	}
}

func (b *bearer) asymmetric(t *testing.T) {
	digest := sha256.Sum256([]byte("hello"))
	for kind, private := range map[string]crypto.Signer{
		"ecdsa-p256": must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ecdsa-p384": must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"ecdsa-p521": must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"rsa-2048":   must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048)),
		"ed25519":    ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, 32)),
	} {
		der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(private))
		b.bring(t, "a-"+kind, kind, der, `,"exportable":true`)
		text := object(t, b.m, logical.Update, "sign/a-"+kind, `{"input":"aGVsbG8="}`)["signature"].(string)
		sig := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "vault:v1:")))
		valid := false
		switch public := private.Public().(type) {
		case *ecdsa.PublicKey:
			valid = ecdsa.VerifyASN1(public, digest[:], sig)
		case ed25519.PublicKey:
			valid = ed25519.Verify(public, []byte("hello"), sig)
		case *rsa.PublicKey:
			valid = rsa.VerifyPSS(public, crypto.SHA256, digest[:], sig, nil) == nil
		}
		if !valid {
			t.Errorf("%s: the standard library refuses the signature", kind)
		}
		exported := object(t, b.m, logical.Read, "export/signing-key/a-"+kind+"/1", `{"format":"der"}`)["keys"].(map[string]any)["1"]
		if exported != b64(der) {
			t.Errorf("%s: exported as another key", kind)
		}
		public := object(t, b.m, logical.Read, "export/public-key/a-"+kind, `{"format":"der"}`)["keys"].(map[string]any)["1"]
		if public != b64(must[[]byte](t)(x509.MarshalPKIXPublicKey(private.Public()))) {
			t.Errorf("%s: exported another public key", kind)
		}
		for _, format := range []string{"", "pem"} {
			body := fmt.Sprintf(`{"format":%q}`, format)
			text := object(t, b.m, logical.Read, "export/signing-key/a-"+kind, body)["keys"].(map[string]any)["1"].(string)
			if !same(t, text, private) {
				t.Errorf("%s: format %q gives another key", kind, format)
			}
		}
	}
}

// same reports whether an exported text is the private key.
func same(t *testing.T, text string, private crypto.Signer) bool {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	var got any
	switch {
	case block == nil:
		got = ed25519.PrivateKey(must[[]byte](t)(base64.StdEncoding.DecodeString(text)))
	case block.Type == "EC PRIVATE KEY":
		got = must[*ecdsa.PrivateKey](t)(x509.ParseECPrivateKey(block.Bytes))
	case block.Type == "RSA PRIVATE KEY":
		got = must[*rsa.PrivateKey](t)(x509.ParsePKCS1PrivateKey(block.Bytes))
	default:
		got = must[any](t)(x509.ParsePKCS8PrivateKey(block.Bytes))
	}
	return private.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got)
}

// oddForms imports keys in forms of PKCS #8 that the standard library does not read.
func (b *bearer) oddForms(t *testing.T) {
	type info struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}
	private := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	pss := must[[]byte](t)(asn1.Marshal(info{0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}},
		x509.MarshalPKCS1PrivateKey(private)}))
	b.bring(t, "pss", "rsa-2048", pss, "")

	seed := bytes.Repeat([]byte{6}, 32)
	curve := must[[]byte](t)(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 15, 1}))
	inner := must[[]byte](t)(asn1.Marshal(struct {
		Version    int
		PrivateKey []byte
	}{1, seed}))
	ec := must[[]byte](t)(asn1.Marshal(info{0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1},
		Parameters: asn1.RawValue{FullBytes: curve}}, inner}))
	b.bring(t, "nss", "ed25519", ec, "")
	want := b64(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if got := object(t, b.m, logical.Read, "export/public-key/nss", "")["keys"].(map[string]any)["1"]; got != want {
		t.Errorf("public key %v", got)
	}
}

func (b *bearer) refused(t *testing.T) {
	good := b.wrap(t, make([]byte, 32))
	raw := must[[]byte](t)(base64.StdEncoding.DecodeString(good))
	changed := func(i int) string {
		c := bytes.Clone(raw)
		c[i] ^= 1
		return b64(c)
	}
	short := must[[]byte](t)(rsa.EncryptOAEP(sha256.New(), rand.Reader, b.public, make([]byte, 16), nil))
	for _, test := range []struct{ name, kind, ciphertext, text string }{
		{"damaged head", "aes256-gcm96", changed(5), "crypto/rsa: decryption error"},
		{"damaged tail", "aes256-gcm96", changed(len(raw) - 1), "wrapped key failed its integrity check"},
		{"cut off", "aes256-gcm96", b64(raw[:len(raw)-4]), "invalid size of wrapped key"},
		{"no tail", "aes256-gcm96", b64(raw[:512]), "provided ciphertext is too short"},
		{"AES-128 within", "aes256-gcm96", b64(append(short, raw[512:]...)), "expected ephemeral AES key to be 256-bit"},
		{"wrong size", "aes128-gcm96", good, "invalid key size 32 bytes for key type aes128-gcm96"},
		{"not PKCS #8", "ed25519", good, "error parsing asymmetric key"},
		{"HMAC too short", "hmac", b.wrap(t, make([]byte, 31)), "invalid key size 31 bytes for key type hmac"},
		{"HMAC too long", "hmac", b.wrap(t, make([]byte, 513)), "invalid key size 513 bytes for key type hmac"},
	} {
		b.m.Refused(t, logical.Update, "keys/refused/import", fmt.Sprintf(`{"type":%q,"ciphertext":%q}`, test.kind, test.ciphertext), 500, test.text)
	}
	b.m.Refused(t, logical.Update, "keys/refused/import", fmt.Sprintf(`{"ciphertext":%q,"hash_function":"SHA512"}`, good), 500, "decryption error")
	b.m.Refused(t, logical.Read, "keys/refused", "", 404, "")
}

func (b *bearer) versions(t *testing.T) {
	b.bring(t, "versions", "hmac", bytes.Repeat([]byte{1}, 40), `,"allow_rotation":true`)
	b.m.Must(t, logical.Update, "keys/versions/import_version", fmt.Sprintf(`{"ciphertext":%q}`, b.wrap(t, bytes.Repeat([]byte{2}, 40))))
	if got := object(t, b.m, logical.Read, "keys/versions", ""); got["latest_version"] != 2.0 || got["key_size"] != 40.0 {
		t.Error(got)
	}
	b.m.Refused(t, logical.Update, "keys/versions/import_version", fmt.Sprintf(`{"ciphertext":%q}`, b.wrap(t, make([]byte, 5))), 500, "invalid key size")
	b.m.Must(t, logical.Update, "keys/versions/rotate", "")
	b.m.Refused(t, logical.Update, "keys/versions/import_version", fmt.Sprintf(`{"ciphertext":%q}`, b.wrap(t, make([]byte, 40))), 500,
		"the import_version endpoint can only be used with an imported key")
}

// publicFirst imports a public key and then its private key, to the same version.
func (b *bearer) publicFirst(t *testing.T) {
	private := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	other := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	public := func(k *ecdsa.PrivateKey) string {
		der := must[[]byte](t)(x509.MarshalPKIXPublicKey(k.Public()))
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	wrapped := b.wrap(t, must[[]byte](t)(x509.MarshalPKCS8PrivateKey(private)))
	b.m.Must(t, logical.Update, "keys/pub/import", fmt.Sprintf(`{"type":"ecdsa-p256","public_key":%q}`, public(private)))
	b.m.Refused(t, logical.Update, "keys/pub/import_version", fmt.Sprintf(`{"version":1,"public_key":%q}`, public(private)), 500,
		"cannot add a public key to a key version that already has a public key set")
	b.m.Refused(t, logical.Update, "keys/pub/import_version",
		fmt.Sprintf(`{"version":1,"ciphertext":%q}`, b.wrap(t, must[[]byte](t)(x509.MarshalPKCS8PrivateKey(other)))), 500,
		"cannot import key, key pair does not match")
	b.m.Refused(t, logical.Update, "keys/pub/import_version", fmt.Sprintf(`{"version":2,"ciphertext":%q}`, wrapped), 500, "no such key version")
	b.m.Refused(t, logical.Update, "sign/pub", `{"input":""}`, 500, "does not contain a private part")
	b.m.Must(t, logical.Update, "keys/pub/import_version", fmt.Sprintf(`{"ciphertext":%q}`, wrapped))
	b.m.Must(t, logical.Update, "sign/pub", `{"input":""}`)
	if got := object(t, b.m, logical.Read, "keys/pub", ""); got["latest_version"] != 1.0 {
		t.Errorf("latest version %v", got["latest_version"])
	}
	b.m.Refused(t, logical.Update, "keys/pub/import_version", fmt.Sprintf(`{"version":1,"ciphertext":%q}`, wrapped), 500,
		"private key imported, key version cannot be updated")
	b.m.Must(t, logical.Update, "keys/pub/import_version", fmt.Sprintf(`{"public_key":%q}`, public(other)))
	if got := object(t, b.m, logical.Read, "keys/pub", ""); got["latest_version"] != 2.0 {
		t.Errorf("latest version %v", got["latest_version"])
	}
}
