package shamir_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

func split(t testing.TB, secret []byte, n, threshold int) []shamir.Share {
	t.Helper()
	shares, err := shamir.Split(secret, n, threshold)
	if err != nil {
		t.Fatal(err)
	}
	return shares
}

// Any threshold of shares, through their printed form, give the secret; one fewer never does.
func TestSplit_AnyThreshold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 1, shamir.MaxSecret).Draw(t, "secret")
		n := rapid.IntRange(1, 20).Draw(t, "n")
		threshold := rapid.IntRange(1, n).Draw(t, "t")
		shares, err := shamir.Split(secret, n, threshold)
		if err != nil {
			t.Fatal(err)
		}
		picked := rapid.Permutation(shares).Draw(t, "picked")
		some := picked[:rapid.IntRange(threshold, n).Draw(t, "k")]
		for i := range some {
			if some[i], err = shamir.Parse(some[i].Text()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := shamir.Combine(some)
		if err != nil || !bytes.Equal(got, secret) {
			t.Fatalf("%d of %d shares did not give the secret: %v", len(some), n, err)
		}
		if _, err := shamir.Combine(picked[:threshold-1]); !errors.Is(err, shamir.ErrTooFew) {
			t.Fatalf("too few shares: %v", err)
		}
	})
}

func TestSplit_Extremes(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{0, 255}, 16)
	for _, c := range []struct{ n, t int }{{1, 1}, {255, 1}, {255, 255}, {255, 128}} {
		got, err := shamir.Combine(split(t, secret, c.n, c.t)[c.n-c.t:])
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%d of %d: %v", c.t, c.n, err)
		}
	}
	for _, c := range []struct{ n, t int }{{0, 0}, {1, 2}, {256, 3}, {5, 0}, {-1, -1}} {
		if _, err := shamir.Split(secret, c.n, c.t); err == nil {
			t.Errorf("%d of %d was accepted", c.t, c.n)
		}
	}
}

func TestCombine_BadShares(t *testing.T) {
	t.Parallel()
	secret := []byte("correct horse battery staple....")
	a, b := split(t, secret, 5, 3), split(t, secret, 5, 3)
	for name, c := range map[string]struct {
		shares []shamir.Share
		want   error
	}{
		"none":       {nil, shamir.ErrTooFew},
		"two of 3":   {a[:2], shamir.ErrTooFew},
		"duplicate":  {[]shamir.Share{a[0], a[1], a[0]}, shamir.ErrDuplicate},
		"mixed sets": {[]shamir.Share{a[0], a[1], b[2]}, shamir.ErrMixed},
	} {
		if _, err := shamir.Combine(c.shares); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", name, err, c.want)
		}
	}
	forged := a[1]
	forged.Index = 9
	if _, err := shamir.Combine([]shamir.Share{a[0], forged, a[2]}); !errors.Is(err, shamir.ErrWrong) {
		t.Errorf("a wrong share: %v", err)
	}
}

// One mistyped letter anywhere is noticed.
func TestParse_Typos(t *testing.T) {
	t.Parallel()
	text := split(t, []byte("0123456789abcdef0123456789abcdef"), 3, 2)[0].Text()
	for i := range text {
		for _, c := range "a7z" {
			typo := text[:i] + string(c) + text[i+1:]
			if typo == text || text[i] == '-' {
				continue
			}
			if _, err := shamir.Parse(typo); !errors.Is(err, shamir.ErrSyntax) {
				t.Fatalf("a typo at %d was not noticed: %v", i, err)
			}
		}
	}
	if _, err := shamir.Parse(strings.ToUpper(strings.ReplaceAll(text, "-", " "))); err != nil {
		t.Errorf("capitals and spaces: %v", err)
	}
}

// Fewer shares than needed are as good as random: every value of a byte is about as frequent for two unlike secrets.
func TestSplit_TellsNothing(t *testing.T) {
	t.Parallel()
	const runs = 25600
	for _, secret := range []byte{0x00, 0xff} {
		var seen [256]int
		for range runs {
			seen[shamir.PayloadForTest(split(t, []byte{secret}, 2, 2)[0])[0]]++
		}
		chi := 0.0
		for _, n := range seen {
			d := float64(n) - runs/256
			chi += d * d / (runs / 256)
		}
		if chi > 400 { // 255 degrees of freedom: beyond 400 once in 10^7
			t.Errorf("shares of %#x are not uniform: chi squared %.0f", secret, chi)
		}
	}
}

func TestShare_NeverPrints(t *testing.T) {
	t.Parallel()
	s := split(t, []byte("0123456789abcdef0123456789abcdef"), 3, 2)[0]
	hexed := fmt.Sprintf("%x", shamir.PayloadForTest(s))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		if out := fmt.Sprintf(verb+verb, s, []shamir.Share{s}); strings.Contains(out, hexed) || strings.Contains(out, s.Text()) {
			t.Errorf("%s prints the share", verb)
		}
	}
}

func FuzzParse(f *testing.F) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		f.Fatal(err)
	}
	f.Add(split(f, secret, 3, 2)[0].Text())
	f.Add("zvs1-")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := shamir.Parse(text)
		if err != nil {
			return
		}
		again, err := shamir.Parse(s.Text())
		if err != nil || again.Text() != s.Text() {
			t.Fatalf("a share that parses does not come back: %v", err)
		}
	})
}
