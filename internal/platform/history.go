package platform

import (
	"context"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Commit is one change of an environment.
type Commit struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Client   string    `json:"client"`
	Action   string    `json:"action"`
	Message  string    `json:"message,omitempty"`
	Changed  []string  `json:"changed"`
}

// Log lists the commits of an environment, newest first, those before a revision (0: from the newest), at most limit (0: all).
func (s *Service) Log(ctx context.Context, c Caller, e Env, before int64, limit int) ([]Commit, error) {
	if err := s.permit(ctx, c, actEnvironmentLog, e.target()); err != nil {
		return nil, err
	}
	var out []Commit
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		out = nil
		row, err := s.environment(ctx, tx, c, e)
		if err != nil {
			return err
		}
		commits, err := tx.Commits(ctx, row.ID, before, limit)
		if err != nil {
			return err
		}
		for _, m := range commits {
			states, err := tx.ChangedIn(ctx, row.ID, m.Revision)
			if err != nil {
				return err
			}
			out = append(out, Commit{
				Revision: m.Revision, At: timeOf(m.At), Actor: m.Actor, Client: m.Client, Action: m.Action, Message: m.Message, Changed: stateNames(states),
			})
		}
		return nil
	})
	return out, failure("reading the log of "+e.Project+"/"+e.Slug, err)
}

func stateNames(states []sqlstore.State) []string {
	names := make([]string, len(states))
	for i, st := range states {
		names[i] = st.Name
	}
	return names
}

// Event is one state that a secret went through.
type Event struct {
	Secret
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Message string    `json:"message,omitempty"`
	Deleted bool      `json:"deleted,omitempty"`
}

// History lists the states that a secret went through, newest first, also of one that is deleted now.
func (s *Service) History(ctx context.Context, c Caller, e Env, name string) ([]Event, error) {
	if err := s.permit(ctx, c, actHistory, e.target(name)); err != nil {
		return nil, err
	}
	var out []Event
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		out = nil
		row, err := s.environment(ctx, tx, c, e)
		if err != nil {
			return err
		}
		states, err := tx.History(ctx, row.ID, name)
		if err != nil {
			return err
		}
		if len(states) == 0 {
			return notFound("%s was never set in %s/%s", name, e.Project, e.Slug)
		}
		b, err := s.openingBox(ctx, tx, row)
		if err != nil {
			return err
		}
		for _, st := range states {
			commits, err := tx.Commits(ctx, row.ID, st.Revision+1, 1)
			if err != nil {
				return err
			}
			described, err := b.describe([]sqlstore.State{st})
			if err != nil {
				return err
			}
			m := commits[0]
			out = append(out, Event{Secret: described[0], At: timeOf(m.At), Actor: m.Actor, Action: m.Action, Message: m.Message, Deleted: st.Deleted})
		}
		return nil
	})
	return out, failure("reading the history of "+name, err)
}

// Rollback gives a secret the value of an earlier version, as a new version; 0 means the one before the current. A deleted
// secret comes back.
func (s *Service) Rollback(ctx context.Context, c Caller, e Env, name string, version int64) (Result, error) {
	return s.apply(ctx, c, e, actRollback, func(ap *applier) (Batch, error) {
		versions, err := ap.tx.Versions(ctx, ap.row.ID, name)
		if err != nil {
			return Batch{}, err
		}
		if len(versions) == 0 {
			return Batch{}, notFound("%s was never set in %s/%s", name, e.Project, e.Slug)
		}
		if version == 0 {
			version = before(versions, ap.current[name])
		}
		i := slices.IndexFunc(versions, func(v sqlstore.Version) bool { return v.Version == version })
		if i < 0 {
			return Batch{}, notFound("%s has no version %d; the newest is %d", name, version, versions[0].Version)
		}
		v, err := ap.box.openValue(name, version, versions[i].Sealed)
		if err != nil {
			return Batch{}, err
		}
		return Batch{Changes: []Change{{Name: name, Value: &v}}, Message: "roll back"}, nil
	})
}

// before picks the version ahead of the current one, or the last one of a secret that is deleted.
func before(versions []sqlstore.Version, now sqlstore.Secret) int64 {
	if now.Version == 0 {
		return versions[0].Version
	}
	return now.Version - 1
}

// Rename gives a secret another name, with its value, comment and tags; the history stays under the old one.
func (s *Service) Rename(ctx context.Context, c Caller, e Env, name, newName string) (Result, error) {
	return s.apply(ctx, c, e, actChange, func(ap *applier) (Batch, error) {
		now, ok := ap.current[name]
		if !ok {
			return Batch{}, notFound("%s is not set in %s/%s", name, e.Project, e.Slug)
		}
		if _, taken := ap.current[newName]; taken {
			return Batch{}, newError(Exists, "%s is set already in %s/%s", newName, e.Project, e.Slug)
		}
		copied, err := ap.box.changeTo(newName, now)
		if err != nil {
			return Batch{}, err
		}
		return Batch{Changes: []Change{{Name: name, Delete: true}, copied}, Message: "rename " + name + " to " + newName}, nil
	})
}

// changeTo makes the change that gives a name the value, type, comment and tags of a stored secret.
func (b box) changeTo(name string, from sqlstore.Secret) (Change, error) {
	v, err := b.openValue(from.Name, from.Version, from.Sealed)
	if err != nil {
		return Change{}, err
	}
	return b.changeWith(name, from.State, v)
}

func (b box) changeWith(name string, from sqlstore.State, v secret.Value) (Change, error) {
	comment, err := b.openComment(from.Name, from.Comment)
	if err != nil {
		return Change{}, err
	}
	tags, err := decodeTags(from.Tags)
	return Change{Name: name, Value: &v, Type: &from.Type, Comment: &comment, Tags: tags}, err
}
