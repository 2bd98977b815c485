package platform

import (
	"context"
	"slices"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// CloneEnvironment makes a new environment with the secrets of another as they are now, and the same base.
func (s *Service) CloneEnvironment(ctx context.Context, c Caller, from Env, slug string) (Result, error) {
	t := from.target()
	if err := s.permit(ctx, c, actEnvironmentClone, t); err != nil {
		return Result{}, err
	}
	base, err := s.baseOf(ctx, c, from)
	if err != nil {
		return Result{}, err
	}
	if err := s.CreateEnvironment(ctx, c, from.Project, slug, base); err != nil {
		return Result{}, err
	}
	to := Env{Project: from.Project, Slug: slug}
	result, err := s.copyTo(ctx, c, Side{Env: from}, to, copyOptions{action: actEnvironmentClone, message: "clone of " + from.Slug})
	if err != nil { // do not leave an empty one behind
		if undo := s.DeleteEnvironment(ctx, c, to); undo != nil {
			return Result{}, failure("removing the incomplete clone", undo)
		}
	}
	return result, err
}

func (s *Service) baseOf(ctx context.Context, c Caller, e Env) (string, error) {
	var slug string
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		_, all, err := s.environments(ctx, tx, e.Project)
		if err != nil {
			return err
		}
		row, err := pick(all, c, e)
		base, _ := findID(all, row.BaseID)
		slug = base.Slug
		return err
	})
	return slug, failure("reading environment", err)
}

// PromoteOptions limit what Promote does.
type PromoteOptions struct {
	// Names are the secrets to promote; nil means all.
	Names []string
	// Prune also deletes what the source does not have.
	Prune bool
	// Expect is the revision that the receiving environment must still have, as after a preview; nil means any.
	Expect *int64
}

// Promote gives an environment the secrets of another: values, types, comments and tags. What is the same already stays
// untouched; pinned secrets that differ make it fail. Diff(to, from) is its preview.
func (s *Service) Promote(ctx context.Context, c Caller, from, to Env, o PromoteOptions) (Result, error) {
	return s.copyTo(ctx, c, Side{Env: from}, to, copyOptions{
		action: actPromote, message: "promote from " + from.Slug, names: o.Names, prune: o.Prune, expect: o.Expect,
	})
}

// Restore brings an environment, or the given names in it, back to a past state, as a new commit.
func (s *Service) Restore(ctx context.Context, c Caller, e Env, at Moment, names []string) (Result, error) {
	if at == (Moment{}) {
		return Result{}, invalid("restoring needs a revision or a time")
	}
	message := "restore revision " + strconv.FormatInt(at.Revision, 10)
	if at.Revision == 0 {
		message = "restore " + at.Time.UTC().Format("2006-01-02T15:04:05Z")
	}
	return s.copyTo(ctx, c, Side{Env: e, At: at}, e, copyOptions{action: actRestore, message: message, names: names, prune: true})
}

type copyOptions struct {
	action  action
	message string
	names   []string
	prune   bool
	expect  *int64
}

// copyTo makes one commit that gives an environment the contents of a side.
func (s *Service) copyTo(ctx context.Context, c Caller, from Side, to Env, o copyOptions) (Result, error) {
	return s.apply(ctx, c, to, o.action, func(ap *applier) (Batch, error) {
		source, err := s.contents(ctx, ap.tx, c, from)
		if err != nil {
			return Batch{}, err
		}
		if from.Env != to { // the values leave their environment
			t := from.target(contentNames(source, o.names)...)
			if err := s.record(ctx, c, o.action, t, audit.OK); err != nil {
				return Batch{}, err
			}
		}
		now, err := s.contentsOf(ctx, ap.tx, ap.row, Moment{})
		if err != nil {
			return Batch{}, err
		}
		changes, err := copyChanges(source, now, o)
		return Batch{Changes: changes, Message: o.message, Expect: o.expect}, err
	})
}

func contentNames(all map[string]content, only []string) []string {
	var names []string
	for name := range all {
		if only == nil || slices.Contains(only, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func copyChanges(source, now map[string]content, o copyOptions) ([]Change, error) {
	for _, name := range o.names {
		_, inSource := source[name]
		_, inNow := now[name]
		if !inSource && !(o.prune && inNow) {
			return nil, notFound("%s is not there to be copied", name)
		}
	}
	var changes []Change
	for _, name := range contentNames(source, o.names) {
		changes = append(changes, source[name].change(now[name]))
	}
	if !o.prune {
		return changes, nil
	}
	for _, name := range contentNames(now, o.names) {
		if _, ok := source[name]; !ok {
			changes = append(changes, Change{Name: name, Delete: true})
		}
	}
	return changes, nil
}
