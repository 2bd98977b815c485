// Package shamir splits a secret into n shares of which any t give it back, and fewer tell nothing about it (Adi Shamir,
// "How to share a secret", 1979), byte by byte over GF(2^8).
//
// Each share carries which set it belongs to, how many are needed, and a checksum, so that a mistyped or foreign share is
// named instead of giving a wrong secret. [Share.Text] is the form that people keep, [Parse] reads it.
//
// With the secret a digest of it is shared, by which [Combine] knows that it has the secret and nothing else: four bytes,
// enough against mistakes. Against somebody who makes a share up, the caller compares the secret with what it has kept for
// that; nothing that is shared could tell.
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
	// ErrNewer is returned by Parse for a share of a later format.
	ErrNewer = errors.New("the share was made by a newer version of zvault")
	// ErrNumbers is returned by Split for numbers of shares that cannot be.
	ErrNumbers = errors.New("numbers of shares out of range")
)

// Share is one part of a secret. It is secret itself.
type Share struct {
	Set       [setSize]byte // random, the same in all shares of one split
	Threshold byte          // how many are needed
	Index     byte          // which one it is, from 1
	payload   []byte
}

// Split splits a secret of 1 to MaxSecret bytes into n shares, t of which give it back; 1 <= t <= n <= MaxShares.
func Split(secret []byte, n, t int) ([]Share, error) {
	switch {
	case n < 1 || n > MaxShares:
		return nil, fmt.Errorf("%d shares, choose 1 to %d: %w", n, MaxShares, ErrNumbers)
	case t < 1 || t > n:
		return nil, fmt.Errorf("a threshold of %d for %d shares, choose 1 to %d: %w", t, n, n, ErrNumbers)
	case len(secret) < 1 || len(secret) > MaxSecret:
		return nil, fmt.Errorf("splitting %d bytes: 1 to %d can be split", len(secret), MaxSecret)
	}
	var set [setSize]byte
	if _, err := rand.Read(set[:]); err != nil {
		return nil, fmt.Errorf("splitting: %w", err)
	}
	digest := digestOf(secret, set)
	shared := slices.Concat(secret, digest)
	defer clear(shared)
	shares := make([]Share, n)
	for i := range shares {
		shares[i] = Share{Set: set, Threshold: byte(t), Index: byte(i + 1), payload: make([]byte, len(shared))} //nolint:gosec // both at most 255
	}
	if err := share(shared, shares, t); err != nil {
		return nil, err
	}
	return shares, nil
}

// share fills the payloads: of each byte the values, at the indices, of a random polynomial of degree t-1 that is the byte
// at 0.
func share(shared []byte, shares []Share, t int) error {
	coefficients := make([]byte, t)
	defer clear(coefficients)
	for at, b := range shared {
		if _, err := rand.Read(coefficients); err != nil {
			return fmt.Errorf("splitting: %w", err)
		}
		coefficients[0] = b
		for i := range shares {
			shares[i].payload[at] = evaluate(coefficients, shares[i].Index)
		}
	}
	return nil
}

// evaluate computes a polynomial, constant coefficient first, at x (Horner).
func evaluate(coefficients []byte, x byte) byte {
	var y byte
	for _, c := range slices.Backward(coefficients) {
		y = add(mul(y, x), c)
	}
	return y
}

func digestOf(secret []byte, set [setSize]byte) []byte {
	h := sha256.New()
	h.Write([]byte("zvault shamir\x00"))
	h.Write(set[:])
	h.Write(secret)
	return h.Sum(nil)[:checkSize]
}

// Combine gives the secret back from at least as many shares as are needed, all of one set: ErrTooFew, ErrMixed, ErrDuplicate
// or ErrWrong otherwise. The secret is the caller's to wipe.
func Combine(shares []Share) ([]byte, error) {
	if err := Fit(shares); err != nil {
		return nil, err
	}
	if len(shares) == 0 {
		return nil, ErrTooFew
	}
	needed := int(shares[0].Threshold)
	if missing := needed - len(shares); missing > 0 {
		return nil, fmt.Errorf("%d of %d shares given, %d missing: %w", len(shares), needed, missing, ErrTooFew)
	}
	shared := interpolate(shares)
	secret, check := shared[:len(shared)-checkSize:len(shared)-checkSize], shared[len(shared)-checkSize:]
	if subtle.ConstantTimeCompare(check, digestOf(secret, shares[0].Set)) != 1 {
		clear(shared)
		return nil, ErrWrong
	}
	return secret, nil
}

// Fit tells whether shares, enough of them or not, belong together: ErrMixed, ErrDuplicate, or for the zero Share ErrSyntax,
// if not.
func Fit(shares []Share) error {
	for i, s := range shares {
		first := shares[0]
		switch {
		case s.Index == 0 || s.Threshold == 0 || len(s.payload) <= checkSize:
			return ErrSyntax
		case s.Set != first.Set || s.Threshold != first.Threshold || len(s.payload) != len(first.payload):
			return fmt.Errorf("%v is of another set than %v: %w", s, first, ErrMixed)
		case slices.ContainsFunc(shares[:i], func(o Share) bool { return o.Index == s.Index }):
			return fmt.Errorf("%v: %w", s, ErrDuplicate)
		}
	}
	return nil
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

// Wipe overwrites the share, and every copy of it.
func (s Share) Wipe() { clear(s.payload) }
