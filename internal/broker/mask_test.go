package broker_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// However an answer is cut to pieces, no more than the first three bytes of a value get through, and nothing else changes.
func TestRelay_Masks(t *testing.T) {
	t.Parallel()
	const value = "aaab-cdef-aaab-ghij"
	masks, err := redact.New([]redact.Secret{{Name: "P", Value: secret.Of(value)}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{value, "a", "aa", "aaab", "aaab-cdef-", "\x00", "xyz", "j"}), 1, 12).Draw(t, "parts")
		text := strings.Join(parts, "")
		pieces := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 8).Draw(t, "pieces") // their lengths, over and over
		program, toProgram := net.Pipe()
		database, toDatabase := net.Pipe()
		go broker.Relay(toProgram, toDatabase, toProgram, masks, nil)
		go func() {
			rest := text
			for i := 0; rest != ""; i++ {
				n := min(pieces[i%len(pieces)], len(rest))
				if _, err := io.WriteString(database, rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
			_ = database.Close()
		}()
		got, err := io.ReadAll(program)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		if strings.Contains(string(got), value[3:]) || strings.Contains(string(got), value[:4]+value[4:10]) && !strings.Contains(strings.ReplaceAll(text, value, ""), value[:10]) {
			t.Fatalf("%q became %q", text, got)
		}
		for i := range got {
			if got[i] != text[i] && got[i] != '*' {
				t.Fatalf("%q became %q", text, got)
			}
		}
	})
}
