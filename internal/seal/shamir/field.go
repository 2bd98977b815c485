package shamir

// Arithmetic in GF(2^8) with the polynomial x^8+x^4+x^3+x+1, that of AES (FIPS 197). No table is indexed by, and no
// branch taken on, an element: time does not depend on them.

func add(a, b byte) byte { return a ^ b }

func mul(a, b byte) byte {
	var product byte
	for range 8 {
		product ^= a & -(b & 1)
		b >>= 1
		a = a<<1 ^ 0x1b&-(a>>7)
	}
	return product
}

// inverse returns a^254, which is 1/a, and 0 for 0.
func inverse(a byte) byte {
	square, out := a, byte(1)
	for range 7 {
		square = mul(square, square)
		out = mul(out, square)
	}
	return out
}
