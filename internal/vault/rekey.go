package vault

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// RekeyStatus tells how far a rekeying is.
func (c *Core) RekeyStatus(ctx context.Context) (*AttemptStatus, error) {
	required, err := c.required(ctx)
	if err != nil {
		return nil, err
	}
	a := &c.rekeyAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &AttemptStatus{
		Started: a.active, Nonce: a.nonce, Progress: a.keys.count(), Required: required, NewShares: a.shares, NewThreshold: a.threshold, Verify: a.verify,
	}
	if a.pending != nil {
		s.VerificationNonce, s.VerifyProgress, s.VerifyNeeded = a.pending.nonce, a.pending.given.count(), a.pending.shares.Threshold
	}
	return s, nil
}

// RekeyStart begins splitting a new key among n people, of whom t are needed. With verify the old shares are in force until t of
// the new ones were shown.
func (c *Core) RekeyStart(ctx context.Context, n, t int, verify bool) (*AttemptStatus, error) {
	record, err := c.SealRecord(ctx)
	if err != nil {
		return nil, err
	}
	if record.Type != shares.Type {
		return nil, logical.Invalid("this vault unseals itself with %s: there are no shares to make anew", record.Type)
	}
	if n < 1 || t < 1 || t > n || n > shamir.MaxShares || n > 1 && t == 1 {
		return nil, logical.Invalid("invalid shares or threshold: %d of %d", t, n)
	}
	a := &c.rekeyAttempt
	a.mu.Lock()
	if err = a.begin("rekey"); err == nil {
		a.shares, a.threshold, a.verify = n, t, verify
	}
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.RekeyStatus(ctx)
}

// RekeyCancel ends a rekeying; what is in force stays.
func (c *Core) RekeyCancel() {
	c.rekeyAttempt.mu.Lock()
	defer c.rekeyAttempt.mu.Unlock()
	c.rekeyAttempt.cancel()
}

// RekeyUpdate takes a share of the key in force; with the last one the new shares are given out.
func (c *Core) RekeyUpdate(ctx context.Context, nonce, text string) (*AttemptStatus, error) {
	required, err := c.required(ctx)
	if err != nil {
		return nil, err
	}
	c.state.RLock()
	defer c.state.RUnlock()
	if c.opened == nil {
		return nil, ErrSealed
	}
	a := &c.rekeyAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending != nil {
		return nil, logical.Invalid("the new keys were given out and wait to be verified")
	}
	given, err := a.give(nonce, text, required)
	if err != nil {
		return nil, err
	}
	s := &AttemptStatus{Started: true, Nonce: nonce, Progress: a.keys.count(), Required: required, NewShares: a.shares, NewThreshold: a.threshold, Verify: a.verify}
	if given == nil {
		return s, nil
	}
	if err := c.prove(ctx, given); err != nil {
		a.cancel()
		return nil, err
	}
	if s.Keys, err = c.prepareRekey(ctx, a); err != nil {
		a.cancel()
		return nil, err
	}
	s.Complete, s.Progress = true, required
	if a.verify {
		s.VerificationNonce = a.pending.nonce
		return s, nil
	}
	defer a.cancel()
	return s, c.enforce(ctx, a.pending)
}

// prepareRekey makes the new key and its shares.
func (c *Core) prepareRekey(ctx context.Context, a *attempt) (keys []string, err error) {
	before, err := c.SealRecord(ctx)
	if err != nil {
		return nil, err
	}
	root, err := crypt.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	provider := &shares.Provider{Shares: a.shares, Threshold: a.threshold, Deliver: func(all []shamir.Share) error {
		keys = texts(all)
		return nil
	}}
	record, err := seal.Prepare(ctx, provider, root, before.Generation+1, c.clock())
	if err != nil {
		root.Destroy()
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		root.Destroy()
		return nil, err
	}
	config, err := shares.Read(record.Blob)
	a.pending = &pendingSeal{record: record, root: root, nonce: id.String(), shares: config}
	return keys, err
}

// enforce puts the keyring under the new key, and stores the seal with it or not at all.
func (c *Core) enforce(ctx context.Context, p *pendingSeal) error {
	err := c.barrier.Rekey(ctx, p.root, func(tx storage.Tx) error { return seal.Store(ctx, tx, p.record) })
	if err != nil {
		return fmt.Errorf("rekeying: %w", err)
	}
	c.log.Warn("the vault was rekeyed", "shares", p.shares.Shares, "threshold", p.shares.Threshold)
	return nil
}

// RekeyVerify takes a new share; with enough of them the new key comes into force.
func (c *Core) RekeyVerify(ctx context.Context, nonce, text string) (*AttemptStatus, error) {
	c.state.RLock()
	defer c.state.RUnlock()
	if c.opened == nil {
		return nil, ErrSealed
	}
	a := &c.rekeyAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		return nil, logical.Invalid("no rekey verification is in progress")
	}
	p := a.pending
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(p.nonce)) != 1 {
		return nil, logical.Invalid("incorrect nonce supplied; nonce for this verification is %s", p.nonce)
	}
	share, err := ParseShare(text)
	if err != nil {
		return nil, err
	}
	given, err := p.given.add(share, p.shares.Threshold)
	if err != nil {
		return nil, err
	}
	s := &AttemptStatus{Started: true, Nonce: p.nonce, VerificationNonce: p.nonce, VerifyProgress: p.given.count(), VerifyNeeded: p.shares.Threshold,
		NewShares: p.shares.Shares, NewThreshold: p.shares.Threshold}
	if given == nil {
		return s, nil
	}
	collect := func(shares.Config) ([]shamir.Share, error) { return given, nil }
	opened, err := seal.Open(ctx, p.record, seal.SetOf(&shares.Provider{Collect: collect}))
	if err != nil {
		return nil, errors.Join(logical.Invalid("the new keys do not belong together; show them again: %v", err))
	}
	opened.Destroy()
	defer a.cancel()
	s.Complete = true
	return s, c.enforce(ctx, p)
}

// RekeyVerifyCancel begins the verification anew.
func (c *Core) RekeyVerifyCancel() {
	a := &c.rekeyAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending != nil {
		a.pending.given.clear()
	}
}
