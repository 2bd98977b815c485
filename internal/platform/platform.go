// Package platform is the model that every face of ZVault shares: an organisation has projects, a project has
// environments, an environment has secrets with versions, comments and tags. The same package serves the local vault in
// one process and the server.
//
// Start with [New] and the methods of [Service]. Each takes the [Caller] who asks; each passes the same gates: identity
// and permission first, then the audit log, and only then does a value leave or a change take effect.
//
// Every change of an environment is a commit with the next revision of it, so any past state can be listed, compared and
// restored. Values are sealed under the project's key and bound to their place; names, tags and times are not secret,
// comments are sealed.
package platform

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// KeyWrapper wraps organisation keys; the barrier does it. Both fail while the vault is sealed. WrapKey may write to the same
// database, so it is never called within a transaction of the store.
type KeyWrapper interface {
	WrapKey(ctx context.Context, k *crypt.Key, aad []byte) ([]byte, error)
	UnwrapKey(ctx context.Context, envelope, aad []byte) (*crypt.Key, error)
}

// Recorder writes an audit entry; it is durable when Record returns nil.
type Recorder interface {
	Record(ctx context.Context, e audit.Entry) error
}

// Options are what a Service stands on. All but Clock and Fingerprint are required.
type Options struct {
	Store *sqlstore.Store
	Keys  KeyWrapper
	Audit Recorder
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Fingerprint makes what finds a value in files without holding it; nil stores none.
	Fingerprint func(secret.Value) []byte
}

// Service is the platform of one organisation. It is safe for concurrent use.
type Service struct {
	store       *sqlstore.Store
	keys        KeyWrapper
	audit       Recorder
	clock       func() time.Time
	fingerprint func(secret.Value) []byte
	org         sqlstore.Organisation
	rings       ringCache
}

// StandardEnvironments exist in every new project.
var StandardEnvironments = []string{"development", "staging", "production"}

// New returns the Service of the organisation with the given slug, which is made if it does not exist.
func New(ctx context.Context, orgSlug string, o Options) (*Service, error) {
	s := &Service{store: o.Store, keys: o.Keys, audit: o.Audit, clock: o.Clock, fingerprint: o.Fingerprint}
	if s.clock == nil {
		s.clock = time.Now
	}
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		s.org, err = tx.Organisation(ctx, orgSlug)
		return err
	})
	if isNotFound(err) {
		err = s.createOrganisation(ctx, orgSlug)
	}
	if err != nil {
		return nil, failure("opening organisation", err)
	}
	return s, nil
}

func (s *Service) createOrganisation(ctx context.Context, slug string) error {
	key, err := crypt.GenerateKey(1)
	if err != nil {
		return err
	}
	defer key.Destroy()
	org := sqlstore.Organisation{ID: newID(), Slug: slug, Name: slug, CreatedAt: s.now()}
	wrapped, err := s.keys.WrapKey(ctx, key, orgKeyAAD(org.ID))
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		found, err := tx.Organisation(ctx, slug)
		if err == nil { // another process was first
			s.org = found
			return nil
		}
		if !isNotFound(err) {
			return err
		}
		if err := tx.InsertOrganisation(ctx, org); err != nil {
			return err
		}
		s.org = org
		return tx.InsertScopeKey(ctx, sqlstore.ScopeKey{ScopeID: org.ID, Generation: 1, Wrapped: wrapped, CreatedAt: org.CreatedAt})
	})
}

// now is the time in the store's unit, microseconds.
func (s *Service) now() int64 { return s.clock().UnixMicro() }

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// newID returns a UUIDv7; the system's random source failing is not survivable.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
