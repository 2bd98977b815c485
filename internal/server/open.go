package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/seal/unsealenv"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
)

// Config says what a server is made of.
type Config struct {
	// Dir is where the data, the key file and the audit log are; unused in memory. Required otherwise.
	Dir string
	// Storage is sqlite (the default), bbolt, pebble or memory.
	Storage string
	// Database is the URL of a PostgreSQL database, instead of Storage.
	Database string
	// Seal is keyfile (the default; env with Database), env or shamir.
	Seal string
	// AuditSync is disk (the default) or os: when an entry of the audit log counts as written.
	AuditSync string
	// Listen is the address; port 0 takes any.
	Listen string
	// CertFile and KeyFile serve TLS 1.3. Without them only loopback is served.
	CertFile, KeyFile string
	// DevToken makes a throw-away server in memory: initialized, unsealed, with this root token and a kv-v2 engine at secret/.
	DevToken string
	Dev      bool
	Version  string
	// CacheMB bounds the memory for decoded entries; 0: 64.
	CacheMB int
	// LogLevel is debug, info (the default), warn or error; Level, which Log must honour, is set by it.
	LogLevel string
	Level    *slog.LevelVar
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
	Log    *slog.Logger
}

// Running is a server that has been put together.
type Running struct {
	*Server
	// Core is the vault behind it.
	Core *vault.Core
	// RootToken is given once, for a vault that was made just now and unseals itself.
	RootToken string

	config   Config
	backend  storage.Backend
	closeDB  func() error
	unlock   func() error
	listener net.Listener
	cert     certificate
	log      *auditLog
}

// Open puts a server together, makes the vault if that needs nobody, and unseals it if that needs nobody. Nothing listens yet.
func Open(ctx context.Context, c Config) (*Running, error) {
	r := &Running{config: c, unlock: func() error { return nil }, closeDB: func() error { return nil }}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Running) open(ctx context.Context) (err error) {
	c := &r.config
	if c.Dir != "" {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return fmt.Errorf("making the data directory: %w", err)
		}
		if r.unlock, err = lockDir(c.Dir); err != nil {
			return err
		}
	}
	if err := lockMemory(); err != nil && !c.Dev {
		c.Log.Warn("values in use may be written to swap; keys are locked all the same", "reason", err)
	}
	if err := r.openStorage(ctx); err != nil {
		return err
	}
	provider, seals, err := c.seals()
	if err != nil {
		return err
	}
	r.log = &auditLog{config: c}
	engines, auths, who, manage := backends()
	node, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	o := vault.Options{
		Backend: r.backend, StorageType: c.Storage, Shared: c.Database != "", Seals: seals, NewSeal: provider, Engines: engines, Auths: auths,
		Audit: r.log, Log: c.Log, Version: c.Version, Node: node.String(), Purge: purgeCubbyhole, Opened: r.log.open, Closing: r.log.close,
		Identity: who, CacheBytes: c.CacheMB << 20,
	}
	if r.Core, err = vault.New(o); err != nil {
		return err
	}
	manage(r.Core)
	r.Server = New(r.Core, c.Log, Options{
		Version: c.Version, StorageType: c.Storage, Shared: c.Database != "", AutoUnseal: provider != nil,
	})
	return r.start(ctx)
}

// start brings the vault as far as nobody is needed.
func (r *Running) start(ctx context.Context) error {
	done, err := r.Core.Initialized(ctx)
	if err != nil {
		return err
	}
	if !done {
		if r.config.Seal == "shamir" {
			return nil // an operator does that
		}
		result, err := r.Core.Init(ctx, 0, 0)
		switch {
		case errors.Is(err, barrier.ErrInitialized): // another node was first
		case err != nil:
			return fmt.Errorf("making the vault: %w", err)
		default:
			r.RootToken = result.RootToken
			if r.config.Dev {
				return r.furnishDev(ctx)
			}
			return nil
		}
	}
	err = r.Core.UnsealAuto(ctx)
	if errors.Is(err, seal.ErrNeedsInput) {
		return nil
	}
	if err != nil {
		return err
	}
	r.RootToken, err = r.Core.Complete(ctx)
	return err
}

// seals are the ways of sealing; the first is for a new vault, nil for shares that an operator keeps.
func (c *Config) seals() (seal.Provider, seal.Set, error) {
	file := keyfile.Provider{Dir: c.Dir}
	env := unsealenv.Provider{Getenv: c.Getenv}
	set := seal.SetOf(file, env)
	if c.Dev {
		m := &memorySeal{}
		return m, seal.SetOf(m), nil
	}
	if c.Seal == "" {
		c.Seal = "keyfile"
		if c.Database != "" {
			c.Seal = "env"
		}
	}
	switch c.Seal {
	case "keyfile":
		if c.Dir == "" {
			return nil, nil, errors.New("a key file needs a data directory: give --data, or choose --seal env or shamir")
		}
		return file, set, nil
	case "env":
		return env, set, nil
	case "shamir":
		return nil, set, nil
	}
	return nil, nil, fmt.Errorf("unknown seal %q: choose keyfile, env or shamir", c.Seal)
}

