package platform

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// What each envelope is bound to. Moved to another row, organisation or name it does not open.
func orgKeyAAD(orgID string) []byte { return crypt.AAD("organisation-key", orgID) }

func projectKeyAAD(orgID, projectID string) []byte { return crypt.AAD("project-key", orgID, projectID) }

func (s *Service) valueAAD(projectID, environmentID, name string, version int64) []byte {
	return crypt.AAD("value", s.org.ID, projectID, environmentID, name, strconv.FormatInt(version, 10))
}

func (s *Service) commentAAD(projectID, environmentID, name string) []byte {
	return crypt.AAD("comment", s.org.ID, projectID, environmentID, name)
}

// ringCache keeps unwrapped keys by scope; the rows say which generations there are.
type ringCache struct {
	mu    sync.Mutex
	rings map[string]*crypt.Ring
}

// ring returns the keys of a scope as its rows have them now, unwrapping those not seen before. Unwrapping may need the ring of
// the level above, so it happens outside of the lock.
func (c *ringCache) ring(scopeID string, rows []sqlstore.ScopeKey, unwrap func(sqlstore.ScopeKey) (*crypt.Key, error)) (*crypt.Ring, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("opening keys of %s: there are none", scopeID)
	}
	ring := c.of(scopeID)
	for _, row := range rows {
		if ring.Has(crypt.KeyID(row.Generation)) {
			continue
		}
		key, err := unwrap(row)
		if err != nil {
			return nil, fmt.Errorf("opening key %d of %s: %w", row.Generation, scopeID, err)
		}
		if err := c.add(ring, key); err != nil {
			return nil, err
		}
	}
	return ring, ring.SetActive(crypt.KeyID(rows[len(rows)-1].Generation))
}

// of returns the ring of a scope, made if need be.
func (c *ringCache) of(scopeID string) *crypt.Ring {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rings == nil {
		c.rings = map[string]*crypt.Ring{}
	}
	if c.rings[scopeID] == nil {
		c.rings[scopeID] = crypt.NewRing()
	}
	return c.rings[scopeID]
}

// add adds a key, unless another goroutine was first.
func (c *ringCache) add(ring *crypt.Ring, key *crypt.Key) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ring.Has(key.ID()) {
		key.Destroy()
		return nil
	}
	return ring.Add(key)
}

// Close wipes the keys that were unwrapped.
func (s *Service) Close() {
	s.rings.mu.Lock()
	defer s.rings.mu.Unlock()
	for _, r := range s.rings.rings {
		r.Destroy()
	}
	s.rings.rings = nil
}

func (s *Service) orgRing(ctx context.Context, tx *sqlstore.Tx) (*crypt.Ring, error) {
	rows, err := tx.ScopeKeys(ctx, s.org.ID)
	if err != nil {
		return nil, err
	}
	return s.rings.ring(s.org.ID, rows, func(k sqlstore.ScopeKey) (*crypt.Key, error) {
		return s.keys.UnwrapKey(ctx, k.Wrapped, orgKeyAAD(s.org.ID))
	})
}

func (s *Service) projectRing(ctx context.Context, tx *sqlstore.Tx, projectID string) (*crypt.Ring, error) {
	rows, err := tx.ScopeKeys(ctx, projectID)
	if err != nil {
		return nil, err
	}
	return s.rings.ring(projectID, rows, func(k sqlstore.ScopeKey) (*crypt.Key, error) {
		org, err := s.orgRing(ctx, tx)
		if err != nil {
			return nil, err
		}
		return org.Unwrap(k.Wrapped, projectKeyAAD(s.org.ID, projectID))
	})
}

// addProjectKey makes the next generation of a project's key.
func (s *Service) addProjectKey(ctx context.Context, tx *sqlstore.Tx, projectID string, generation uint32) error {
	org, err := s.orgRing(ctx, tx)
	if err != nil {
		return err
	}
	key, err := crypt.GenerateKey(crypt.KeyID(generation))
	if err != nil {
		return err
	}
	defer key.Destroy()
	wrapped, err := org.Wrap(key, projectKeyAAD(s.org.ID, projectID))
	if err != nil {
		return err
	}
	if _, err := tx.AddUses(ctx, s.org.ID, uint32(org.ActiveID()), 1); err != nil {
		return err
	}
	return tx.InsertScopeKey(ctx, sqlstore.ScopeKey{ScopeID: projectID, Generation: generation, Wrapped: wrapped, CreatedAt: s.now()})
}

// sealingRing returns the keys of a project ready to seal n more envelopes. The uses are counted in the same transaction,
// so they hold across processes and crashes; a key near its limit is replaced first.
func (s *Service) sealingRing(ctx context.Context, tx *sqlstore.Tx, projectID string, n int) (*crypt.Ring, error) {
	ring, err := s.projectRing(ctx, tx, projectID)
	if err != nil {
		return nil, err
	}
	uses, err := tx.AddUses(ctx, projectID, uint32(ring.ActiveID()), int64(n))
	if err != nil {
		return nil, err
	}
	if uses <= crypt.MaxUses {
		return ring, nil
	}
	if err := s.addProjectKey(ctx, tx, projectID, uint32(ring.ActiveID())+1); err != nil {
		return nil, err
	}
	ring, err = s.projectRing(ctx, tx, projectID)
	if err != nil {
		return nil, err
	}
	_, err = tx.AddUses(ctx, projectID, uint32(ring.ActiveID()), int64(n))
	return ring, err
}

// box seals and opens what belongs to one environment.
type box struct {
	s       *Service
	ring    *crypt.Ring
	project string // ids
	env     string
}

func (s *Service) openingBox(ctx context.Context, tx *sqlstore.Tx, e sqlstore.Environment) (box, error) {
	ring, err := s.projectRing(ctx, tx, e.ProjectID)
	return box{s: s, ring: ring, project: e.ProjectID, env: e.ID}, err
}

func (s *Service) sealingBox(ctx context.Context, tx *sqlstore.Tx, e sqlstore.Environment, n int) (box, error) {
	ring, err := s.sealingRing(ctx, tx, e.ProjectID, n)
	return box{s: s, ring: ring, project: e.ProjectID, env: e.ID}, err
}

func (b box) sealValue(name string, version int64, v secret.Value) ([]byte, error) {
	return b.ring.Seal(v.Reveal(), b.s.valueAAD(b.project, b.env, name, version))
}

func (b box) openValue(name string, version int64, sealed []byte) (secret.Value, error) {
	plain, err := b.ring.Open(sealed, b.s.valueAAD(b.project, b.env, name, version))
	if err != nil {
		return secret.Value{}, fmt.Errorf("opening %s version %d: %w", name, version, err)
	}
	return secret.New(plain), nil
}

func (b box) sealComment(name, comment string) ([]byte, error) {
	if comment == "" {
		return nil, nil
	}
	return b.ring.Seal([]byte(comment), b.s.commentAAD(b.project, b.env, name))
}

func (b box) openComment(name string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := b.ring.Open(sealed, b.s.commentAAD(b.project, b.env, name))
	if err != nil {
		return "", fmt.Errorf("opening the comment of %s: %w", name, err)
	}
	return string(plain), nil
}
