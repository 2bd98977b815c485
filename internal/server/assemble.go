package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/bolt"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/storage/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/approle"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/tokens"
	"github.com/ArcadeLabsInc/zvault/internal/vault/auth/userpass"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/cubbyhole"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv1"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv2"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/sys"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// backends are all engines and auth methods of this build: a new one is one line. manage tells those that manage the core which
// one that is; who knows whose tokens they are.
func backends() (engines, auths map[string]*logical.Backend, who vault.Identity, manage func(*vault.Core)) {
	system, method, people := sys.New(), tokens.New(), identity.New()
	engines = map[string]*logical.Backend{
		"system":    system.Backend,
		"cubbyhole": cubbyhole.New(),
		"identity":  people.Backend,
		"kv":        kv1.New(),
		"kv-v2":     kv2.New(),
		"transit":   transit.New(),
	}
	auths = map[string]*logical.Backend{
		"token":    method.Backend,
		"approle":  approle.New(),
		"userpass": userpass.New(),
	}
	return engines, auths, people, func(c *vault.Core) {
		system.Manage(c)
		method.Manage(c)
		people.Manage(c)
	}
}

// purgeCubbyhole deletes what a token kept for itself, within the transaction that ends it.
func purgeCubbyhole(ctx context.Context, tx storage.Tx, prefix, tokenHash string) error {
	entries, err := tx.Scan(ctx, prefix+tokenHash+"/", "", 0)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := tx.Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	return nil
}

// openStorage opens what keeps the data.
func (r *Running) openStorage(ctx context.Context) (err error) {
	c := &r.config
	if c.Database != "" {
		db, err := sqldb.OpenPostgres(ctx, c.Database)
		if err != nil {
			return err
		}
		c.Storage, r.closeDB = "postgresql", db.Close
		r.backend, err = postgres.New(ctx, db)
		return err
	}
	switch c.Storage {
	case "", "sqlite":
		c.Storage = "sqlite"
		db, err := sqldb.OpenSQLite(ctx, filepath.Join(c.Dir, "server.db"), sqldb.Options{})
		if err != nil {
			return err
		}
		r.closeDB = db.Close
		r.backend, err = sqlite.New(ctx, db)
		return err
	case "bbolt":
		r.backend, err = bolt.Open(ctx, filepath.Join(c.Dir, "server.bolt"))
		return err
	case "memory":
		c.Dir = ""
		r.backend = memory.New()
		return nil
	}
	return fmt.Errorf("unknown storage %q: choose sqlite, bbolt or memory, or give --database", c.Storage)
}

// furnishDev gives a throw-away vault what its users expect: a root token that they know, and kv-v2 at secret/.
func (r *Running) furnishDev(ctx context.Context) error {
	core := r.Core
	m, err := vault.NewMount("secret/", "kv")
	if err != nil {
		return err
	}
	m.Description, m.Options = "key/value secret storage", map[string]string{"version": "2"}
	if err := core.ChangeMounts(ctx, func(t *vault.Table, _ storage.Tx) error { t.Mounts[m.Path] = m; return nil }); err != nil {
		return err
	}
	if b := core.BackendOf(m); b.Setup != nil {
		if err := b.Setup(ctx, core.StorageOf(m), m.Options); err != nil {
			return err
		}
	}
	if r.config.DevToken == "" {
		return nil
	}
	e := &token.Entry{Type: token.Service, Policies: []string{"root"}, Path: "auth/token/create", DisplayName: "token", Created: core.Now(), Issued: core.Now()}
	if e.Accessor, err = token.NewAccessor(); err != nil {
		return err
	}
	first := token.Hash(r.RootToken)
	err = core.Storage().Update(ctx, func(tx storage.Tx) error { return core.Tokens().Create(ctx, tx, r.config.DevToken, e) })
	if err != nil {
		return err
	}
	r.RootToken = r.config.DevToken
	return errors.Join(core.RevokeToken(ctx, first, core.Now()))
}