// memorySeal keeps the key of a vault that ends with the process.
type memorySeal struct{ kek *crypt.Key }

// Type implements seal.Provider.
func (*memorySeal) Type() string { return "memory" }

// Wrap implements seal.Provider.
func (m *memorySeal) Wrap(_ context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	kek, err := crypt.GenerateKey(1)
	if err != nil {
		return seal.Blob{}, err
	}
	m.kek = kek
	wrapped, err := seal.WrapWith(kek, root, aad)
	return seal.Blob{Wrapped: wrapped}, err
}

// Unwrap implements seal.Provider.
func (m *memorySeal) Unwrap(_ context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	if m.kek == nil {
		return nil, seal.ErrUnavailable
	}
	return seal.UnwrapWith(m.kek, b.Wrapped, aad)
}

// Listen opens the address. Plain HTTP is served on loopback only.
func (r *Running) Listen(ctx context.Context) (net.Addr, error) {
	if err := r.Reload(r.config); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.config.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", r.config.Listen, err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if r.config.CertFile == "" && (!ok || !tcp.IP.IsLoopback()) {
		return nil, errors.Join(fmt.Errorf("%s is not loopback: give --tls-cert and --tls-key, or listen on 127.0.0.1", r.config.Listen), l.Close())
	}
	r.listener = l
	return l.Addr(), nil
}

// Reload takes over from a new configuration what can change while the server serves: the certificate, read anew from its files,
// and the level of the log. Of a configuration that is not valid it takes nothing.
func (r *Running) Reload(c Config) error {
	level, err := ParseLevel(c.LogLevel)
	if err != nil {
		return err
	}
	if c.CertFile != "" && r.config.CertFile != "" {
		if err := r.cert.load(c.CertFile, c.KeyFile); err != nil {
			return err
		}
	}
	if r.config.Level != nil {
		r.config.Level.Set(level)
	}
	return nil
}

// Limits of a connection.
const (
	headerTime   = 10 * time.Second
	readTime     = 60 * time.Second
	writeTime    = 90 * time.Second
	idleTime     = 5 * time.Minute
	maxHeader    = 64 << 10
	shutdownTime = 30 * time.Second
)

// Serve answers until ctx ends, then lets the requests under way finish.
func (r *Running) Serve(ctx context.Context) error {
	h := &http.Server{
		Handler: r.Server, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(r.config.Log.Handler(), slog.LevelDebug), TLSConfig: r.cert.config(),
	}
	failed := make(chan error, 1)
	go func() {
		if r.config.CertFile != "" {
			failed <- h.ServeTLS(r.listener, "", "")
			return
		}
		failed <- h.Serve(r.listener)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return h.Shutdown(down)
}

// Close seals the vault and closes everything.
func (r *Running) Close() error {
	if r.Core != nil {
		r.Core.Close()
	}
	var errs []error
	if r.backend != nil {
		errs = append(errs, r.backend.Close())
	}
	return errors.Join(append(errs, r.closeDB(), r.unlock())...)
}

// auditLog is the hash-chained log, which is there while the vault is unsealed.
type auditLog struct {
	config *Config

	mu     sync.RWMutex
	log    *audit.Log
	mac    *crypt.Key
	signer *crypt.SigningKey
}

var _ vault.Auditor = (*auditLog)(nil)

func (a *auditLog) open(core *vault.Core) (err error) {
	if a.config.Dir == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mac, err = core.DeriveKey("audit"); err != nil {
		return err
	}
	if a.signer, err = a.mac.SigningKey("checkpoint"); err != nil {
		return err
	}
	o := audit.Options{Key: a.mac, Signer: a.signer, Anchor: anchor{core}}
	switch a.config.AuditSync {
	case "", "disk":
	case "os":
		o.Sync = audit.SyncOS
	default:
		return fmt.Errorf("unknown audit sync %q: choose disk or os", a.config.AuditSync)
	}
	a.log, err = audit.Open(filepath.Join(a.config.Dir, "audit"), o)
	return err
}

func (a *auditLog) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.log == nil {
		return
	}
	if err := a.log.Close(); err != nil {
		a.config.Log.Error("closing the audit log failed", "error", err)
	}
	a.log = nil
	a.signer.Destroy()
	a.mac.Destroy()
}

// Request implements vault.Auditor.
func (a *auditLog) Request(ctx context.Context, x *vault.Exchange) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.log == nil {
		return nil
	}
	return chain{a.log}.Request(ctx, x)
}

// Response implements vault.Auditor.
func (a *auditLog) Response(ctx context.Context, x *vault.Exchange) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.log == nil {
		return nil
	}
	return chain{a.log}.Response(ctx, x)
}
