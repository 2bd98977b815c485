package placeholder

import (
	"crypto/rand"
	"encoding/base64"
)

const (
	digits   = "0123456789"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	base62   = digits + upper + lower // in the order of the checksums below
	hexLower = digits + "abcdef"
	hexUpper = digits + "ABCDEF"
	base32   = upper + "234567"
)

// minRandom is the fewest random letters of a placeholder: it must be found in any text without a doubt.
const minRandom = 16

// random returns n letters of an alphabet of at most 256, each as likely as any other.
func random(alphabet string, n int) []byte {
	out := make([]byte, 0, n)
	limit := 256 - 256%len(alphabet)
	buf := make([]byte, n+n/2+8)
	for {
		_, _ = rand.Read(buf) // never fails
		for _, b := range buf {
			if len(out) == n {
				return out
			}
			if int(b) < limit {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
