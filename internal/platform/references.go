package platform

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Referrer is a secret whose value refers to another.
type Referrer struct {
	Project  string `json:"project"`
	Env      string `json:"env"`
	Personal bool   `json:"personal,omitempty"`
	Name     string `json:"name"`
	// TargetEnv is the environment that the reference names; empty means the referrer's own.
	TargetEnv string `json:"target_env,omitempty"`
}

// Referrers lists what depends on a secret of a project: in the given environment, or in any if env is empty.
func (s *Service) Referrers(ctx context.Context, c Caller, project, env, name string) ([]Referrer, error) {
	if err := s.permit(ctx, c, actRefs, target{project: project, env: env, names: []string{name}}); err != nil {
		return nil, err
	}
	var out []Referrer
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		out = nil
		if _, err := s.project(ctx, tx, project); err != nil {
			return err
		}
		rows, err := tx.Referrers(ctx, s.org.ID, project, name)
		if err != nil {
			return err
		}
		for _, r := range rows {
			reaches := r.TargetEnv
			if reaches == "" {
				reaches = r.Env
			}
			if (env != "" && reaches != env) || (r.Owner != "" && r.Owner != c.Actor.ID) {
				continue
			}
			out = append(out, Referrer{Project: r.Project, Env: r.Env, Personal: r.Owner != "", Name: r.Name, TargetEnv: r.TargetEnv})
		}
		return nil
	})
	return out, failure("finding references", err)
}
