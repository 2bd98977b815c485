// Package shares seals a vault with a key that is split among people (package shamir).
package shares

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

// Type is the provider's name in records.
const Type = "shamir"

// Config is what a record says of the split.
type Config struct {
	Shares    int    `json:"shares"`
	Threshold int    `json:"threshold"`
	Set       string `json:"set"` // the id that all shares carry
}

// Provider splits the key that wraps the root key.
type Provider struct {
	// Shares and Threshold are for new seals.
	Shares, Threshold int
	// Deliver is given the shares of a new seal, before it is in force.
	Deliver func([]shamir.Share) error
	// Collect gets enough shares to unseal; nil means that nobody can be asked.
	Collect func(Config) ([]shamir.Share, error)

	// made keeps the shares between Wrap and the proof that follows it.
	made []shamir.Share
}

var _ seal.Provider = (*Provider)(nil)

// Type implements seal.Provider.
func (*Provider) Type() string { return Type }

// Wrap implements seal.Provider.
func (p *Provider) Wrap(_ context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	kek, err := crypt.GenerateKey(1)
	if err != nil {
		return seal.Blob{}, err
	}
	defer kek.Destroy()
	if err := kek.Export(func(material []byte) error {
		p.made, err = shamir.Split(material, p.Shares, p.Threshold)
		return err
	}); err != nil {
		return seal.Blob{}, err
	}
	wrapped, err := seal.WrapWith(kek, root, aad)
	if err != nil {
		return seal.Blob{}, err
	}
	if err := p.Deliver(p.made); err != nil {
		return seal.Blob{}, fmt.Errorf("handing out the shares: %w", err)
	}
	config, err := json.Marshal(Config{Shares: p.Shares, Threshold: p.Threshold, Set: fmt.Sprintf("%x", p.made[0].Set)})
	return seal.Blob{Config: config, Wrapped: wrapped}, err
}

// Unwrap implements seal.Provider.
func (p *Provider) Unwrap(_ context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	c, err := Read(b)
	if err != nil {
		return nil, err
	}
	given, err := p.collect(c)
	if err != nil {
		return nil, err
	}
	for _, s := range given {
		if got := fmt.Sprintf("%x", s.Set); got != c.Set {
			return nil, fmt.Errorf("%v is of another set than this vault's, %s: %w", s, c.Set, shamir.ErrMixed)
		}
	}
	material, err := shamir.Combine(given)
	if err != nil {
		return nil, err
	}
	kek, err := crypt.NewKey(1, material)
	if err != nil {
		return nil, errors.Join(seal.ErrWrongKey, err)
	}
	defer kek.Destroy()
	return seal.UnwrapWith(kek, b.Wrapped, aad)
}

// collect takes the shares just made, once, or asks for them.
func (p *Provider) collect(c Config) ([]shamir.Share, error) {
	if made := p.made; made != nil {
		p.made = nil
		return made[len(made)-c.Threshold:], nil
	}
	if p.Collect == nil {
		return nil, seal.ErrNeedsInput
	}
	return p.Collect(c)
}

// Read reads what a record says of the split.
func Read(b seal.Blob) (Config, error) {
	var c Config
	if err := json.Unmarshal(b.Config, &c); err != nil || c.Threshold < 1 || c.Shares < c.Threshold || c.Shares > shamir.MaxShares {
		return c, fmt.Errorf("reading the numbers of shares: %w", seal.ErrDamaged)
	}
	return c, nil
}
