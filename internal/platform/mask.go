package platform

import (
	"context"
	"fmt"
	"maps"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// actMask is values being read in order to keep them out of a text.
const actMask action = "secret.mask"

// Masking holds the values that must not stand in what somebody untrusted sees. It does not change.
type Masking struct {
	Values []NamedValue

	project   string
	stamp     string           // of the organisation
	projects  []string         // slugs
	revisions map[string]int64 // by environment id
}

// NamedValue is a value and whose it is. One name may have several values: those of several environments, and former ones.
type NamedValue struct {
	Name  string
	Value secret.Value
}

// Masking gives the stored values of all environments of a project with the caller's overrides, as they are now and as they
// were before the last change of each, and those of the projects that they refer to. An empty project, or one that does not
// exist, means all projects. It returns known itself, or one with the same Values, if nothing has changed since; only what is
// read anew is written down in the audit log, with the number of values. A nil known means that there is none yet.
func (s *Service) Masking(ctx context.Context, c Caller, project string, known *Masking) (*Masking, error) {
	if err := s.permit(ctx, c, actMask, target{project: project}); err != nil {
		return nil, err
	}
	next := known
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		next, err = s.masking(ctx, tx, c, project, known)
		return err
	})
	if err != nil {
		return nil, failure("reading what to mask", err)
	}
	if next == known || (known != nil && len(next.Values) == len(known.Values) && maps.Equal(next.revisions, known.revisions)) {
		return next, nil
	}
	return next, s.recordMasking(ctx, c, next)
}

func (s *Service) recordMasking(ctx context.Context, c Caller, m *Masking) error {
	if len(m.Values) == 0 {
		return nil
	}
	err := s.audit.Record(ctx, audit.Entry{
		Time: s.clock(), Actor: c.Actor, Client: c.Client, Action: string(actMask), Org: s.org.Slug, Project: m.project, Outcome: audit.OK,
		Reason: fmt.Sprintf("to keep %d values out of answers", len(m.Values)),
	})
	if err != nil {
		return &Error{Kind: Unavailable, Message: "refusing, because the audit log cannot be written", Err: err}
	}
	return nil
}

func (s *Service) masking(ctx context.Context, tx *sqlstore.Tx, c Caller, project string, known *Masking) (*Masking, error) {
	stamp, err := tx.Stamp(ctx, s.org.ID)
	if err != nil {
		return nil, err
	}
	if known != nil && known.project == project && known.stamp == stamp {
		return known, nil
	}
	if known != nil && known.project == project {
		same, err := s.sameRevisions(ctx, tx, known)
		if err != nil {
			return nil, err
		}
		if same {
			again := *known
			again.stamp = stamp
			return &again, nil
		}
	}
	return s.collect(ctx, tx, c, &Masking{project: project, stamp: stamp, revisions: map[string]int64{}})
}

// sameRevisions reports whether the environments that were read before are still there and as they were.
func (s *Service) sameRevisions(ctx context.Context, tx *sqlstore.Tx, known *Masking) (bool, error) {
	if known.project == "" {
		return false, nil // a project may have come
	}
	now := map[string]int64{}
	for _, slug := range known.projects {
		_, all, err := s.environments(ctx, tx, slug)
		if KindOf(err) == NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, e := range all {
			now[e.ID] = e.Revision
		}
	}
	return len(known.projects) > 0 && maps.Equal(now, known.revisions), nil
}

// collect reads the values: of the project, then of each project that a value refers to.
func (s *Service) collect(ctx context.Context, tx *sqlstore.Tx, c Caller, m *Masking) (*Masking, error) {
	todo, err := s.toMask(ctx, tx, m.project)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for len(todo) > 0 {
		slug := todo[0]
		todo = todo[1:]
		if seen[slug] {
			continue
		}
		seen[slug] = true
		_, all, err := s.environments(ctx, tx, slug)
		if KindOf(err) == NotFound { // a reference to nowhere
			continue
		}
		if err != nil {
			return nil, err
		}
		m.projects = append(m.projects, slug)
		for _, row := range all {
			m.revisions[row.ID] = row.Revision
			if row.Owner != "" && row.Owner != c.Actor.ID {
				continue
			}
			to, err := s.collectFrom(ctx, tx, row, m)
			if err != nil {
				return nil, err
			}
			todo = append(todo, to...)
		}
	}
	return m, nil
}

// toMask lists the projects to begin with.
func (s *Service) toMask(ctx context.Context, tx *sqlstore.Tx, project string) ([]string, error) {
	if project != "" {
		_, err := s.project(ctx, tx, project)
		if err == nil {
			return []string{project}, nil
		}
		if KindOf(err) != NotFound {
			return nil, err
		}
	}
	rows, err := tx.Projects(ctx, s.org.ID)
	slugs := make([]string, len(rows))
	for i, p := range rows {
		slugs[i] = p.Slug
	}
	return slugs, err
}

// collectFrom adds the values of one environment and returns the projects that they refer to.
func (s *Service) collectFrom(ctx context.Context, tx *sqlstore.Tx, row sqlstore.Environment, m *Masking) ([]string, error) {
	b, err := s.openingBox(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	secrets, err := tx.Secrets(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	var to []string
	for _, sec := range secrets {
		v, err := b.openValue(sec.Name, sec.Version, sec.Sealed)
		if err != nil {
			return nil, err
		}
		m.Values = append(m.Values, NamedValue{sec.Name, v})
		if sec.Type != TypeRaw {
			to = append(to, projectsIn(v)...)
		}
		if sec.Version > 1 {
			former, err := b.version(ctx, tx, sec.Name, sec.Version-1)
			if err != nil && !isNotFound(err) {
				return nil, err
			}
			if err == nil {
				m.Values = append(m.Values, NamedValue{sec.Name, former})
			}
		}
	}
	return to, nil
}

// projectsIn lists the projects that a value's references name.
func projectsIn(v secret.Value) []string {
	if !ref.MayRefer(v.Reveal()) {
		return nil
	}
	template, err := ref.ParseTemplate(string(v.Reveal()))
	if err != nil {
		return nil // it was stored before it was checked; it refers to nothing then
	}
	var projects []string
	for _, r := range template.Refs() {
		if !r.IsEngine() && r.Project != "" {
			projects = append(projects, r.Project)
		}
	}
	return projects
}
