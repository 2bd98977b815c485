package shamir_test

import (
	"bufio"
	"encoding/hex"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

// The products are the examples of FIPS 197, section 4.2.
func TestField_Examples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want byte }{
		{0x57, 0x83, 0xc1}, {0x57, 0x13, 0xfe}, {0x57, 0x02, 0xae}, {0x57, 0x04, 0x47}, {0x57, 0x08, 0x8e}, {0x57, 0x10, 0x07}, {0, 7, 0},
	} {
		if got := shamir.MulForTest(c.a, c.b); got != c.want {
			t.Errorf("%#x * %#x = %#x; want %#x", c.a, c.b, got, c.want)
		}
	}
}

// Every product, held against multiplication of polynomials and division by 0x11b.
func TestField_Products(t *testing.T) {
	t.Parallel()
	for a := range 256 {
		for b := range 256 {
			product := 0
			for i := range 8 {
				if b>>i&1 == 1 {
					product ^= a << i
				}
			}
			for bits.Len(uint(product)) > 8 {
				product ^= 0x11b << (bits.Len(uint(product)) - 9)
			}
			if got := shamir.MulForTest(byte(a), byte(b)); int(got) != product {
				t.Fatalf("%#x * %#x = %#x; want %#x", a, b, got, product)
			}
		}
	}
}

// Every inverse, held against the S-box of AES.
func TestField_Inverses(t *testing.T) {
	t.Parallel()
	box := sbox(t)
	for a := range 256 {
		inverse := shamir.InverseForTest(byte(a))
		got := byte(0x63)
		for turn := range 5 {
			got ^= bits.RotateLeft8(inverse, turn)
		}
		if got != box[a] {
			t.Errorf("the S-box at %#x is %#x; want %#x", a, got, box[a])
		}
		if a != 0 && shamir.MulForTest(byte(a), inverse) != 1 {
			t.Errorf("%#x times its inverse is not 1", a)
		}
	}
}

func sbox(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("testdata/fips197-sbox.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var box []byte
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row, err := hex.DecodeString(strings.ReplaceAll(lines.Text(), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		box = append(box, row...)
	}
	if len(box) != 256 {
		t.Fatalf("the S-box has %d entries", len(box))
	}
	return box
}

// Fewer shares than needed tell nothing: whatever the secret is, every pair of values at two places of a polynomial of
// degree 2 comes of exactly one of its 65536 choices.
func TestEvaluate_TellsNothing(t *testing.T) {
	t.Parallel()
	for _, at := range [][2]byte{{1, 2}, {3, 255}, {17, 16}} {
		for _, secret := range []byte{0, 1, 0x53, 0xff} {
			seen := make([]bool, 1<<16)
			for choice := range 1 << 16 {
				polynomial := []byte{secret, byte(choice), byte(choice >> 8)}
				pair := int(shamir.EvaluateForTest(polynomial, at[0]))<<8 | int(shamir.EvaluateForTest(polynomial, at[1]))
				if seen[pair] {
					t.Fatalf("with the secret %#x, the values %#04x at %v come of two polynomials", secret, pair, at)
				}
				seen[pair] = true
			}
		}
	}
}
