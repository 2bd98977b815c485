package redact_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// overwrite is the text with every byte of every find as a star.
func overwrite(m *redact.Matcher, text []byte) []byte {
	out := bytes.Clone(text)
	for _, f := range m.Find(text) {
		for i := f.Start; i < f.End; i++ {
			out[i] = '*'
		}
	}
	return out
}

// overwriteStream passes text through in pieces and checks that nothing is held back but what may be the beginning of a form.
func overwriteStream(t *rapid.T, m *redact.Matcher, text []byte, cuts []int) []byte {
	o := m.Overwriter(nil)
	var out, held []byte
	for len(text) > 0 {
		n := len(text)
		if len(cuts) > 0 {
			n, cuts = min(cuts[0], n), cuts[1:]
		}
		held = append(held, text[:n]...)
		text = text[n:]
		done := o.Mask(held, false)
		out, held = append(out, held[:done]...), append([]byte(nil), held[done:]...)
		if len(held) >= max(1, m.Longest()) {
			t.Fatalf("%d bytes are held back, and the longest form has %d", len(held), m.Longest())
		}
	}
	done := o.Mask(held, true)
	if done != len(held) {
		t.Fatalf("%d of the last %d bytes are done", done, len(held))
	}
	return append(out, held...)
}

// What Overwriter makes is as long as what it gets and has a star for each byte of each form, however the stream is cut, where
// forms overlap and begin with each other.
func TestLaw_Overwriter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := matcher(t, rapid.SliceOfN(rapid.StringMatching(`[ab]{6,14}`), 1, 6).Draw(rt, "values")...)
		text := []byte(rapid.StringMatching(`[ab]{0,120}`).Draw(rt, "text"))
		cuts := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 60).Draw(rt, "cuts")
		want := overwrite(m, text)
		if got := overwriteStream(rt, m, bytes.Clone(text), cuts); !bytes.Equal(got, want) {
			rt.Fatalf("%q becomes %q; want %q", text, got, want)
		}
	})
}

// Only a proper prefix of a form is held back: what follows a byte that no form goes on with leaves at once.
func TestLaw_OverwriterHoldsOnlyPrefixes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(values, 1, 5).Draw(rt, "values")
		m, o := matcher(t, all...), newOracle(all...)
		text := []byte(rapid.SampledFrom(all).Draw(rt, "value"))
		text = append([]byte(rapid.StringMatching(`[\x01-\x03]{0,20}`).Draw(rt, "before")), text[:rapid.IntRange(0, len(text)).Draw(rt, "cut")]...)
		finds, open := m.Scan(text, false)
		for _, f := range finds {
			if f.Start >= open {
				rt.Fatalf("a find at %d is behind the %d bytes that are decided", f.Start, open)
			}
		}
		if want := undecided(o, text); open != want {
			rt.Fatalf("%q: open at %d; want %d", text, open, want)
		}
	})
}

// undecided is the first place from which text is the beginning of a longer form.
func undecided(o oracle, text []byte) int {
	for at := range text {
		for form := range o {
			if len(form) > len(text)-at && bytes.HasPrefix([]byte(form), text[at:]) {
				return at
			}
		}
	}
	return len(text)
}
