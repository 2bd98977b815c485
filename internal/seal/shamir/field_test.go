package shamir_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

// The products are the examples of FIPS 197, section 4.2.
func TestField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want byte }{{0x57, 0x83, 0xc1}, {0x57, 0x13, 0xfe}, {0x57, 0x02, 0xae}, {0x57, 0x10, 0x07}, {0, 7, 0}} {
		if got := shamir.MulForTest(c.a, c.b); got != c.want {
			t.Errorf("%#x * %#x = %#x; want %#x", c.a, c.b, got, c.want)
		}
	}
	for a := 1; a < 256; a++ {
		if got := shamir.MulForTest(byte(a), shamir.InverseForTest(byte(a))); got != 1 {
			t.Errorf("%#x times its inverse is %#x", a, got)
		}
	}
}
