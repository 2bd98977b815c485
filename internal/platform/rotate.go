package platform

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// resealBatch is how many envelopes one transaction reseals, so that writers are not held up.
const resealBatch = 200

// RotateOrganisation makes the next organisation key, wraps every project key with it, and deletes the older ones. Reads go
// on meanwhile.
func (s *Service) RotateOrganisation(ctx context.Context, c Caller) error {
	if err := s.permit(ctx, c, actOrgRotate, target{}); err != nil {
		return err
	}
	rows, err := s.orgKeys(ctx)
	if err != nil {
		return failure("rotating the organisation key", err)
	}
	next, err := s.newOrganisationKey(ctx, rows[len(rows)-1].Generation+1)
	if err != nil {
		return failure("rotating the organisation key", err)
	}
	err = s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		if _, err := s.orgRing(ctx, tx); err != nil { // so that the older keys are at hand
			return err
		}
		if err := tx.InsertScopeKey(ctx, next); err != nil {
			return taken(err, "the organisation key is being rotated by somebody else")
		}
		ring, err := s.orgRing(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.rewrapProjects(ctx, tx, ring); err != nil {
			return err
		}
		for _, row := range rows {
			if err := tx.DeleteScopeKey(ctx, s.org.ID, row.Generation); err != nil {
				return err
			}
		}
		return s.record(ctx, c, actOrgRotate, target{}, audit.OK)
	})
	return failure("rotating the organisation key", err)
}

func (s *Service) orgKeys(ctx context.Context) (rows []sqlstore.ScopeKey, err error) {
	err = s.store.View(ctx, func(tx *sqlstore.Tx) error {
		rows, err = tx.ScopeKeys(ctx, s.org.ID)
		return err
	})
	return rows, err
}

func (s *Service) newOrganisationKey(ctx context.Context, generation uint32) (sqlstore.ScopeKey, error) {
	key, err := crypt.GenerateKey(crypt.KeyID(generation))
	if err != nil {
		return sqlstore.ScopeKey{}, err
	}
	defer key.Destroy()
	wrapped, err := s.keys.WrapKey(ctx, key, orgKeyAAD(s.org.ID))
	return sqlstore.ScopeKey{ScopeID: s.org.ID, Generation: generation, Wrapped: wrapped, CreatedAt: s.now()}, err
}

func (s *Service) rewrapProjects(ctx context.Context, tx *sqlstore.Tx, ring *crypt.Ring) error {
	ids, err := tx.AllProjectIDs(ctx, s.org.ID)
	if err != nil {
		return err
	}
	wraps := 0
	for _, id := range ids {
		rows, err := tx.ScopeKeys(ctx, id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			key, err := ring.Unwrap(row.Wrapped, projectKeyAAD(s.org.ID, id))
			if err != nil {
				return err
			}
			row.Wrapped, err = ring.Wrap(key, projectKeyAAD(s.org.ID, id))
			key.Destroy()
			if err != nil {
				return err
			}
			if err := tx.RewrapScopeKey(ctx, row); err != nil {
				return err
			}
			wraps++
		}
	}
	_, err = tx.AddUses(ctx, s.org.ID, uint32(ring.ActiveID()), int64(wraps))
	return err
}

// RotateProject makes the next key of a project and seals every value and comment with it, in small transactions between
// which others read and write. It may be stopped at any point and called again. When all is resealed the older keys are
// deleted. progress, if not nil, hears how far it is.
func (s *Service) RotateProject(ctx context.Context, c Caller, slug string, progress func(done, total int)) error {
	if err := s.permit(ctx, c, actProjectRotate, target{project: slug}); err != nil {
		return err
	}
	var projectID string
	var generation uint32
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, slug)
		if err != nil {
			return err
		}
		ring, err := s.projectRing(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		projectID, generation = p.ID, uint32(ring.ActiveID())+1
		if err := s.addProjectKey(ctx, tx, p.ID, generation); err != nil {
			return err
		}
		return s.record(ctx, c, actProjectRotate, target{project: slug}, audit.OK)
	})
	if err != nil {
		return failure("rotating the key of "+slug, err)
	}
	return failure("resealing "+slug, s.reseal(ctx, projectID, generation, progress))
}

// reseal brings all envelopes of a project to its newest key and deletes the older ones.
func (s *Service) reseal(ctx context.Context, projectID string, generation uint32, progress func(done, total int)) error {
	total := 0
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		total, err = tx.CountStale(ctx, projectID, generation)
		return err
	})
	if err != nil {
		return err
	}
	for done := 0; ; {
		n, err := s.resealValues(ctx, projectID, generation)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		done += n
		if progress != nil {
			progress(done, max(done, total))
		}
	}
	if err := s.resealComments(ctx, projectID, generation); err != nil {
		return err
	}
	return s.dropOldKeys(ctx, projectID, generation)
}

func (s *Service) resealValues(ctx context.Context, projectID string, generation uint32) (n int, err error) {
	err = s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		stale, err := tx.StaleVersions(ctx, projectID, generation, resealBatch)
		if err != nil || len(stale) == 0 {
			n = 0
			return err
		}
		n = len(stale)
		ring, err := s.sealingRing(ctx, tx, projectID, 2*n)
		if err != nil {
			return err
		}
		for _, v := range stale {
			b := box{s: s, ring: ring, project: projectID, env: v.EnvironmentID}
			value, err := b.openValue(v.Name, v.Version, v.Sealed)
			if err != nil {
				return err
			}
			v.Sealed, err = b.sealValue(v.Name, v.Version, value)
			value.Wipe()
			if err != nil {
				return err
			}
			if err := b.resealFingerprint(&v); err != nil {
				return err
			}
			v.Generation = uint32(ring.ActiveID())
			if err := tx.ResealVersion(ctx, v); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

func (s *Service) resealComments(ctx context.Context, projectID string, generation uint32) error {
	var at sqlstore.State
	for {
		var page []sqlstore.State
		err := s.store.Update(ctx, func(tx *sqlstore.Tx) (err error) {
			if page, err = tx.Comments(ctx, projectID, at, resealBatch); err != nil || len(page) == 0 {
				return err
			}
			ring, err := s.sealingRing(ctx, tx, projectID, len(page))
			if err != nil {
				return err
			}
			for _, st := range page {
				if err := s.resealComment(ctx, tx, box{s: s, ring: ring, project: projectID, env: st.EnvironmentID}, st, generation); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			return err
		}
		at = page[len(page)-1]
	}
}

func (s *Service) resealComment(ctx context.Context, tx *sqlstore.Tx, b box, st sqlstore.State, generation uint32) error {
	id, err := crypt.EnvelopeKeyID(st.Comment)
	if err != nil || uint32(id) >= generation {
		return err
	}
	comment, err := b.openComment(st.Name, st.Comment)
	if err != nil {
		return err
	}
	if st.Comment, err = b.sealComment(st.Name, comment); err != nil {
		return err
	}
	return tx.ResealComment(ctx, st)
}

// dropOldKeys deletes the generations before the given one, if nothing is sealed with them any more.
func (s *Service) dropOldKeys(ctx context.Context, projectID string, generation uint32) error {
	return s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		stale, err := tx.CountStale(ctx, projectID, generation)
		if err != nil || stale > 0 { // someone wrote with the old key meanwhile; the next rotation takes it along
			return err
		}
		rows, err := tx.ScopeKeys(ctx, projectID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Generation >= generation {
				continue
			}
			if err := tx.DeleteScopeKey(ctx, projectID, row.Generation); err != nil {
				return err
			}
		}
		return nil
	})
}
