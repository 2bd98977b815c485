package shamir

// PayloadForTest gives tests the bytes of a share.
func PayloadForTest(s Share) []byte { return s.payload }

// ForgeForTest makes a share of the given payload.
func ForgeForTest(of Share, index byte, payload []byte) Share {
	return Share{Set: of.Set, Threshold: of.Threshold, Index: index, payload: payload}
}

// Field arithmetic and letters, for their tests.
var (
	MulForTest      = mul
	InverseForTest  = inverse
	EvaluateForTest = evaluate
	EncodeForTest   = encode
	DecodeForTest   = decode
)
