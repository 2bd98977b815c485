package shamir

// PayloadForTest gives tests the bytes of a share.
func PayloadForTest(s Share) []byte { return s.payload }

// Field arithmetic, for its test.
var (
	MulForTest     = mul
	InverseForTest = inverse
)
