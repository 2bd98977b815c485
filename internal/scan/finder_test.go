package scan_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Every form in which redact masks a value is found within other text; a value that is off by one byte is not.
func TestLaw_FinderFindsEveryForm(t *testing.T) {
	t.Parallel()
	p := newPrinter(t)
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.OneOf(rapid.StringMatching(`[ -~]{8,30}`), rapid.StringMatching(`[a-z"é\n]{8,40}`)).Draw(rt, "value")
		var forms [][]byte
		redact.Forms(secret.Of(v), func(_ redact.Encoding, form []byte) {
			if len(form) >= 8 {
				forms = append(forms, bytes.Clone(form))
			}
		})
		if len(forms) == 0 {
			return
		}
		f := newFinder(rt, p, map[string]string{"A": v})
		form := rapid.SampledFrom(forms).Draw(rt, "form")
		before := rapid.StringMatching(`[0-9 ]{0,20}`).Draw(rt, "before")
		hits := f.Find([]byte(before + string(form) + rapid.StringMatching(`[0-9 ]{0,20}`).Draw(rt, "after")))
		covered := 0
		for _, h := range hits {
			if h.Start <= len(before) && h.End >= len(before)+len(form) && h.Secret == "zvault://p/A" {
				covered++
			}
		}
		if covered != 1 {
			rt.Fatalf("%q in %q is found %d times: %v", form, before, covered, hits)
		}
	})
}

func TestFinder_Near(t *testing.T) {
	t.Parallel()
	const v = "correct-horse-battery-7"
	f := newFinder(t, newPrinter(t), map[string]string{"A": v, "B": v, "C": "correct-horse"})
	got := f.Find([]byte("a " + v + " correct-horse! correct-hors3"))
	want := []scan.Hit{
		{Start: 2, End: 25, Secret: "zvault://p/A", Form: "plain"}, {Start: 2, End: 25, Secret: "zvault://p/B", Form: "plain"},
		{Start: 2, End: 15, Secret: "zvault://p/C", Form: "plain"}, {Start: 26, End: 39, Secret: "zvault://p/C", Form: "plain"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range len(v) {
		near := []byte(v)
		near[i] ^= 1
		for _, h := range f.Find(near) {
			if h.Secret != "zvault://p/C" {
				t.Errorf("found with byte %d changed", i)
			}
		}
	}
}

// Random text holds no value.
func TestFinder_RandomText(t *testing.T) {
	t.Parallel()
	values := map[string]string{}
	for i := range uint64(20) {
		values[fmt.Sprint(i)] = letters(i, alnum, 8+int(i))
	}
	f := newFinder(t, newPrinter(t), values)
	text := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // test data
	for i := range text {
		text[i] = alnum[r.IntN(len(alnum))]
	}
	if hits := f.Find(text); len(hits) > 0 {
		t.Errorf("found %v", hits)
	}
	copy(text[1<<19:], values["7"])
	if hits := f.Find(text); len(hits) != 1 || hits[0].Start != 1<<19 {
		t.Errorf("found %v", hits)
	}
}

// A fingerprint is the same each time, of another key is another, finds nothing there, and shows nothing of the value.
func TestFingerprint_Keyed(t *testing.T) {
	t.Parallel()
	const v = "correct-horse-battery-7"
	p, other := newPrinter(t), newPrinter(t)
	print := p.Fingerprint(secret.Of(v))
	if !bytes.Equal(print, p.Fingerprint(secret.Of(v))) {
		t.Error("two fingerprints of a value are not the same")
	}
	foreign := other.Fingerprint(secret.Of(v))
	if len(foreign) != len(print) || bytes.Equal(foreign, print) {
		t.Error("the key makes no difference")
	}
	f, err := other.Finder([]scan.Known{{Secret: "s", Fingerprint: print}})
	if err != nil {
		t.Fatal(err)
	}
	if hits := f.Find([]byte(v)); len(hits) > 0 {
		t.Errorf("found under another key: %v", hits)
	}
	redact.Forms(secret.Of(v), func(_ redact.Encoding, form []byte) {
		for at := 0; at+4 <= len(form); at++ {
			if bytes.Contains(print, form[at:at+4]) {
				t.Error("the fingerprint holds a piece of the value")
			}
		}
	})
	for _, plain := range []string{"", "true", "production", "5432"} {
		if p.Fingerprint(secret.Of(plain)) != nil {
			t.Errorf("%q has a fingerprint", plain)
		}
	}
}

func TestFinder_Malformed(t *testing.T) {
	t.Parallel()
	p := newPrinter(t)
	good := p.Fingerprint(secret.Of("correct-horse-battery-7"))
	long, short, version := bytes.Clone(good), bytes.Clone(good), bytes.Clone(good)
	long[2], version[0] = 0xff, 2
	copy(short[2:], []byte{0, 0, 0, 7})
	for name, bad := range map[string][]byte{"cut": good[:len(good)-1], "more": append(bytes.Clone(good), 0), "version": version, "length": long, "short": short} {
		if _, err := p.Finder([]scan.Known{{Secret: "s", Fingerprint: bad}}); !errors.Is(err, scan.ErrFingerprint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f, err := p.Finder([]scan.Known{{Secret: "s"}}); err != nil || len(f.Find([]byte(strings.Repeat("x", 100)))) > 0 {
		t.Errorf("an empty one: %v", err)
	}
}

// Whatever is taken for fingerprints, Find finds within bounds and in order.
func FuzzFinder(f *testing.F) {
	p := newPrinter(f)
	f.Add(p.Fingerprint(secret.Of("correct-horse-battery-7")), []byte("a correct-horse-battery-7"))
	f.Add([]byte{1}, []byte("12345678"))
	f.Fuzz(func(t *testing.T, print, content []byte) {
		finder, err := p.Finder([]scan.Known{{Secret: "s", Fingerprint: print}})
		if err != nil {
			if !errors.Is(err, scan.ErrFingerprint) {
				t.Fatal(err)
			}
			return
		}
		last := 0
		for _, h := range finder.Find(content) {
			if h.Start < last || h.End <= h.Start || h.End > len(content) {
				t.Fatalf("hit %+v in %d bytes", h, len(content))
			}
			last = h.Start
		}
	})
}

func BenchmarkFinder(b *testing.B) {
	values := map[string]string{}
	for i := range uint64(50) {
		values[fmt.Sprint(i)] = letters(i, alnum, 32)
	}
	f := newFinder(b, newPrinter(b), values)
	text := []byte(strings.Repeat("some text of a program, as it may be: if err != nil { return err }\n", 10000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		f.Find(text)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	p, v := newPrinter(b), secret.Of(letters(1, alnum, 32))
	for b.Loop() {
		p.Fingerprint(v)
	}
}
