// Package local is a vault on this machine: a directory with everything in it, opened within one process. No server, no
// account, no network.
//
//	vault.db      SQLite: the barrier's entries and the platform's tables, all values sealed
//	seal-*.key    the key of a key-file seal
//	audit/        the audit log
//	.lock         held while a vault is made or its seal changed
//
// The directory has mode 0700, files 0600. [Create] makes a vault, [Open] opens it.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
)

var (
	// ErrNoVault is returned by Open for a directory without a vault.
	ErrNoVault = errors.New("there is no vault")
	// ErrExists is returned by Create for a directory with one.
	ErrExists = errors.New("there is a vault already")
	// ErrSealed is returned by Open for a vault that somebody has to unseal.
	ErrSealed = errors.New("the vault is sealed")
	// ErrNewer is returned for a vault that a newer version has written.
	ErrNewer = errors.New("the vault was written by a newer version of zvault")
	// ErrDamaged is returned for a vault whose files are not whole.
	ErrDamaged = errors.New("the vault is damaged")
)

// DatabaseFile and AuditDir are names below the vault's directory.
const (
	DatabaseFile = "vault.db"
	AuditDir     = "audit"
	lockFile     = ".lock"
	orgSlug      = "local"
)

// Options say how to open a vault.
type Options struct {
	// Passphrase asks for one; nil means that nobody can be asked.
	Passphrase func(prompt string) ([]byte, error)
	// Shares collects key shares; nil means that nobody can be asked.
	Shares ShareCollector
	// Caller is recorded as who opened or changed the vault.
	Caller platform.Caller
	// Once says that the process will reveal once and end: its entry and the signature over it are then written together.
	Once bool
	// Fingerprint makes, of the key that fingerprints are made with, what platform.Options wants. Optional.
	Fingerprint func(key *crypt.Key) (func(secret.Value) []byte, error)
}

// Vault is an open vault. It is safe for concurrent use.
type Vault struct {
	Home     string
	Platform *platform.Service
	Audit    *audit.Log
	Barrier  *barrier.Barrier
	// Seal is the record that the vault was opened by.
	Seal *seal.Record

	options Options
	db      *sqldb.DB
	store   storage.Backend
	auditor *auditKeys
	prints  *crypt.Key
	// keepOldSeal says that what the seals kept outside of their records is not for Rekey to remove.
	keepOldSeal bool
}

// Exists reports whether a directory holds a vault.
func Exists(home string) bool {
	_, err := os.Stat(filepath.Join(home, DatabaseFile))
	return err == nil
}

// openDatabase opens the vault's file and its key-value part.
func openDatabase(ctx context.Context, home string, mustExist bool) (*sqldb.DB, storage.Backend, error) {
	db, err := sqldb.OpenSQLite(ctx, filepath.Join(home, DatabaseFile), sqldb.Options{MustExist: mustExist})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w in %s", ErrNoVault, home)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the vault: %w", err)
	}
	store, err := sqlite.New(ctx, db)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the vault: %w", err), db.Close())
	}
	return db, store, nil
}

// Open opens the vault in a directory, which must be unsealed or able to unseal itself.
func Open(ctx context.Context, home string, o Options) (*Vault, error) {
	return open(ctx, home, o, nil)
}

// open is Open with, if not nil, the root key of a vault that was just made.
func open(ctx context.Context, home string, o Options, root *crypt.Key) (*Vault, error) {
	db, store, err := openDatabase(ctx, home, true)
	if err != nil {
		return nil, err
	}
	v := &Vault{Home: home, options: o, db: db, store: store, Barrier: barrier.New(store)}
	if err := v.unseal(ctx, root); err != nil {
		return nil, errors.Join(describe(err), db.Close())
	}
	if err := v.assemble(ctx); err != nil {
		return nil, errors.Join(describe(err), v.Close())
	}
	return v, nil
}

// describe makes the errors of the packages below ours where they mean the same.
func describe(err error) error {
	switch {
	case errors.Is(err, seal.ErrNewer), errors.Is(err, barrier.ErrNewer), errors.Is(err, sqlstore.ErrNewer):
		return fmt.Errorf("%w: %w", ErrNewer, err)
	case errors.Is(err, seal.ErrNoSeal), errors.Is(err, barrier.ErrNotInitialized):
		return fmt.Errorf("%w, or its making was interrupted: %w", ErrNoVault, err)
	case errors.Is(err, barrier.ErrWrongKey), errors.Is(err, sqldb.ErrCorrupt), errors.Is(err, seal.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// assemble puts audit log and platform on the unsealed barrier.
func (v *Vault) assemble(ctx context.Context) (err error) {
	if v.auditor, err = newAuditKeys(v.Barrier); err != nil {
		return err
	}
	if v.Audit, err = audit.Open(filepath.Join(v.Home, AuditDir), v.auditor.options()); err != nil {
		return err
	}
	if v.prints, err = v.Barrier.DeriveKey("fingerprints"); err != nil {
		return err
	}
	tables, err := sqlstore.Open(ctx, v.db)
	if err != nil {
		return err
	}
	o := platform.Options{Store: tables, Keys: v.Barrier, Audit: v.Audit}
	if v.options.Once {
		o.Audit = final{v.Audit}
	}
	if v.options.Fingerprint != nil {
		if o.Fingerprint, err = v.options.Fingerprint(v.prints); err != nil {
			return err
		}
	}
	v.Platform, err = platform.New(ctx, orgSlug, o)
	return err
}

// FingerprintKey is the key that fingerprints are made with.
func (v *Vault) FingerprintKey() *crypt.Key { return v.prints }

// Close signs what was recorded, wipes all keys and closes the files.
func (v *Vault) Close() error { return errors.Join(v.Leave(), v.db.Close()) }

// Leave is Close for a process that is about to be replaced by another program: the database's files are left for the exec to
// close, because SQLite would first copy its log back, which costs a millisecond and can wait for somebody with more time.
func (v *Vault) Leave() error {
	var errs []error
	if v.Audit != nil {
		if err := v.Audit.Close(); err != nil {
			errs = append(errs, fmt.Errorf("closing the audit log: %w", err))
		}
	}
	if v.Platform != nil {
		v.Platform.Close()
	}
	if v.auditor != nil {
		v.auditor.destroy()
	}
	if v.prints != nil {
		v.prints.Destroy()
	}
	v.Barrier.Seal()
	return errors.Join(errs...)
}
