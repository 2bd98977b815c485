// Package vault is the Vault-compatible core: it takes requests that a face has parsed, and answers them as HashiCorp Vault and
// OpenBao would.
//
// Start with New, then Core.Handle. Each request passes the same gates in the same order, in handle.go: seal, mount, token, uses,
// policy, quota, audit; then the backend; then leases, tokens and wrapping; then audit again, and only then the answer leaves.
//
// Engines and auth methods are backends (package logical) that the core mounts by type; it knows them by a table that it is
// given. What belongs to a concern of its own is a package below this one: token, lease, expiry, store.
package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/lease"
	"github.com/ArcadeLabsInc/zvault/internal/vault/lockout"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/quota"
	"github.com/ArcadeLabsInc/zvault/internal/vault/store"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// Options configure a Core.
type Options struct {
	// Backend keeps everything. Required; it stays the caller's.
	Backend storage.Backend
	// StorageType names the backend in sys/seal-status.
	StorageType string
	// Shared says that other nodes use the same backend.
	Shared bool
	// CacheBytes bounds the memory for decoded entries; 0: 64 MiB.
	CacheBytes int
	// Seals are the ways of sealing; NewSeal makes the one for a new vault. Required.
	Seals seal.Set
	// NewSeal is the provider that a new vault is sealed with; nil: key shares, as sys/init asks for them.
	NewSeal seal.Provider
	// Engines and Auths are the backends by type. "sys", "token" and "cubbyhole" are required.
	Engines map[string]*logical.Backend
	Auths   map[string]*logical.Backend
	// Audit is told of every request and every answer. Required.
	Audit Auditor
	// Identity knows who is behind a login; nil: nobody does.
	Identity Identity
	// Clock is the time; nil: time.Now.
	Clock func() time.Time
	// Log gets what operators should know. Required.
	Log *slog.Logger
	// Version is what the API says of this build.
	Version string
	// Node names this process among others; empty for one alone.
	Node string
	// Opened is called when the vault has been unsealed, before the first request; Closing before its keys are forgotten. Optional.
	Opened  func(*Core) error
	Closing func()
	// Purge forgets what a token kept for itself (its cubbyhole), in the transaction that ends it.
	Purge func(ctx context.Context, tx storage.Tx, mountPrefix, tokenHash string) error
}

// Core is one node of a vault. It is safe for concurrent use.
type Core struct {
	options Options
	barrier *barrier.Barrier
	store   *store.Store
	root    logical.Storage // all of the store
	leases  *lease.Store
	clock   func() time.Time
	log     *slog.Logger
	audit   Auditor

	measures        *measures
	limiter         *quota.Limiter
	lockout         *lockout.Guard
	acls            aclCache
	identityStorage logical.Storage

	state  sync.RWMutex // held for reading by each request, for writing while the seal changes
	opened *opened      // nil while sealed
	sealed atomic.Bool  // mirrors opened for those who only ask

	sealNext   atomic.Bool
	reopenNext atomic.Bool

	complaint seldom

	ceremony     ceremony
	rootAttempt  attempt
	rekeyAttempt attempt
	inflight     inflight
	wakeups      chan struct{}
}

// opened is what there is only while the vault is unsealed.
type opened struct {
	tokens *token.Store
	stop   context.CancelFunc // ends the work in the background
	done   chan struct{}
}

// New returns the core of a vault, sealed.
func New(o Options) (*Core, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	for _, t := range []string{"system", "cubbyhole"} {
		if o.Engines[t] == nil {
			return nil, fmt.Errorf("making the core: there is no engine %q", t)
		}
	}
	if o.Auths["token"] == nil {
		return nil, errors.New("making the core: there is no auth method \"token\"")
	}
	for _, b := range o.Engines {
		b.Ready()
	}
	for _, b := range o.Auths {
		b.Ready()
	}
	c := &Core{
		options: o, barrier: barrier.New(o.Backend), clock: o.Clock, log: o.Log, audit: o.Audit, wakeups: make(chan struct{}, 1),
	}
	c.store = store.New(c.barrier, store.Options{Shared: o.Shared, CacheBytes: o.CacheBytes})
	c.root = c.store.At("")
	c.leases = lease.NewStore(c.root)
	c.identityStorage = c.store.At(identityPrefix)
	c.limiter, c.lockout = quota.NewLimiter(), lockout.New(c.root)
	c.sealed.Store(true)
	c.measures = newMeasures(c)
	c.inflight.calls = map[string]*Call{}
	return c, nil
}

// Now is the core's clock.
func (c *Core) Now() time.Time { return c.clock() }

// Storage is the whole of the vault's store, for the backends that manage the vault itself.
func (c *Core) Storage() logical.Storage { return c.root }

// Leases are the vault's leases.
func (c *Core) Leases() *lease.Store { return c.leases }

// Barrier is the vault's barrier.
func (c *Core) Barrier() *barrier.Barrier { return c.barrier }

// Options returns what the core was made with.
func (c *Core) Options() Options { return c.options }

// Tokens are the vault's tokens; nil while it is sealed.
func (c *Core) Tokens() *token.Store {
	if o := c.opened; o != nil {
		return o.tokens
	}
	return nil
}

// open makes what an unsealed vault has. The state is held for writing.
func (c *Core) open() error {
	batch, err := c.deriveSecret("vault: batch tokens")
	if err != nil {
		return err
	}
	tokens, err := token.NewStore(c.root, batch)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.opened = &opened{tokens: tokens, stop: stop, done: make(chan struct{})}
	c.sealed.Store(false)
	if c.options.Opened != nil {
		if err := c.options.Opened(c); err != nil {
			close(c.opened.done)
			c.close()
			return err
		}
	}
	go c.background(ctx, c.opened.done)
	return nil
}

// deriveSecret makes 32 bytes for a purpose of the vault's own key, the same on every node and after every restart.
func (c *Core) deriveSecret(purpose string) ([]byte, error) {
	k, err := c.barrier.DeriveKey(purpose)
	if err != nil {
		return nil, err
	}
	defer k.Destroy()
	var secret []byte
	err = k.Export(func(material []byte) error {
		mac := hmac.New(sha256.New, material)
		secret = mac.Sum(nil)
		return nil
	})
	return secret, err
}

// DeriveKey makes a key for a purpose of the vault's own.
func (c *Core) DeriveKey(purpose string) (*crypt.Key, error) { return c.barrier.DeriveKey(purpose) }

// close is the reverse of open. The state is held for writing.
func (c *Core) close() {
	if c.opened == nil {
		return
	}
	c.opened.stop()
	<-c.opened.done
	if c.options.Closing != nil {
		c.options.Closing()
	}
	c.opened = nil
	c.sealed.Store(true)
	c.acls.drop()
	c.store.Drop()
	c.barrier.Seal()
}

// Close seals the node, waiting for the requests under way.
func (c *Core) Close() {
	c.state.Lock()
	defer c.state.Unlock()
	c.close()
}

// Sealed reports whether the node is sealed.
func (c *Core) Sealed() bool { return c.sealed.Load() }
