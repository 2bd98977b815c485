package platform

import (
	"context"
	"fmt"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Selection says what Reveal is to give.
type Selection struct {
	// Names are the wanted ones; nil means all that the layers hold.
	Names []string
	// At reads a past state of the environment and, by time, of those it inherits from.
	At Moment
	// Over lies on top of the environment's own layers: a file's entries, the process environment.
	Over []resolve.Layer
	// NoPersonal leaves the caller's overrides out, as in CI.
	NoPersonal bool
	// Keep, if not nil, limits All to names for which it returns true.
	Keep func(name string) bool
}

// Reveal gives values, with references resolved. What cannot be resolved is an *Error of kind NotFound that wraps a
// *resolve.Error with every name; then nothing is given.
func (s *Service) Reveal(ctx context.Context, c Caller, e Env, sel Selection) ([]resolve.Resolved, error) {
	if err := s.permit(ctx, c, actReveal, e.target(sel.Names...)); err != nil {
		return nil, err
	}
	var out []resolve.Resolved
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		src := &source{s: s, tx: tx, c: c, at: sel.At, personal: !sel.NoPersonal, root: e}
		scope := resolve.Scope{Project: e.Project, Env: e.Slug}
		if sel.Names != nil {
			out, err = resolve.Names(ctx, src, scope, sel.Names, sel.Over...)
			return err
		}
		out, err = resolve.All(ctx, src, scope, sel.Keep, sel.Over...)
		return err
	})
	if err != nil {
		return nil, failure("reading "+e.Project+"/"+e.Slug, err)
	}
	if names := revealed(e, out); len(names) > 0 {
		if err := s.record(ctx, c, actReveal, e.target(names...), audit.OK); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// revealed lists the secrets of the vault that are in what was resolved, for the log.
func revealed(e Env, all []resolve.Resolved) []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, v := range all {
		if v.Layer != resolve.File && v.Layer != resolve.Process {
			add(v.Name)
		}
		for _, u := range v.Uses {
			if u.Project == e.Project && u.Env == e.Slug {
				add(u.Name)
			} else {
				add(u.Scope.String() + "/" + u.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Value gives one stored value as it is, with its references unresolved; version 0 is the current one.
func (s *Service) Value(ctx context.Context, c Caller, e Env, name string, version int64) (secret.Value, error) {
	if err := s.permit(ctx, c, actReveal, e.target(name)); err != nil {
		return secret.Value{}, err
	}
	var v secret.Value
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		row, err := s.environment(ctx, tx, c, e)
		if err != nil {
			return err
		}
		b, err := s.openingBox(ctx, tx, row)
		if err != nil {
			return err
		}
		v, err = b.version(ctx, tx, name, version)
		if isNotFound(err) {
			return notFound("%s is not set in %s/%s, or has no version %d", name, e.Project, e.Slug, version)
		}
		return err
	})
	if err != nil {
		return secret.Value{}, failure("reading "+name, err)
	}
	t := e.target(name)
	if err := s.record(ctx, c, actReveal, t, audit.OK); err != nil {
		return secret.Value{}, err
	}
	return v, nil
}

// Values gives all stored values of one environment as they are, with their references unresolved; none for an environment that
// holds nothing.
func (s *Service) Values(ctx context.Context, c Caller, e Env) (map[string]secret.Value, error) {
	if err := s.permit(ctx, c, actReveal, e.target()); err != nil {
		return nil, err
	}
	out := map[string]secret.Value{}
	var names []string
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		row, err := s.environment(ctx, tx, c, e)
		if err != nil {
			return err
		}
		now, err := s.contentsOf(ctx, tx, row, Moment{})
		if err != nil {
			return err
		}
		names = contentNames(now, nil)
		for name, x := range now {
			out[name] = x.value
		}
		return nil
	})
	if err != nil {
		return nil, failure("reading "+e.Project+"/"+e.Slug, err)
	}
	if len(names) == 0 {
		return out, nil
	}
	return out, s.record(ctx, c, actReveal, e.target(names...), audit.OK)
}

func (b box) version(ctx context.Context, tx *sqlstore.Tx, name string, version int64) (secret.Value, error) {
	if version == 0 {
		row, err := tx.Secret(ctx, b.env, name)
		if err != nil {
			return secret.Value{}, err
		}
		return b.openValue(name, row.Version, row.Sealed)
	}
	row, err := tx.Version(ctx, b.env, name, version)
	if err != nil {
		return secret.Value{}, err
	}
	return b.openValue(name, version, row.Sealed)
}

// Explain says how a name gets its value, layer by layer, without showing it.
func (s *Service) Explain(ctx context.Context, c Caller, e Env, name string, sel Selection) (resolve.Explanation, error) {
	if err := s.permit(ctx, c, actExplain, e.target(name)); err != nil {
		return resolve.Explanation{}, err
	}
	var out resolve.Explanation
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		src := &source{s: s, tx: tx, c: c, at: sel.At, personal: !sel.NoPersonal, root: e}
		out, err = resolve.Explain(ctx, src, resolve.Scope{Project: e.Project, Env: e.Slug}, name, sel.Over...)
		return err
	})
	return out, failure("explaining "+name, err)
}

