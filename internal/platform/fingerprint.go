package platform

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Fingerprint finds one value of a secret in files, without being it.
type Fingerprint struct {
	Project, Env, Name string
	Version            int64
	Fingerprint        []byte
}

// Fingerprints lists those of all values, current and past. No value is opened.
func (s *Service) Fingerprints(ctx context.Context, c Caller) ([]Fingerprint, error) {
	if err := s.permit(ctx, c, actFingerprints, target{}); err != nil {
		return nil, err
	}
	var out []Fingerprint
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		out = nil
		rings := map[string]*crypt.Ring{} // of projects; looking one up is a query
		rows, err := tx.Fingerprints(ctx, s.org.ID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			ring, known := rings[r.ProjectID]
			if !known {
				if ring, err = s.projectRing(ctx, tx, r.ProjectID); err != nil {
					return err
				}
				rings[r.ProjectID] = ring
			}
			b := box{s: s, ring: ring, project: r.ProjectID, env: r.EnvironmentID}
			mark, err := b.openFingerprint(r.Name, r.Version, r.Sealed)
			if err != nil {
				return err
			}
			out = append(out, Fingerprint{Project: r.Project, Env: r.Env, Name: r.Name, Version: r.Version, Fingerprint: mark})
		}
		return nil
	})
	if err != nil {
		return nil, failure("reading fingerprints", err)
	}
	return out, s.record(ctx, c, actFingerprints, target{}, audit.OK)
}

func (b box) fingerprintAAD(name string, version int64) []byte {
	return crypt.AAD("fingerprint", b.s.org.ID, b.project, b.env, name, strconv.FormatInt(version, 10))
}

// sealFingerprint makes and seals the fingerprint of a value; nil if it has none.
func (b box) sealFingerprint(name string, version int64, v secret.Value) ([]byte, error) {
	if b.s.fingerprint == nil {
		return nil, nil
	}
	mark := b.s.fingerprint(v)
	if mark == nil {
		return nil, nil
	}
	return b.ring.Seal(mark, b.fingerprintAAD(name, version))
}

func (b box) openFingerprint(name string, version int64, sealed []byte) ([]byte, error) {
	mark, err := b.ring.Open(sealed, b.fingerprintAAD(name, version))
	if err != nil {
		return nil, fmt.Errorf("opening the fingerprint of %s version %d: %w", name, version, err)
	}
	return mark, nil
}

// resealFingerprint seals a fingerprint with the active key.
func (b box) resealFingerprint(v *sqlstore.Version) error {
	if v.Fingerprint == nil {
		return nil
	}
	mark, err := b.openFingerprint(v.Name, v.Version, v.Fingerprint)
	if err != nil {
		return err
	}
	v.Fingerprint, err = b.ring.Seal(mark, b.fingerprintAAD(v.Name, v.Version))
	return err
}
