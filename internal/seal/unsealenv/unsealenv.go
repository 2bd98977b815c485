// Package unsealenv seals a vault with a key from an environment variable, for containers and build machines.
package unsealenv

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
)

const (
	// Type is the provider's name in records.
	Type = "env"
	// Variable holds the key: 32 bytes in base64 or hex, as of `openssl rand -base64 32`.
	Variable = "ZVAULT_UNSEAL_KEY"
)

// Provider reads the key from Variable.
type Provider struct {
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
}

var _ seal.Provider = Provider{}

// Type implements seal.Provider.
func (Provider) Type() string { return Type }

// Wrap implements seal.Provider.
func (p Provider) Wrap(_ context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	kek, err := p.key()
	if err != nil {
		return seal.Blob{}, err
	}
	defer kek.Destroy()
	wrapped, err := seal.WrapWith(kek, root, aad)
	return seal.Blob{Wrapped: wrapped}, err
}

// Unwrap implements seal.Provider.
func (p Provider) Unwrap(_ context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	kek, err := p.key()
	if err != nil {
		return nil, err
	}
	defer kek.Destroy()
	return seal.UnwrapWith(kek, b.Wrapped, aad)
}

func (p Provider) key() (*crypt.Key, error) {
	getenv := p.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	text := getenv(Variable)
	if text == "" {
		return nil, fmt.Errorf("%s is not set: %w", Variable, seal.ErrUnavailable)
	}
	material, err := hex.DecodeString(text)
	if err != nil || len(material) != crypt.KeySize {
		material, err = base64.StdEncoding.Strict().DecodeString(text)
	}
	if err != nil || len(material) != crypt.KeySize {
		return nil, fmt.Errorf("%s does not hold 32 bytes in base64 or hex: %w", Variable, seal.ErrDamaged)
	}
	return crypt.NewKey(1, material)
}
