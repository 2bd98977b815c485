package vault

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// attempt is something that needs several people: each gives a share, and with enough of them it is done. One of a kind is
// under way at a time, in this process alone.
type attempt struct {
	mu     sync.Mutex
	active bool
	nonce  string
	keys   ceremony
	otp    string // generate-root: what the token is hidden with

	// rekey: what was asked for, and what waits to be verified.
	shares, threshold int
	verify            bool
	pending           *pendingSeal
}

// pendingSeal is a new seal that is not in force until its shares were shown.
type pendingSeal struct {
	record *seal.Record
	root   *crypt.Key
	nonce  string
	given  ceremony
	shares shares.Config
}

// AttemptStatus is how far an attempt is.
type AttemptStatus struct {
	Started, Complete            bool
	Nonce                        string
	Progress, Required           int
	OTP                          string
	EncodedToken                 string
	NewShares, NewThreshold      int
	Verify                       bool
	Keys                         []string
	VerificationNonce            string
	VerifyProgress, VerifyNeeded int
}

// cancel forgets an attempt. The attempt is locked.
func (a *attempt) cancel() {
	a.keys.clear()
	if a.pending != nil {
		a.pending.root.Destroy()
		a.pending.given.clear()
	}
	a.active, a.nonce, a.otp, a.pending = false, "", "", nil
}

// clear forgets the shares given so far.
func (c *ceremony) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset()
}

// begin starts an attempt. The attempt is locked.
func (a *attempt) begin(what string) error {
	if a.active {
		return logical.Invalid("%s already in progress", what)
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	a.active, a.nonce = true, id.String()
	return nil
}

// required is how many shares authorise what only those who hold the vault's key may do.
func (c *Core) required(ctx context.Context) (int, error) {
	record, err := c.SealRecord(ctx)
	if err != nil {
		return 0, err
	}
	if record.Type == shares.Type {
		s, err := shares.Read(record.Blob)
		return s.Threshold, err
	}
	info, err := c.Info(ctx)
	if err != nil || info == nil || info.Recovery == nil {
		return 0, errors.Join(err, logical.Invalid("the vault unseals itself and was made without recovery keys, so nobody can authorise this"))
	}
	return info.Recovery.Threshold, nil
}

// prove requires that shares are those of the vault's key, or of its recovery key.
func (c *Core) prove(ctx context.Context, given []shamir.Share) error {
	record, err := c.SealRecord(ctx)
	if err != nil {
		return err
	}
	if record.Type == shares.Type {
		collect := func(shares.Config) ([]shamir.Share, error) { return given, nil }
		root, err := seal.Open(ctx, record, seal.SetOf(&shares.Provider{Collect: collect}))
		if err != nil {
			return logical.Invalid("the keys do not open this vault: %v", err)
		}
		root.Destroy()
		return nil
	}
	info, err := c.Info(ctx)
	if err != nil {
		return err
	}
	key, err := shamir.Combine(given)
	if err != nil {
		return logical.Invalid("the keys are not this vault's recovery keys: %v", err)
	}
	defer clear(key)
	if subtle.ConstantTimeCompare(digestOf(key), info.Recovery.Digest) != 1 {
		return logical.Invalid("the keys are not this vault's recovery keys")
	}
	return nil
}

// give takes a share for an attempt; it returns all when there are enough.
func (a *attempt) give(nonce, text string, required int) ([]shamir.Share, error) {
	if !a.active {
		return nil, logical.Invalid("nothing of this kind is in progress")
	}
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(a.nonce)) != 1 {
		return nil, logical.Invalid("incorrect nonce supplied; nonce for this operation is %s", a.nonce)
	}
	share, err := ParseShare(text)
	if err != nil {
		return nil, err
	}
	return a.keys.add(share, required)
}

// RootStatus tells how far making a root token is.
func (c *Core) RootStatus(ctx context.Context) (*AttemptStatus, error) {
	required, err := c.required(ctx)
	if err != nil {
		return nil, err
	}
	a := &c.rootAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	return &AttemptStatus{Started: a.active, Nonce: a.nonce, Progress: a.keys.count(), Required: required}, nil
}

func (c *ceremony) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.given)
}

// OTPLength is the length of the one-time password that hides a new root token: that of a token.
var OTPLength = sync.OnceValue(func() int {
	t, err := token.New()
	if err != nil {
		return 0
	}
	return len(t)
})

// RootStart begins making a root token; without a one-time password it makes one.
func (c *Core) RootStart(ctx context.Context, otp string) (*AttemptStatus, error) {
	made := ""
	if otp == "" {
		var err error
		if otp, err = randomText(OTPLength()); err != nil {
			return nil, err
		}
		made = otp
	}
	if len(otp) != OTPLength() {
		return nil, logical.Invalid("OTP string is wrong length: expected %d", OTPLength())
	}
	a := &c.rootAttempt
	a.mu.Lock()
	err := a.begin("root generation")
	if err == nil {
		a.otp = otp
	}
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s, err := c.RootStatus(ctx)
	if err != nil {
		return nil, err
	}
	s.OTP = made
	return s, nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func randomText(n int) (string, error) {
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", err
		}
		out[i] = letters[k.Int64()]
	}
	return string(out), nil
}

// RootCancel ends making a root token.
func (c *Core) RootCancel() {
	c.rootAttempt.mu.Lock()
	defer c.rootAttempt.mu.Unlock()
	c.rootAttempt.cancel()
}

// RootUpdate takes a share; with the last one the token is made and given out, hidden by the one-time password.
func (c *Core) RootUpdate(ctx context.Context, nonce, text string) (*AttemptStatus, error) {
	required, err := c.required(ctx)
	if err != nil {
		return nil, err
	}
	c.state.RLock()
	defer c.state.RUnlock()
	if c.opened == nil {
		return nil, ErrSealed
	}
	a := &c.rootAttempt
	a.mu.Lock()
	defer a.mu.Unlock()
	given, err := a.give(nonce, text, required)
	if err != nil {
		return nil, err
	}
	if given == nil {
		return &AttemptStatus{Started: true, Nonce: a.nonce, Progress: a.keys.count(), Required: required}, nil
	}
	defer a.cancel()
	if err := c.prove(ctx, given); err != nil {
		return nil, err
	}
	var id string
	err = c.root.Update(ctx, func(tx storage.Tx) (err error) {
		e := &token.Entry{Type: token.Service, Policies: []string{"root"}, Path: "auth/token/root", DisplayName: "root"}
		id, err = c.NewToken(ctx, tx, e, c.clock())
		return err
	})
	if err != nil {
		return nil, err
	}
	c.log.Warn("a root token was made by those who hold the key shares", "nonce", nonce)
	hidden := make([]byte, len(id))
	if subtle.XORBytes(hidden, []byte(id), []byte(a.otp)) != len(id) {
		return nil, fmt.Errorf("hiding the root token: %w", logical.Invalid("the one-time password is too short"))
	}
	return &AttemptStatus{
		Started: true, Complete: true, Nonce: nonce, Progress: required, Required: required,
		EncodedToken: base64.RawStdEncoding.EncodeToString(hidden),
	}, nil
}
