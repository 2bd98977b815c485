// Package passphrase seals a vault with a passphrase (Argon2id).
package passphrase

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
)

// Type is the provider's name in records.
const Type = "passphrase"

// Provider makes the key from a passphrase.
type Provider struct {
	// Ask gets the passphrase; nil means that nobody can be asked. What it returns is wiped.
	Ask func() ([]byte, error)
	// Params are for new seals; the zero value means crypt.DefaultArgon2. Salt is ignored.
	Params crypt.Argon2Params
}

var _ seal.Provider = Provider{}

// Type implements seal.Provider.
func (Provider) Type() string { return Type }

// Wrap implements seal.Provider.
func (p Provider) Wrap(_ context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	params := p.Params
	if params.Time == 0 {
		params = crypt.DefaultArgon2()
	}
	params.Salt = make([]byte, 16)
	if _, err := rand.Read(params.Salt); err != nil {
		return seal.Blob{}, err
	}
	kek, err := p.key(params)
	if err != nil {
		return seal.Blob{}, err
	}
	defer kek.Destroy()
	wrapped, err := seal.WrapWith(kek, root, aad)
	if err != nil {
		return seal.Blob{}, err
	}
	config, err := json.Marshal(params)
	return seal.Blob{Config: config, Wrapped: wrapped}, err
}

// Unwrap implements seal.Provider.
func (p Provider) Unwrap(_ context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	var params crypt.Argon2Params
	if err := json.Unmarshal(b.Config, &params); err != nil {
		return nil, fmt.Errorf("reading the passphrase parameters: %w", seal.ErrDamaged)
	}
	kek, err := p.key(params)
	if err != nil {
		return nil, err
	}
	defer kek.Destroy()
	return seal.UnwrapWith(kek, b.Wrapped, aad)
}

func (p Provider) key(params crypt.Argon2Params) (*crypt.Key, error) {
	if p.Ask == nil {
		return nil, seal.ErrNeedsInput
	}
	phrase, err := p.Ask()
	if err != nil {
		return nil, err
	}
	defer clear(phrase)
	return crypt.PassphraseKey(phrase, params)
}
