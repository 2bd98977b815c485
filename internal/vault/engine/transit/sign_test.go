package transit_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// TestJWS signs until numbers with leading zeros must have come up.
func TestJWS(t *testing.T) {
	t.Parallel()
	m := newCached(t)
	for kind, size := range map[string]int{"ecdsa-p256": 64, "ecdsa-p521": 132} {
		m.Must(t, logical.Update, "keys/"+kind, fmt.Sprintf(`{"type":%q}`, kind))
		for range 1000 {
			text := object(t, m, logical.Update, "sign/"+kind, `{"input":"aGk=","marshaling_algorithm":"jws"}`)["signature"].(string)
			raw := must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "vault:v1:")))
			if len(raw) != size {
				t.Fatalf("%s: %d bytes", kind, len(raw))
			}
			body := fmt.Sprintf(`{"input":"aGk=","marshaling_algorithm":"jws","signature":%q}`, text)
			if got := object(t, m, logical.Update, "verify/"+kind, body); got["valid"] != true {
				t.Fatalf("%s: refuses its own signature", kind)
			}
			if kind == "ecdsa-p521" { // half of them have one
				break
			}
		}
	}
}

// TestVerify_Malformed changes the form of a good signature.
func TestVerify_Malformed(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "keys/p", `{"type":"ecdsa-p256"}`)
	text := object(t, m, logical.Update, "sign/p", `{"input":"aGk="}`)["signature"].(string)
	raw := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "vault:v1:")))
	body := func(raw []byte) string { return fmt.Sprintf(`{"input":"aGk=","signature":"vault:v1:%s"}`, b64(raw)) }
	m.Refused(t, logical.Update, "verify/p", body(append(raw[:len(raw):len(raw)], 0)), 400, "supplied signature contains extra data")
	m.Refused(t, logical.Update, "verify/p", body(raw[:len(raw)-1]), 400, "supplied signature is invalid")
	m.Refused(t, logical.Update, "verify/p", body(nil), 400, "supplied signature is invalid")
	for _, size := range []int{0, 1, 63, 65, 66, 64} {
		jws := fmt.Sprintf(`{"input":"aGk=","marshaling_algorithm":"jws","signature":"vault:v1:%s"}`,
			base64.RawURLEncoding.EncodeToString(make([]byte, size)))
		if got := object(t, m, logical.Update, "verify/p", jws); got["valid"] != false {
			t.Errorf("zeros of %d bytes are valid", size)
		}
	}
}

// TestAgree computes what the other side does.
func TestAgree(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	text := object(t, m, logical.Update, "keys/mine", `{"type":"ecdsa-p384"}`)["keys"].(map[string]any)["1"].(map[string]any)["public_key"].(string)
	block, _ := pem.Decode([]byte(text))
	mine := must[any](t)(x509.ParsePKIXPublicKey(block.Bytes)).(*ecdsa.PublicKey)
	theirs := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	der := must[[]byte](t)(x509.MarshalPKIXPublicKey(theirs.Public()))
	peer := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	m.Must(t, logical.Update, "derive-key/both", fmt.Sprintf(`{"base_key_name":"mine","peer_public_key":%q,"derived_key_type":"aes128-gcm96"}`, peer))

	private, err := theirs.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	public, err := mine.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	secret := must[[]byte](t)(hkdf.Key(sha256.New, must[[]byte](t)(private.ECDH(public)), nil, "", 16))
	sealed := object(t, m, logical.Update, "encrypt/both", `{"plaintext":"aGk="}`)["ciphertext"].(string)
	raw := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, "vault:v1:")))
	gcm := must[cipher.AEAD](t)(cipher.NewGCM(must[cipher.Block](t)(aes.NewCipher(secret))))
	if got, err := gcm.Open(nil, raw[:12], raw[12:], nil); err != nil || string(got) != "hi" {
		t.Errorf("the other side does not decrypt: %v", err)
	}
	m.Refused(t, logical.Update, "derive-key/both", fmt.Sprintf(`{"base_key_name":"mine","peer_public_key":%q,"derived_key_type":"chacha20-poly1305"}`, peer),
		500, "exists")
	m.Must(t, logical.Update, "derive-key/both", fmt.Sprintf(`{"base_key_name":"mine","peer_public_key":%q,"derived_key_type":"aes128-gcm96"}`, peer))
	if n := latest(t, m, "both"); n != 2.0 {
		t.Errorf("latest version %v", n)
	}
}
