package vault

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/policy"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// InitResult is what a new vault gives out, once.
type InitResult struct {
	Shares    []string // of the unseal key, or of the recovery key where the vault unseals itself
	RootToken string
	Recovery  bool
}

// infoName holds what is known of the vault as a whole.
const infoName = "info"

// Info is what a vault is called.
type Info struct {
	ClusterID   string    `json:"cluster_id"`
	ClusterName string    `json:"cluster_name"`
	Created     time.Time `json:"created"`
	// Recovery checks recovery keys: where the vault unseals itself, they authorise what unseal keys otherwise do.
	Recovery *RecoveryCheck `json:"recovery,omitempty"`
}

// RecoveryCheck is the split of the recovery key, and its digest.
type RecoveryCheck struct {
	Shares, Threshold int
	Digest            []byte
}

// Initialized reports whether the store holds a vault.
func (c *Core) Initialized(ctx context.Context) (bool, error) {
	_, err := seal.Load(ctx, c.options.Backend)
	if errors.Is(err, seal.ErrNoSeal) {
		return false, nil
	}
	return err == nil, err
}

// SealRecord says how the vault is sealed; seal.ErrNoSeal before it is initialized.
func (c *Core) SealRecord(ctx context.Context) (*seal.Record, error) {
	return seal.Load(ctx, c.options.Backend)
}

// Init makes a new vault and opens it. n and t split the unseal key, or the recovery key where the vault unseals itself; 0
// then means that there shall be none.
func (c *Core) Init(ctx context.Context, n, t int) (*InitResult, error) {
	c.state.Lock()
	defer c.state.Unlock()
	if done, err := c.Initialized(ctx); err != nil || done {
		return nil, errors.Join(err, errIf(done, logical.Invalid("Vault is already initialized")))
	}
	result := &InitResult{Recovery: c.options.NewSeal != nil}
	provider := c.options.NewSeal
	if provider == nil {
		provider = &shares.Provider{Shares: n, Threshold: t, Deliver: func(all []shamir.Share) error {
			result.Shares = texts(all)
			return nil
		}}
	}
	root, err := crypt.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	defer root.Destroy()
	record, err := seal.Prepare(ctx, provider, root, 1, c.clock())
	if errors.Is(err, shamir.ErrNumbers) {
		return nil, logical.Invalid("%v", err)
	}
	if err != nil {
		return nil, err
	}
	err = barrier.Initialize(ctx, c.options.Backend, root, func(tx storage.Tx) error { return seal.Store(ctx, tx, record) })
	if err != nil {
		return nil, err
	}
	if err := c.barrier.Unseal(ctx, root); err != nil {
		return nil, err
	}
	if err := c.furnish(ctx, result, n, t); err != nil {
		return nil, err
	}
	if c.options.NewSeal == nil { // an operator unseals it
		c.close()
	}
	return result, nil
}

func errIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

func texts(all []shamir.Share) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = hex.EncodeToString([]byte(s.Text()))
	}
	return out
}

// furnish stores what every vault has: a name, mounts, the default policy and a root token.
func (c *Core) furnish(ctx context.Context, result *InitResult, n, t int) error {
	info := Info{Created: c.clock().UTC()}
	if result.Recovery && n > 0 {
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return err
		}
		all, err := shamir.Split(key, n, t)
		if err != nil {
			return logical.Invalid("%v", err)
		}
		result.Shares = texts(all)
		info.Recovery = &RecoveryCheck{Shares: n, Threshold: t, Digest: digestOf(key)}
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	info.ClusterID, info.ClusterName = id.String(), "zvault-cluster-"+id.String()[:8]
	mounts, err := defaultMounts()
	if err != nil {
		return err
	}
	if c.opened == nil {
		if err := c.open(); err != nil {
			return err
		}
	}
	return c.root.Update(ctx, func(tx storage.Tx) error {
		if _, err := tx.Get(ctx, tableName); !isNotFound(err) {
			return err // another node was first
		}
		if err := logical.Put(ctx, tx, infoName, info); err != nil {
			return err
		}
		if err := logical.Put(ctx, tx, tableName, mounts); err != nil {
			return err
		}
		p := StoredPolicy{Name: "default", Text: policy.DefaultText, Version: 1, Modified: info.Created}
		if err := logical.Put(ctx, tx, PolicyFolder+"default", p); err != nil {
			return err
		}
		e := &token.Entry{Type: token.Service, Policies: []string{"root"}, Path: "auth/token/root", DisplayName: "root"}
		result.RootToken, err = c.NewToken(ctx, tx, e, c.clock())
		return err
	})
}

