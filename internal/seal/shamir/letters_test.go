package shamir_test

import (
	"bytes"
	"encoding/base32"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

var standard = base32.StdEncoding.WithPadding(base32.NoPadding)

// Our letters are those of the standard library, and each string of bytes has one spelling.
func TestLetters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 0, 150).Draw(t, "raw")
		letters := shamir.EncodeForTest(raw)
		if want := strings.ToLower(standard.EncodeToString(raw)); string(letters) != want {
			t.Fatalf("%x is %s; want %s", raw, letters, want)
		}
		back, err := shamir.DecodeForTest(letters)
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%s is %x, %v; want %x", letters, back, err, raw)
		}
		if len(letters) == 0 {
			return
		}
		last := len(letters) - 1
		for c := range 256 {
			letters[last] = byte(c)
			again, err := shamir.DecodeForTest(letters)
			if err == nil && !bytes.EqualFold(shamir.EncodeForTest(again), letters) {
				t.Fatalf("%q is a second spelling of %x", letters, again)
			}
		}
	})
}

func TestLetters_All(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		want, wantErr := standard.DecodeString(strings.ToUpper("aaaaaaa" + string([]byte{byte(c)})))
		got, err := shamir.DecodeForTest([]byte("aaaaaaa" + string([]byte{byte(c)})))
		if newline := c == '\n' || c == '\r'; (err == nil) != (wantErr == nil && !newline) { // the library skips newlines
			t.Errorf("%#x: %v; want %v", c, err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("%#x is %x; want %x", c, got, want)
		}
	}
}
