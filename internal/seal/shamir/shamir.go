// Package shamir splits a secret into n shares of which any t give it back, and fewer tell nothing about it (Adi Shamir,
// "How to share a secret", 1979), byte by byte over GF(2^8).
//
// Each share carries which set it belongs to, how many are needed, and a checksum, so that a mistyped or foreign share is
// named instead of giving a wrong secret. See [Share.String] for the form that people keep.
package shamir

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
)

const (
	// MaxShares is the most shares a secret can be split into.
	MaxShares = 255
	// MaxSecret is the most bytes a secret may have.
	MaxSecret = 128
	setSize   = 4
	checkSize = 4
)

var (
	// ErrTooFew is returned by Combine for fewer shares than needed.
	ErrTooFew = errors.New("not enough shares")
	// ErrMixed is returned by Combine for shares of different sets.
	ErrMixed = errors.New("the shares do not belong together")
	// ErrDuplicate is returned by Combine for a share given twice.
	ErrDuplicate = errors.New("the same share was given twice")
	// ErrWrong is returned by Combine when shares of one set do not give the secret they were made of.
	ErrWrong = errors.New("a share is wrong")
	// ErrSyntax is returned by Parse for what is not a share.
	ErrSyntax = errors.New("not a share")
)

// Share is one part of a secret. It is secret itself.
type Share struct {
	Set       [setSize]byte // of all shares of one split
	Threshold byte          // how many are needed
	Index     byte          // which one it is, from 1
	payload   []byte
}

// Split splits a secret into n shares, t of which give it back.
func Split(secret []byte, n, t int) ([]Share, error) {
	switch {
	case n < 1 || n > MaxShares:
		return nil, fmt.Errorf("%d shares: choose 1 to %d", n, MaxShares)
	case t < 1 || t > n:
		return nil, fmt.Errorf("a threshold of %d for %d shares: choose 1 to %d", t, n, n)
	case len(secret) < 1 || len(secret) > MaxSecret:
		return nil, fmt.Errorf("splitting %d bytes: 1 to %d can be split", len(secret), MaxSecret)
	}
	var set [setSize]byte
	if _, err := rand.Read(set[:]); err != nil {
		return nil, fmt.Errorf("splitting: %w", err)
	}
	// The last bytes of what is shared are a digest, by which Combine knows that it has the secret.
	digest := digestOf(secret, set)
	shared := append(slices.Clone(secret), digest[:checkSize]...)
	defer clear(shared)
	shares := make([]Share, n)
	for i := range shares {
		shares[i] = Share{Set: set, Threshold: byte(t), Index: byte(i + 1), payload: make([]byte, len(shared))}
	}
	coefficients := make([]byte, t)
	defer clear(coefficients)
	for at, b := range shared {
		if _, err := rand.Read(coefficients); err != nil {
			return nil, fmt.Errorf("splitting: %w", err)
		}
		coefficients[0] = b
		for i := range shares {
			shares[i].payload[at] = evaluate(coefficients, shares[i].Index)
		}
	}
	return shares, nil
}

// evaluate computes a polynomial, constant coefficient first, at x (Horner).
func evaluate(coefficients []byte, x byte) byte {
	var y byte
	for _, c := range slices.Backward(coefficients) {
		y = add(mul(y, x), c)
	}
	return y
}

func digestOf(secret []byte, set [setSize]byte) [sha256.Size]byte {
	return sha256.Sum256(append(append([]byte("zvault shamir\x00"), set[:]...), secret...))
}

// Combine gives the secret back from at least as many shares as are needed.
func Combine(shares []Share) ([]byte, error) {
	if len(shares) == 0 {
		return nil, ErrTooFew
	}
	first := shares[0]
	for i, s := range shares {
		switch {
		case s.Set != first.Set || s.Threshold != first.Threshold || len(s.payload) != len(first.payload):
			return nil, fmt.Errorf("share %x-%d is of another set than share %x-%d: %w", s.Set, s.Index, first.Set, first.Index, ErrMixed)
		case slices.ContainsFunc(shares[:i], func(o Share) bool { return o.Index == s.Index }):
			return nil, fmt.Errorf("share %x-%d: %w", s.Set, s.Index, ErrDuplicate)
		}
	}
	if missing := int(first.Threshold) - len(shares); missing > 0 {
		return nil, fmt.Errorf("%d more of %d needed: %w", missing, first.Threshold, ErrTooFew)
	}
	shared := interpolate(shares)
	secret, check := shared[:len(shared)-checkSize], shared[len(shared)-checkSize:]
	digest := digestOf(secret, first.Set)
	if subtle.ConstantTimeCompare(check, digest[:checkSize]) != 1 {
		clear(shared)
		return nil, ErrWrong
	}
	return secret, nil
}

// interpolate computes the polynomial through all shares at 0 (Lagrange). More shares than needed are all used, so that a
// wrong one among them is noticed.
func interpolate(shares []Share) []byte {
	out := make([]byte, len(shares[0].payload))
	for i, s := range shares {
		weight := byte(1)
		for j, o := range shares {
			if j != i {
				weight = mul(weight, mul(o.Index, inverse(add(o.Index, s.Index))))
			}
		}
		for at := range out {
			out[at] = add(out[at], mul(s.payload[at], weight))
		}
	}
	return out
}

// Wipe overwrites the share.
func (s Share) Wipe() { clear(s.payload) }