// source reads layers for resolve inside one transaction.
type source struct {
	s        *Service
	tx       *sqlstore.Tx
	c        Caller
	at       Moment
	personal bool
	root     Env
	projects map[string][]sqlstore.Environment
}

var _ resolve.Source = (*source)(nil)

func (src *source) environments(ctx context.Context, project string) ([]sqlstore.Environment, error) {
	if all, ok := src.projects[project]; ok {
		return all, nil
	}
	_, all, err := src.s.environments(ctx, src.tx, project)
	if err != nil {
		return nil, err
	}
	if src.projects == nil {
		src.projects = map[string][]sqlstore.Environment{}
	}
	src.projects[project] = all
	return all, nil
}

// Layers implements resolve.Source.
func (src *source) Layers(ctx context.Context, scope resolve.Scope) ([]resolve.Layer, error) {
	all, err := src.environments(ctx, scope.Project)
	if err != nil {
		return nil, src.missing(scope, err)
	}
	own, err := pick(all, src.c, Env{Project: scope.Project, Slug: scope.Env})
	if err != nil {
		return nil, src.missing(scope, err)
	}
	chain := []sqlstore.Environment{own}
	for base, ok := findID(all, own.BaseID); ok && len(chain) <= resolve.MaxDepth; base, ok = findID(all, base.BaseID) {
		chain = append(chain, base)
	}
	slices.Reverse(chain)
	var layers []resolve.Layer
	for _, row := range chain {
		kind := resolve.Base
		if row.ID == own.ID {
			kind = resolve.Environment
		}
		if layers, err = src.add(ctx, layers, kind, scope.Project+"/"+row.Slug, row); err != nil {
			return nil, err
		}
	}
	if personal, ok := find(all, scope.Env, src.c.Actor.ID); ok && src.personal && src.c.Actor.ID != "" {
		return src.add(ctx, layers, resolve.Personal, "your overrides", personal)
	}
	return layers, nil
}

// missing lets resolve tell a reference to nowhere from a failure; for the scope that was asked for it stays ours.
func (src *source) missing(scope resolve.Scope, err error) error {
	if KindOf(err) == NotFound && (scope.Project != src.root.Project || scope.Env != src.root.Slug) {
		return fmt.Errorf("%w: %w", resolve.ErrNotFound, err)
	}
	return err
}

func (src *source) add(ctx context.Context, layers []resolve.Layer, kind resolve.Kind, label string, row sqlstore.Environment) ([]resolve.Layer, error) {
	items, err := src.items(ctx, row)
	return append(layers, resolve.Layer{Kind: kind, Label: label, Items: items}), err
}

func (src *source) items(ctx context.Context, row sqlstore.Environment) (map[string]resolve.Item, error) {
	b, err := src.s.openingBox(ctx, src.tx, row)
	if err != nil {
		return nil, err
	}
	at := src.at
	if row.Slug != src.root.Slug { // a revision number means the environment asked for
		at.Revision = 0
	}
	revision, err := revisionOf(ctx, src.tx, row, at)
	if err != nil {
		return nil, err
	}
	if revision >= 0 {
		return src.pastItems(ctx, b, row, revision)
	}
	secrets, err := src.tx.Secrets(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	items := make(map[string]resolve.Item, len(secrets))
	for _, sec := range secrets {
		v, err := b.openValue(sec.Name, sec.Version, sec.Sealed)
		if err != nil {
			return nil, err
		}
		items[sec.Name] = resolve.Item{Value: v, Raw: sec.Type == TypeRaw, Version: sec.Version}
	}
	return items, nil
}

func (src *source) pastItems(ctx context.Context, b box, row sqlstore.Environment, revision int64) (map[string]resolve.Item, error) {
	states, err := src.tx.StatesAt(ctx, row.ID, revision)
	if err != nil {
		return nil, err
	}
	items := make(map[string]resolve.Item, len(states))
	for _, st := range states {
		v, err := b.version(ctx, src.tx, st.Name, st.Version)
		if err != nil {
			return nil, err
		}
		items[st.Name] = resolve.Item{Value: v, Raw: st.Type == TypeRaw, Version: st.Version}
	}
	return items, nil
}

// Version implements resolve.Source.
func (src *source) Version(ctx context.Context, scope resolve.Scope, name string, version int64) (resolve.Item, error) {
	all, err := src.environments(ctx, scope.Project)
	if err != nil {
		return resolve.Item{}, src.missing(scope, err)
	}
	row, err := pick(all, src.c, Env{Project: scope.Project, Slug: scope.Env})
	if err != nil {
		return resolve.Item{}, src.missing(scope, err)
	}
	b, err := src.s.openingBox(ctx, src.tx, row)
	if err != nil {
		return resolve.Item{}, err
	}
	v, err := b.version(ctx, src.tx, name, version)
	if isNotFound(err) {
		return resolve.Item{}, fmt.Errorf("%w: it has no such version", resolve.ErrNotFound)
	}
	return resolve.Item{Value: v, Version: version}, err
}