// Complete furnishes an unsealed vault whose making was interrupted. It returns the root token, "" if nothing was missing.
func (c *Core) Complete(ctx context.Context) (string, error) {
	c.state.Lock()
	defer c.state.Unlock()
	if err := c.store.Refresh(ctx); err != nil {
		return "", err
	}
	if _, err := c.root.Get(ctx, tableName); !isNotFound(err) {
		return "", err
	}
	result := &InitResult{}
	err := c.furnish(ctx, result, 0, 0)
	return result.RootToken, err
}

// Info returns what the vault is called; nil while that is sealed or not there.
func (c *Core) Info(ctx context.Context) (*Info, error) {
	return logical.Load[Info](ctx, c.root, infoName)
}

// UnsealAuto opens a vault that can unseal itself. It is seal.ErrNeedsInput for one that cannot.
func (c *Core) UnsealAuto(ctx context.Context) error {
	record, err := c.SealRecord(ctx)
	if err != nil {
		return err
	}
	if record.Type == shares.Type {
		return seal.ErrNeedsInput
	}
	root, err := seal.Open(ctx, record, c.options.Seals)
	if err != nil {
		return err
	}
	defer root.Destroy()
	c.state.Lock()
	defer c.state.Unlock()
	return c.unsealWith(ctx, root)
}

// unsealWith opens the vault with its root key. The state is held for writing.
func (c *Core) unsealWith(ctx context.Context, root *crypt.Key) error {
	if c.opened != nil {
		return nil
	}
	if err := c.barrier.Unseal(ctx, root); err != nil {
		return err
	}
	return c.open()
}

// SealNow seals the node.
func (c *Core) SealNow() {
	c.state.Lock()
	defer c.state.Unlock()
	c.close()
}

// ceremony collects the shares that people give, one call each.
type ceremony struct {
	mu    sync.Mutex
	nonce string
	given []shamir.Share
}

// Progress is how far an unsealing is.
type Progress struct {
	Given int
	Nonce string
}

// UnsealProgress tells how far the unsealing is.
func (c *Core) UnsealProgress() Progress {
	c.ceremony.mu.Lock()
	defer c.ceremony.mu.Unlock()
	return Progress{len(c.ceremony.given), c.ceremony.nonce}
}

// UnsealReset forgets the shares given so far.
func (c *Core) UnsealReset() {
	c.ceremony.mu.Lock()
	defer c.ceremony.mu.Unlock()
	c.ceremony.reset()
}

func (c *ceremony) reset() {
	for _, s := range c.given {
		s.Wipe()
	}
	c.given, c.nonce = nil, ""
}

// Unseal takes one share of the unseal key, and opens the vault when there are enough. The error for a wrong one is the
// client's.
func (c *Core) Unseal(ctx context.Context, text string) error {
	record, err := c.SealRecord(ctx)
	if errors.Is(err, seal.ErrNoSeal) {
		return ErrNotInitialized
	}
	if err != nil {
		return err
	}
	if !c.Sealed() {
		return nil
	}
	if record.Type != shares.Type {
		return logical.Invalid("this vault unseals itself with %s", record.Type)
	}
	config, err := shares.Read(record.Blob)
	if err != nil {
		return err
	}
	share, err := ParseShare(text)
	if err != nil {
		return err
	}
	if fmt.Sprintf("%x", share.Set) != config.Set {
		return logical.Invalid("the key is of another set than this vault's")
	}
	given, err := c.ceremony.add(share, config.Threshold)
	if err != nil || given == nil {
		return err
	}
	root, err := seal.Open(ctx, record, seal.SetOf(&shares.Provider{Collect: func(shares.Config) ([]shamir.Share, error) { return given, nil }}))
	if err != nil {
		return logical.Invalid("Unseal failed: %v", err)
	}
	defer root.Destroy()
	c.state.Lock()
	defer c.state.Unlock()
	return c.unsealWith(ctx, root)
}

// add takes a share; it returns all of them when there are enough, and begins anew.
func (c *ceremony) add(share shamir.Share, threshold int) ([]shamir.Share, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.given, func(s shamir.Share) bool { return s.Index == share.Index }) {
		return nil, nil // given again: no progress, as in Vault
	}
	if c.nonce == "" {
		id, err := uuid.NewRandom()
		if err != nil {
			return nil, err
		}
		c.nonce = id.String()
	}
	c.given = append(c.given, share)
	if len(c.given) < threshold {
		return nil, nil
	}
	given := c.given
	c.given, c.nonce = nil, ""
	return given, nil
}

// ParseShare reads a share as operators give it: its text, or the hex or base64 of it that sys/init also gave out.
func ParseShare(text string) (shamir.Share, error) {
	if s, err := shamir.Parse(text); err == nil {
		return s, nil
	}
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		raw, err := decode(text)
		if err != nil {
			continue
		}
		s, err := shamir.Parse(string(raw))
		if err != nil {
			return s, logical.Invalid("Unseal failed, invalid key: %v", err)
		}
		return s, nil
	}
	return shamir.Share{}, logical.Invalid("'key' must be a valid hex or base64 string")
}
