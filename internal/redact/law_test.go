package redact_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// printable values, and some with line breaks, quotes and letters beyond ASCII.
var values = rapid.OneOf(
	rapid.StringMatching(`[ -~]{8,40}`),
	rapid.StringMatching(`[A-Za-z0-9+/_-]{8,70}`),
	rapid.StringMatching(`[a-z"'\\&<>é€ \n]{8,30}`),
)

// No form of any value survives, however the stream is cut, and everything else passes unchanged.
func TestLaw_NothingSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(values, 1, 5).Draw(rt, "values")
		m, o := matcher(t, all...), newOracle(all...)
		var forms []string
		for _, v := range all {
			redact.Forms(secret.Of(v), func(_ redact.Encoding, form []byte) { forms = append(forms, string(form)) })
		}
		var text strings.Builder
		for range rapid.IntRange(1, 6).Draw(rt, "pieces") {
			text.WriteString(rapid.StringMatching(`[\x01-\x03a-c ]{0,30}`).Draw(rt, "filler"))
			if len(forms) > 0 {
				form := rapid.SampledFrom(forms).Draw(rt, "form")
				text.WriteString(form[:len(form)-rapid.IntRange(0, 1).Draw(rt, "lacks")])
			}
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, 20), 0, 30).Draw(rt, "cuts")
		in := []byte(text.String())
		out := stream(rt, m, in, cuts, rapid.Bool().Draw(rt, "flush"))
		if want := o.mask(in); !bytes.Equal(out, want) {
			rt.Fatalf("%q becomes %q; want %q", in, out, want)
		}
		// What is left between the masks has no form in it. (A value such as "[redacted:S" would be found in masks.)
		for _, rest := range bytes.Split(out, []byte("[redacted:")) {
			if form, ok := o.survivor(rest); ok {
				rt.Fatalf("%q survives in %q", form, out)
			}
		}
	})
}

// The stream comes out alike however it is cut, where values overlap and begin with each other, and as the oracle has it.
func TestLaw_CutsDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(rapid.StringMatching(`[ab]{6,14}`), 1, 6).Draw(rt, "values")
		m := matcher(t, all...)
		text := []byte(rapid.StringMatching(`[ab]{0,120}`).Draw(rt, "text"))
		want := newOracle(all...).mask(text)
		if whole := m.Bytes(text); !bytes.Equal(whole, want) {
			rt.Fatalf("%q becomes %q; want %q", text, whole, want)
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 60).Draw(rt, "cuts")
		if got := stream(rt, m, text, cuts, rapid.Bool().Draw(rt, "flush")); !bytes.Equal(got, want) {
			rt.Fatalf("in pieces %q becomes %q; want %q", text, got, want)
		}
	})
}

// Bytes without a value come out as they are.
func TestLaw_TheRestIsUnchanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(values, 0, 5).Draw(rt, "values")
		text := rapid.SliceOf(rapid.Byte()).Draw(rt, "text")
		if _, ok := newOracle(all...).survivor(text); ok {
			return
		}
		m := matcher(t, all...)
		if out := m.Bytes(text); !bytes.Equal(out, text) || len(m.Find(text)) > 0 {
			rt.Fatalf("%q became %q", text, out)
		}
	})
}

// Find reports what Bytes masks.
func TestLaw_FindIsWhatIsMasked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := matcher(t, rapid.SliceOfN(rapid.StringMatching(`[ab]{6,14}`), 1, 6).Draw(rt, "values")...)
		text := []byte(rapid.StringMatching(`[ab]{0,120}`).Draw(rt, "text"))
		var out []byte
		end := 0
		for _, f := range m.Find(text) {
			if f.Start >= end {
				out = append(append(out, text[end:f.Start]...), "[redacted:"+f.Name+"]"...)
			}
			end = max(end, f.End)
		}
		if out = append(out, text[end:]...); !bytes.Equal(out, m.Bytes(text)) {
			rt.Fatalf("by Find %q, by Bytes %q", out, m.Bytes(text))
		}
	})
}

func FuzzWriter(f *testing.F) {
	f.Add([]byte("say swordfish-9 twice: swordfish-9"), "swordfish-9", uint8(3))
	f.Add([]byte("bGlvbnMgc3dvcmRmaXNoLTk= c3dvcmRmaXNoLTk="), "swordfish-9", uint8(1))
	f.Add([]byte("aabaabaabaabaab"), "aabaabaab", uint8(4))
	f.Add([]byte("line one is long\r\nline two"), "line one is long\nline two\n", uint8(6))
	f.Fuzz(func(t *testing.T, text []byte, value string, cut uint8) {
		all := []string{value, "second-secret"}
		m := matcher(t, all...)
		if len(text) > 400 || len(value) > 100 {
			return // the oracle is slow
		}
		want := newOracle(all...).mask(text)
		var cuts []int
		for n := 0; n < len(text); n += max(1, int(cut)) {
			cuts = append(cuts, max(1, int(cut)))
		}
		if got := stream(t, m, text, cuts, cut%2 == 0); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
