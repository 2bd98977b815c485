package crypt

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Argon2Params say how a key is made from a passphrase (Argon2id, RFC 9106).
type Argon2Params struct {
	Salt    []byte `json:"salt"`
	Time    uint32 `json:"time"`       // passes
	Memory  uint32 `json:"memory_kib"` // KiB
	Threads uint8  `json:"threads"`
}

// DefaultArgon2 is RFC 9106's second recommended choice, without a salt.
func DefaultArgon2() Argon2Params { return Argon2Params{Time: 3, Memory: 64 << 10, Threads: 4} }

// ErrParams is returned for parameters outside what is safe: too weak, or made to exhaust the machine.
var ErrParams = errors.New("passphrase parameters out of bounds")

func (p Argon2Params) validate() error {
	switch {
	case len(p.Salt) < 16 || len(p.Salt) > 64:
		return fmt.Errorf("salt of %d bytes: %w", len(p.Salt), ErrParams)
	case p.Time < 1 || p.Time > 16:
		return fmt.Errorf("%d passes: %w", p.Time, ErrParams)
	case p.Memory < 8<<10 || p.Memory > 1<<20:
		return fmt.Errorf("%d KiB: %w", p.Memory, ErrParams)
	case p.Threads < 1 || p.Threads > 16:
		return fmt.Errorf("%d threads: %w", p.Threads, ErrParams)
	}
	return nil
}

// PassphraseKey makes a key from a passphrase. Parameters read from a file are checked: a hostile one can neither weaken
// the key nor exhaust the machine.
func PassphraseKey(passphrase []byte, p Argon2Params) (*Key, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return NewKey(1, argon2.IDKey(passphrase, p.Salt, p.Time, p.Memory, p.Threads, KeySize))
}
