package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func matcher(t testing.TB, values ...string) *redact.Matcher {
	t.Helper()
	var secrets []redact.Secret
	for i, v := range values {
		secrets = append(secrets, redact.Secret{Name: fmt.Sprintf("S%d", i), Value: secret.Of(v)})
	}
	m, err := redact.New(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// split writes b in pieces of random sizes, flushing now and then.
func split(t testing.TB, m *redact.Matcher, b []byte, cuts []int, flush bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := m.Writer(&out)
	for _, n := range cuts {
		n = min(n, len(b))
		if _, err := w.Write(b[:n]); err != nil {
			t.Fatal(err)
		}
		if flush {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		b = b[n:]
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// encoders are the encodings as others make them.
var encoders = map[string]func(string) string{
	"plain":      func(s string) string { return s },
	"base64":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 raw": func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 url": func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"hex":        func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":        func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"query":      url.QueryEscape,
	"path":       url.PathEscape,
	"html":       html.EscapeString,
	"json":       func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	"shell":      func(s string) string { return strings.ReplaceAll(s, "'", `'\''`) },
	"reversed":   func(s string) string { b := []byte(s); slices.Reverse(b); return string(b) },
	"utf-16 le":  func(s string) string { return utf16(s, 0) },
	"utf-16 be":  func(s string) string { return utf16(s, 1) },
	"crlf":       func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"percent each": func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02x", s[i])
		}
		return b.String()
	},
}

func utf16(s string, zeroFirst int) string {
	var b strings.Builder
	for i := range len(s) { // the values of this test are ASCII
		if zeroFirst == 1 {
			b.WriteByte(0)
		}
		b.WriteByte(s[i])
		if zeroFirst == 0 {
			b.WriteByte(0)
		}
	}
	return b.String()
}

var values = rapid.StringMatching(`[ -~]{8,40}`).Filter(func(s string) bool { return strings.TrimSpace(s) == s })

// No encoding of any value survives, however the stream is cut, and all but the values passes unchanged.
func TestLaw_NothingSurvives(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(func(yield func(string) bool) {
		for n := range encoders {
			if !yield(n) {
				return
			}
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(values, 1, 6).Draw(rt, "values")
		m := matcher(t, all...)
		skipped := len(m.Skipped())
		var text, want strings.Builder
		for range rapid.IntRange(1, 6).Draw(rt, "pieces") {
			filler := rapid.StringMatching(`[\x01-\x03]{0,30}`).Draw(rt, "filler")
			text.WriteString(filler)
			want.WriteString(filler)
			v := rapid.SampledFrom(all).Draw(rt, "value")
			text.WriteString(encoders[rapid.SampledFrom(names).Draw(rt, "encoding")](v))
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, 20), 0, 30).Draw(rt, "cuts")
		out := split(t, m, []byte(text.String()), cuts, rapid.Bool().Draw(rt, "flush"))
		if skipped > 0 {
			return
		}
		for _, v := range all {
			for name, encode := range encoders {
				if form := encode(v); bytes.Contains(out, []byte(form)) {
					rt.Fatalf("%s of a value survives", name)
				}
			}
		}
		var rest strings.Builder
		for _, c := range out {
			if c < ' ' && c > 0 {
				rest.WriteByte(c)
			}
		}
		if rest.String() != want.String() {
			rt.Fatalf("what is no value changed: %q; want %q", rest.String(), want.String())
		}
	})
}

// The stream comes out alike however it is cut, and like what a slow and simple search makes of it.
func TestLaw_CutsDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		letters := rapid.StringMatching(`[ab]{6,12}`)
		all := rapid.SliceOfN(letters, 1, 5).Draw(rt, "values")
		m := matcher(t, all...)
		text := []byte(rapid.StringMatching(`[ab]{0,200}`).Draw(rt, "text"))
		whole := m.Bytes(text)
		if want := slow(m, text); !bytes.Equal(whole, want) {
			rt.Fatalf("%q becomes %q; want %q", text, whole, want)
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 60).Draw(rt, "cuts")
		if got := split(t, m, text, cuts, rapid.Bool().Draw(rt, "flush")); !bytes.Equal(got, whole) {
			rt.Fatalf("in pieces %q becomes %q; whole %q", text, got, whole)
		}
	})
}

// slow masks by looking at every place for every find that Find reports on a text of its own, the suffix from that place.
func slow(m *redact.Matcher, text []byte) []byte {
	var out []byte
	end := 0
	for at := range len(text) {
		longest, name := 0, ""
		for _, f := range m.Find(text[at:]) {
			if f.Start == 0 && f.End > longest {
				longest, name = f.End, f.Name
			}
		}
		if longest > 0 && at >= end {
			out = append(out, "[redacted:"+name+"]"...)
		}
		end = max(end, at+longest)
		if at >= end {
			out = append(out, text[at])
		}
	}
	return out
}

