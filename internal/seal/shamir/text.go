package shamir

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Prefix starts every printed share.
const Prefix = "zvs1-"

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Text returns the share in the form that people keep: "zvs1-" and, in groups of five letters, the base32 of
//
//	set (4) || threshold (1) || index (1) || payload || checksum (4)
//
// where the checksum is the start of SHA-256 over what is before it.
func (s Share) Text() string {
	raw := append(append([]byte{}, s.Set[:]...), s.Threshold, s.Index)
	raw = append(raw, s.payload...)
	raw = append(raw, checksum(raw)...)
	defer clear(raw)
	letters := encoding.EncodeToString(raw)
	var b strings.Builder
	b.WriteString(Prefix)
	for i := 0; i < len(letters); i += 5 {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(letters[i:min(i+5, len(letters))])
	}
	return b.String()
}

func checksum(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:checkSize]
}

// String names the share without giving it away; Text does that.
func (s Share) String() string { return fmt.Sprintf("share %x-%d", s.Set, s.Index) }

// GoString is String.
func (s Share) GoString() string { return s.String() }

// Format writes String for every verb.
func (s Share) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) } // fmt.State never fails

// LogValue makes slog print String.
func (s Share) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON refuses: a share goes out through Text alone.
func (s Share) MarshalJSON() ([]byte, error) { return nil, errors.New("a share has no JSON form") }

// Parse reads what Text printed; case, spaces and dashes do not matter. Errors do not quote the text.
func Parse(text string) (Share, error) {
	letters := strings.ToLower(strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n'
	}), ""))
	letters, ok := strings.CutPrefix(letters, strings.TrimSuffix(Prefix, "-"))
	if !ok {
		return Share{}, fmt.Errorf("it does not start with %s: %w", Prefix, ErrSyntax)
	}
	raw, err := encoding.DecodeString(letters)
	if err != nil {
		return Share{}, fmt.Errorf("it holds a letter that no share has: %w", ErrSyntax)
	}
	body := len(raw) - checkSize
	if body < setSize+2+1+checkSize || body > setSize+2+MaxSecret+checkSize || encoding.EncodeToString(raw) != letters {
		return Share{}, fmt.Errorf("its length is wrong: %w", ErrSyntax)
	}
	if string(checksum(raw[:body])) != string(raw[body:]) {
		return Share{}, fmt.Errorf("its checksum does not match, so a letter is mistyped: %w", ErrSyntax)
	}
	s := Share{Threshold: raw[setSize], Index: raw[setSize+1], payload: raw[setSize+2 : body]}
	copy(s.Set[:], raw)
	if s.Index == 0 || s.Threshold == 0 {
		return Share{}, fmt.Errorf("its numbers are out of range: %w", ErrSyntax)
	}
	return s, nil
}
