package vault

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// generate says how ZVault is to make a value.
type generate struct {
	Kind     string `json:"kind,omitempty" jsonschema:"password (the default), hex, base64, uuid, ed25519 or ecdsa-p256 (private keys, PEM)"`
	Length   int    `json:"length,omitempty" jsonschema:"of a password: characters, 32 if left out; of hex and base64: random bytes, 32 if left out"`
	Alphabet string `json:"alphabet,omitempty" jsonschema:"the characters of a password; letters and digits if left out"`
}

const (
	letters   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	minLength = 16
	maxLength = 4096
)

// value makes one.
func (g generate) value() (secret.Value, error) {
	if g.Length == 0 {
		g.Length = 32
	}
	if g.Length < minLength || g.Length > maxLength {
		return secret.Value{}, tool.Invalid("length is %d; it can be %d to %d", g.Length, minLength, maxLength)
	}
	if g.Alphabet != "" && g.Kind != "" && g.Kind != "password" {
		return secret.Value{}, tool.Invalid("an alphabet goes with kind password, not %q", g.Kind)
	}
	switch g.Kind {
	case "", "password":
		return g.password()
	case "hex":
		return secret.Of(hex.EncodeToString(random(g.Length))), nil
	case "base64":
		return secret.Of(base64.StdEncoding.EncodeToString(random(g.Length))), nil
	case "uuid":
		return secret.Of(uuid.NewString()), nil
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return secret.Value{}, err
		}
		return private(key)
	case "ecdsa-p256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return secret.Value{}, err
		}
		return private(key)
	}
	return secret.Value{}, tool.Invalid("there is no kind %q; there are password, hex, base64, uuid, ed25519, ecdsa-p256", g.Kind)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails; see crypto/rand
	return b
}

// password draws each character evenly from the alphabet.
func (g generate) password() (secret.Value, error) {
	alphabet := []rune(g.Alphabet)
	if g.Alphabet == "" {
		alphabet = []rune(letters)
	}
	seen := map[rune]bool{}
	for _, r := range alphabet {
		if seen[r] || r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return secret.Value{}, tool.Invalid("the alphabet holds a character twice, or one that cannot be printed")
		}
		seen[r] = true
	}
	if len(alphabet) < 10 {
		return secret.Value{}, tool.Invalid("the alphabet has %d characters; a value of so few can be guessed, take at least 10", len(alphabet))
	}
	out := make([]rune, g.Length)
	most := big.NewInt(int64(len(alphabet)))
	for i := range out {
		n, err := rand.Int(rand.Reader, most)
		if err != nil {
			return secret.Value{}, err
		}
		out[i] = alphabet[n.Int64()]
	}
	return secret.Of(string(out)), nil
}

// private encodes a key as PKCS #8 (RFC 5208) in PEM.
func private(key any) (secret.Value, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return secret.Value{}, err
	}
	return secret.New(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
