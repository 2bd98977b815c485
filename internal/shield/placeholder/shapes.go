package placeholder

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strings"
)

// jwtParts returns the header and the rest of a JSON Web Token (RFC 7519) in compact form.
func jwtParts(value []byte) (header, rest []byte, ok bool) {
	parts := bytes.Split(value, []byte("."))
	if len(parts) != 3 || len(parts[0]) == 0 || len(parts[1]) == 0 {
		return nil, nil, false
	}
	var h struct{ Alg string }
	decoded, err := base64.RawURLEncoding.DecodeString(string(parts[0]))
	if err != nil || json.Unmarshal(decoded, &h) != nil || h.Alg == "" {
		return nil, nil, false
	}
	return parts[0], value[len(parts[0])+1:], true
}

// jwt makes a token with the header of the value, claims that say nothing, and a random signature of the same length. It does
// not expire, so that programs that look do not ask for another.
func jwt(value []byte) string {
	header, rest, _ := jwtParts(value)
	signature := max(len(rest)-bytes.IndexByte(rest, '.')-1, 43)
	// The number of random letters shifts what follows, so that one of the attempts has no letters in common by chance.
	claims := `{"zv":"` + string(random(base62, 20+int(randomBytes(1)[0])%8)) + `","exp":4102444800}`
	return string(header) + "." + base64URL([]byte(claims)) + "." + string(random(tokenLetters, signature))
}

func isPEM(value []byte) bool {
	block, _ := pem.Decode(value)
	return block != nil && bytes.HasPrefix(bytes.TrimSpace(value), []byte("-----BEGIN "))
}

// pemLike makes blocks with the labels and lengths of the value's and random contents.
func pemLike(value []byte) string {
	var out []byte
	for block, rest := pem.Decode(value); block != nil; block, rest = pem.Decode(rest) {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: randomBytes(max(len(block.Bytes), 48))})...)
	}
	if bytes.HasSuffix(value, []byte("\n")) {
		return string(out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// pemBody is a text without its frames and line breaks.
func pemBody(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("-----")) {
			out = append(out, bytes.TrimSpace(line)...)
		}
	}
	return out
}

func isUUID(value []byte) bool {
	if len(value) != 36 {
		return false
	}
	for i, b := range value {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (b == '-') || !dash && !strings.ContainsRune(hexLower+hexUpper, rune(b)) {
			return false
		}
	}
	return true
}

// uuidLike makes a random UUID (RFC 9562, version 4), in capitals if the value is.
func uuidLike(value []byte) string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b)
	id := x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
	if bytes.Equal(value, bytes.ToUpper(value)) {
		return strings.ToUpper(id)
	}
	return id
}
