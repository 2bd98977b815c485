package transit

import (
	"strconv"
	"strings"
)

// The form of ciphertexts, signatures and HMACs:
//
//	vault:v<version>:<base64>
const envelopePrefix = "vault:v"

// appendPrefix appends all of an envelope but its base64.
func appendPrefix(dst []byte, number int) []byte {
	dst = append(dst, envelopePrefix...)
	dst = strconv.AppendInt(dst, int64(number), 10)
	return append(dst, ':')
}

// defect says what keeps a text from being an envelope.
type defect string

const (
	noDefect    defect = ""
	noPrefix    defect = "no prefix"
	wrongFields defect = "wrong number of fields"
	badVersion  defect = "version number could not be decoded"
	tooNew      defect = "version is too new"
)

// parseEnvelope splits an envelope into version and base64. A version is decimal digits without sign or leading zeros, so that
// there is one way of writing it.
func parseEnvelope(text string) (number int, encoded string, bad defect) {
	rest, ok := strings.CutPrefix(text, envelopePrefix)
	if !ok {
		return 0, "", noPrefix
	}
	digits, encoded, ok := strings.Cut(rest, ":")
	if !ok {
		return 0, "", wrongFields
	}
	if digits == "" || digits[0] == '0' && len(digits) > 1 || len(digits) > 9 {
		return 0, "", badVersion
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, "", badVersion
		}
		number = number*10 + int(digits[i]-'0')
	}
	return number, encoded, noDefect
}
