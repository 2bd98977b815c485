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

// Any threshold of shares, through their printed form, give the secret; one fewer never does, not even with a share made up
// in the place of the missing one.
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
		few := picked[:threshold-1]
		if _, err := shamir.Combine(few); !errors.Is(err, shamir.ErrTooFew) {
			t.Fatalf("too few shares: %v", err)
		}
		payload := make([]byte, len(secret)+4)
		if _, err := rand.Read(payload); err != nil {
			t.Fatal(err)
		}
		made := shamir.ForgeForTest(picked[0], picked[threshold-1].Index, payload)
		if got, err := shamir.Combine(append(few[:threshold-1:threshold-1], made)); !errors.Is(err, shamir.ErrWrong) {
			t.Fatalf("a share made up: %v, secret %t", err, bytes.Equal(got, secret))
		}
	})
}

// All 2^5 choices of 5 shares, 3 of which are needed.
func TestCombine_EveryChoice(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	shares := split(t, secret, 5, 3)
	for choice := range 1 << len(shares) {
		var some []shamir.Share
		for i, s := range shares {
			if choice>>i&1 == 1 {
				some = append(some, s)
			}
		}
		got, err := shamir.Combine(some)
		if enough := len(some) >= 3; enough != (err == nil) || enough != bytes.Equal(got, secret) {
			t.Errorf("choice %05b: %v", choice, err)
		}
	}
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
	for _, c := range []struct{ n, t int }{{0, 0}, {1, 2}, {256, 3}, {5, 0}, {-1, -1}, {5, -1}, {257, 257}} {
		if _, err := shamir.Split(secret, c.n, c.t); !errors.Is(err, shamir.ErrNumbers) {
			t.Errorf("%d of %d: %v", c.t, c.n, err)
		}
	}
	for _, size := range []int{0, shamir.MaxSecret + 1} {
		if _, err := shamir.Split(make([]byte, size), 3, 2); err == nil {
			t.Errorf("%d bytes were split", size)
		}
	}
}

func TestCombine_BadShares(t *testing.T) {
	t.Parallel()
	secret := []byte("correct horse battery staple....")
	a, b := split(t, secret, 5, 3), split(t, secret, 5, 3)
	other := split(t, secret, 5, 2)
	longer := shamir.ForgeForTest(a[2], 3, make([]byte, 40))
	for name, c := range map[string]struct {
		shares []shamir.Share
		want   error
		says   string
	}{
		"none":           {nil, shamir.ErrTooFew, ""},
		"two of 3":       {a[:2], shamir.ErrTooFew, "2 of 3 shares given, 1 missing"},
		"one of 3":       {a[:1], shamir.ErrTooFew, "1 of 3 shares given, 2 missing"},
		"duplicate":      {[]shamir.Share{a[0], a[1], a[0]}, shamir.ErrDuplicate, a[0].String()},
		"mixed sets":     {[]shamir.Share{a[0], a[1], b[2]}, shamir.ErrMixed, fmt.Sprintf("%v is of another set than %v", b[2], a[0])},
		"too few, mixed": {[]shamir.Share{a[0], b[2]}, shamir.ErrMixed, b[2].String()},
		"other numbers":  {[]shamir.Share{a[0], a[1], other[2]}, shamir.ErrMixed, other[2].String()},
		"other lengths":  {[]shamir.Share{a[0], a[1], longer}, shamir.ErrMixed, ""},
		"zero":           {[]shamir.Share{{}}, shamir.ErrSyntax, ""},
		"index moved":    {[]shamir.Share{a[0], shamir.ForgeForTest(a[1], 9, shamir.PayloadForTest(a[1])), a[2]}, shamir.ErrWrong, ""},
		"a forged extra": {[]shamir.Share{a[0], a[1], a[2], shamir.ForgeForTest(a[3], 4, shamir.PayloadForTest(a[4]))}, shamir.ErrWrong, ""},
	} {
		if _, err := shamir.Combine(c.shares); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %v that says %q", name, err, c.want, c.says)
		}
	}
}

// Any change of any byte of a share gives an error, not another secret.
func TestCombine_EveryByte(t *testing.T) {
	t.Parallel()
	shares := split(t, []byte("0123456789abcdef0123456789abcdef"), 3, 2)
	for at := range shamir.PayloadForTest(shares[1]) {
		payload := bytes.Clone(shamir.PayloadForTest(shares[1]))
		payload[at] ^= 1 << (at % 8)
		if _, err := shamir.Combine([]shamir.Share{shares[0], shamir.ForgeForTest(shares[1], 2, payload)}); !errors.Is(err, shamir.ErrWrong) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// A share alone is as good as random: every value of a byte is about as frequent for two unlike secrets.
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

// Splits of one secret have nothing in common: neither the set nor a share.
func TestSplit_Fresh(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	a, b := split(t, secret, 3, 2), split(t, secret, 3, 2)
	if a[0].Set == b[0].Set {
		t.Error("two splits have the same set id")
	}
	for i := range a {
		if bytes.Equal(shamir.PayloadForTest(a[i]), shamir.PayloadForTest(b[i])) {
			t.Errorf("two splits share the share %d", i+1)
		}
	}
}

func TestShare_Wipe(t *testing.T) {
	t.Parallel()
	s := split(t, []byte("0123456789abcdef"), 2, 2)[0]
	payload := shamir.PayloadForTest(s)
	s.Wipe()
	if !bytes.Equal(payload, make([]byte, len(payload))) {
		t.Error("a wiped share still has its payload")
	}
}

func BenchmarkSplit(b *testing.B) {
	secret := make([]byte, 32)
	for b.Loop() {
		if _, err := shamir.Split(secret, 5, 3); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCombine(b *testing.B) {
	shares := split(b, make([]byte, 32), 5, 3)[:3]
	for b.Loop() {
		if _, err := shamir.Combine(shares); err != nil {
			b.Fatal(err)
		}
	}
}