// A value is found at every alignment of base64, within other text.
func TestBase64_Alignments(t *testing.T) {
	t.Parallel()
	const v = "sk_live_51H8xq2eZvKYlo2C"
	m := matcher(t, v)
	for before := range 7 {
		for after := range 7 {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				text := enc.EncodeToString([]byte(strings.Repeat("x", before) + v + strings.Repeat("y", after)))
				if out := m.String(text); !strings.Contains(out, "[redacted:S0]") {
					t.Errorf("%d bytes before and %d after: not found", before, after)
				}
			}
		}
	}
}

// Long values are found in base64 that is cut into lines.
func TestBase64_Lines(t *testing.T) {
	t.Parallel()
	v := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 4)
	m := matcher(t, v)
	letters := base64.StdEncoding.EncodeToString([]byte(v))
	for _, width := range []int{64, 76} {
		var text strings.Builder
		for line := range slices.Chunk([]byte(letters), width) {
			text.Write(line)
			text.WriteByte('\n')
		}
		out := m.String(text.String())
		for line := range slices.Chunk([]byte(letters), width) {
			if len(line) == width && strings.Contains(out, string(line)) {
				t.Errorf("a line of %d letters survives", width)
			}
		}
	}
}

func TestMatcher_Skipped(t *testing.T) {
	t.Parallel()
	m := matcher(t, "true", "localhost", "production", "123456", "hunter2x", "", "tiny5")
	if got, want := fmt.Sprint(m.Skipped()), "[S0 S1 S2 S3 S5 S6]"; got != want {
		t.Errorf("skipped %s; want %s", got, want)
	}
	if got := m.String("true localhost hunter2x"); got != "true localhost [redacted:S4]" {
		t.Errorf("masked: %q", got)
	}
	if got := matcher(t).String("anything"); got != "anything" {
		t.Errorf("without secrets: %q", got)
	}
}

// What no secret starts with is written at once when flushed; the beginning of one is not.
func TestWriter_Flush(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := matcher(t, "swordfish-9").Writer(&out)
	step := func(in, want string) {
		t.Helper()
		if _, err := w.Write([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("after %q: %q; want %q", in, out.String(), want)
		}
	}
	step("Password? ", "Password? ")
	step("sword", "Password? ")
	step("play", "Password? swordplay")
	step(" swordfish-", "Password? swordplay ")
	step("9!", "Password? swordplay [redacted:S0]!")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, redact.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestWriter_Error(t *testing.T) {
	t.Parallel()
	w := matcher(t, "swordfish-9").Writer(failing{})
	if _, err := w.Write(bytes.Repeat([]byte("x"), 1000)); err == nil {
		t.Error("the error of the writer behind was lost")
	}
	if err := w.Flush(); err == nil {
		t.Error("the error did not stay")
	}
}

func FuzzWriter(f *testing.F) {
	f.Add([]byte("say swordfish-9 twice: swordfish-9"), "swordfish-9", uint8(3))
	f.Fuzz(func(t *testing.T, text []byte, value string, cut uint8) {
		m := matcher(t, value, "second-secret")
		if len(m.Skipped()) > 0 {
			return
		}
		whole := m.Bytes(text)
		cuts := slices.Repeat([]int{int(cut)}, 40)
		if got := split(t, m, text, cuts, cut%2 == 0); !bytes.Equal(got, whole) {
			t.Fatalf("in pieces %q, whole %q", got, whole)
		}
	})
}

func randomValues(n int) []string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test data
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	all := make([]string, n)
	for i := range all {
		b := make([]byte, 20+r.IntN(41))
		for j := range b {
			b[j] = letters[r.IntN(len(letters))]
		}
		all[i] = string(b)
	}
	return all
}

// sample is a megabyte of what programs print, with a secret now and then.
func sample(values []string) []byte {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // test data
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "2026-11-23T10:%02d:%02d.%03dZ INFO  request id=%08x method=GET path=/v1/orders/%d status=200 duration=%dms\n", i/60%60, i%60, r.IntN(1000), r.Uint32(), r.IntN(1e6), r.IntN(900))
		fmt.Fprintf(&b, `{"level":"debug","msg":"cache miss","key":"user:%d","ttl":%d,"tags":["a","b"]}`+"\n", r.IntN(1e6), r.IntN(3600))
		if i%50 == 0 {
			noise := make([]byte, 300)
			for j := range noise {
				noise[j] = byte(r.Uint32())
			}
			b.WriteString(base64.StdEncoding.EncodeToString(noise) + "\n")
		}
		if i%1000 == 0 {
			b.WriteString("token=" + values[r.IntN(len(values))] + "\n")
		}
	}
	return b.Bytes()
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkWriter(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d values", n), func(b *testing.B) {
			all := randomValues(n)
			m, text := matcher(b, all...), sample(all)
			b.SetBytes(int64(len(text)))
			b.ResetTimer()
			for b.Loop() {
				w := m.Writer(discard{})
				for chunk := range slices.Chunk(text, 32<<10) {
					if _, err := w.Write(chunk); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprintf("%d values", n), func(b *testing.B) {
			all := randomValues(n)
			b.ReportAllocs()
			for b.Loop() {
				matcher(b, all...)
			}
		})
	}
}
