package shamir

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	// Prefix starts every printed share. The digit is the version of the format.
	Prefix = "zvs1-"

	family    = "zvs" // of every version
	groupSize = 5
	headSize  = setSize + 2
)

// Text returns the share in the form that people keep: Prefix and, in groups of five letters with dashes between them, the
// base32 of
//
//	set (4) || threshold (1) || index (1) || payload || checksum (4)
//
// where the checksum is the start of SHA-256 over what is before it. Of a secret of 32 bytes that is 93 characters.
func (s Share) Text() string {
	raw := make([]byte, 0, headSize+len(s.payload)+checkSize)
	raw = append(append(raw, s.Set[:]...), s.Threshold, s.Index)
	raw = append(raw, s.payload...)
	raw = append(raw, checksum(raw)...)
	letters := encode(raw)
	defer clear(raw)
	defer clear(letters)
	var b strings.Builder
	b.Grow(len(Prefix) + len(letters) + len(letters)/groupSize)
	b.WriteString(Prefix)
	for i := 0; i < len(letters); i += groupSize {
		if i > 0 {
			b.WriteByte('-')
		}
		b.Write(letters[i:min(i+groupSize, len(letters))])
	}
	return b.String()
}

func checksum(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:checkSize]
}

// Parse reads what Text printed. Case does not matter, nor where blanks and dashes are; any other change of a letter is
// ErrSyntax. Errors do not quote the text.
func Parse(text string) (Share, error) {
	letters, err := body(text)
	if err != nil {
		return Share{}, err
	}
	raw, err := decode(letters)
	clear(letters)
	if err != nil {
		return Share{}, err
	}
	end := len(raw) - checkSize
	if end < headSize+1+checkSize || end > headSize+MaxSecret+checkSize {
		clear(raw)
		return Share{}, fmt.Errorf("its length is wrong: %w", ErrSyntax)
	}
	if subtle.ConstantTimeCompare(checksum(raw[:end]), raw[end:]) != 1 {
		clear(raw)
		return Share{}, fmt.Errorf("its checksum does not match, so a letter is mistyped or missing: %w", ErrSyntax)
	}
	s := Share{Set: [setSize]byte(raw), Threshold: raw[setSize], Index: raw[setSize+1], payload: raw[headSize:end:end]}
	if s.Index == 0 || s.Threshold == 0 {
		s.Wipe()
		return Share{}, fmt.Errorf("its numbers are out of range: %w", ErrSyntax)
	}
	return s, nil
}

// body returns the letters behind the prefix, without what separates them.
func body(text string) ([]byte, error) {
	letters := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; c {
		case '-', ' ', '\t', '\r', '\n':
		default:
			letters = append(letters, c)
		}
	}
	known := len(Prefix) - 1 // without the dash
	switch {
	case len(letters) < known || !strings.EqualFold(string(letters[:len(family)]), family):
		return nil, fmt.Errorf("it does not start with %s: %w", Prefix, ErrSyntax)
	case letters[known-1] == Prefix[known-1]:
		return letters[known:], nil
	case within(letters[known-1], '2', '9') != 0:
		return nil, fmt.Errorf("it starts with another number than %s: %w", Prefix, ErrNewer)
	}
	return nil, fmt.Errorf("it does not start with %s: %w", Prefix, ErrSyntax)
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
