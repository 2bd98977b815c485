// Package resolve turns names into values: it lays the layers of an environment over one another and follows
// references, also across projects. It reads through a [Source] and keeps nothing.
//
// # Layers
//
// A name has the value of the highest layer that holds it. From the lowest:
//
//  1. the environments that the environment inherits from, the farthest first
//  2. the environment itself
//  3. the person's own overrides of it (left out in CI)
//  4. the entries of a file such as .env.zvault
//  5. the process environment
//
// The value that wins may refer to others (package ref): `zvault://KEY` in the same project and environment,
// `zvault://project/KEY` in the environment of the same name in another project. Those are looked up through the layers
// of their own scope, 1 to 3. A reference that leads back to itself is a cycle and is named.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const (
	// MaxDepth is how many references may follow one another.
	MaxDepth = 32
	// MaxSize is how many bytes references may make of one value. A few values that each refer to another twice or more would
	// otherwise make one that fits into no memory.
	MaxSize = 16 << 20
)

// Kind tells layers apart.
type Kind string

// The kinds of layer, lowest first.
const (
	Base        Kind = "base"
	Environment Kind = "environment"
	Personal    Kind = "personal"
	File        Kind = "file"
	Process     Kind = "process"
)

// Scope is an environment of a project, by slug.
type Scope struct {
	Project, Env string
}

// String prints a scope as project/env.
func (s Scope) String() string { return s.Project + "/" + s.Env }

// Item is what a layer holds under a name. A raw value is taken as it is; any other may hold references.
type Item struct {
	Value   secret.Value
	Raw     bool
	Version int64 // 0 where the layer has no versions
}

// Layer is one set of names and values. Label names it for people.
type Layer struct {
	Kind  Kind
	Label string
	Items map[string]Item
}

// ErrNotFound is what a Source returns for a scope or a version that does not exist; wrapped, with the reason.
var ErrNotFound = errors.New("not found")

// Source reads the environments of one organisation on behalf of one caller.
type Source interface {
	// Layers returns the layers of a scope, lowest first.
	Layers(ctx context.Context, s Scope) ([]Layer, error)
	// Version returns one past value of a name in the environment itself.
	Version(ctx context.Context, s Scope, name string, version int64) (Item, error)
}

// Resolved is a name with its final value and where that came from.
type Resolved struct {
	Name  string
	Value secret.Value
	// Layer is the one that won.
	Layer Kind
	// Uses lists the secrets of other scopes or names that went into the value, each once.
	Uses []Use
	// depth is how many references follow one another below it.
	depth int
}

// Use is a secret that a value was made of.
type Use struct {
	Scope
	Name string
}

// Problem is one name that has no value, and why. It holds no value.
type Problem struct {
	Name   string
	Reason string
}

// Error lists every name that could not be resolved.
type Error struct {
	Problems []Problem
}

// Error names all problems in one line.
func (e *Error) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Name + ": " + p.Reason
	}
	return strings.Join(parts, "; ")
}

// All resolves every name that the layers hold and that keep wants (nil: every one), sorted by name; over goes on top of
// the scope's own layers. When names cannot be resolved the error is an *Error with all of them, and nothing is returned.
func All(ctx context.Context, src Source, scope Scope, keep func(name string) bool, over ...Layer) ([]Resolved, error) {
	r, err := newResolver(ctx, src, scope, over)
	if err != nil {
		return nil, err
	}
	var names []string
	seen := map[string]bool{}
	for _, l := range r.scopes[scope] {
		for name := range l.Items {
			if !seen[name] && (keep == nil || keep(name)) {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return r.names(ctx, scope, names)
}

// Names resolves the given names, in their order. A name that no layer holds is a problem.
func Names(ctx context.Context, src Source, scope Scope, names []string, over ...Layer) ([]Resolved, error) {
	r, err := newResolver(ctx, src, scope, over)
	if err != nil {
		return nil, err
	}
	return r.names(ctx, scope, names)
}

// resolver holds what one call has read so far.
type resolver struct {
	src    Source
	root   Scope
	scopes map[Scope][]Layer // of the root scope: with the layers on top
	done   map[Use]Resolved
}

func newResolver(ctx context.Context, src Source, scope Scope, over []Layer) (*resolver, error) {
	layers, err := src.Layers(ctx, scope)
	if err != nil {
		return nil, err
	}
	r := &resolver{src: src, root: scope, scopes: map[Scope][]Layer{}, done: map[Use]Resolved{}}
	r.scopes[scope] = append(slices.Clone(layers), over...)
	return r, nil
}

func (r *resolver) names(ctx context.Context, scope Scope, names []string) ([]Resolved, error) {
	all := make([]Resolved, 0, len(names))
	var problems []Problem
	for _, name := range names {
		v, err := r.resolve(ctx, scope, name, nil)
		var broken *brokenError
		switch {
		case errors.As(err, &broken):
			problems = append(problems, Problem{Name: name, Reason: broken.reason})
		case err != nil:
			return nil, fmt.Errorf("resolving %s: %w", name, err)
		default:
			all = append(all, v)
		}
	}
	if len(problems) > 0 {
		return nil, &Error{Problems: problems}
	}
	return all, nil
}

// brokenError is a reference that leads nowhere, as opposed to a failure to read.
type brokenError struct{ reason string }

func (e *brokenError) Error() string { return e.reason }

func broken(format string, args ...any) error {
	return &brokenError{reason: fmt.Sprintf(format, args...)}
}

func errDepth() error { return broken("more than %d references follow one another", MaxDepth) }

// resolve finds the value of a name. path holds what led here. References made in the root scope's upper layers (file,
// process) to the same name mean the layers below, so that a file's `KEY=zvault://KEY` is no cycle.
func (r *resolver) resolve(ctx context.Context, scope Scope, name string, path []Use) (Resolved, error) {
	layers, err := r.layers(ctx, scope)
	if err != nil {
		return Resolved{}, err
	}
	if len(path) > 0 {
		layers = stored(layers)
	}
	use := Use{Scope: scope, Name: name}
	if v, ok := r.done[use]; ok && len(path) > 0 {
		if len(path)+v.depth > MaxDepth { // whether it is allowed must not depend on what was looked up before
			return Resolved{}, errDepth()
		}
		return v, nil
	}
	for i := len(layers) - 1; i >= 0; i-- {
		item, ok := layers[i].Items[name]
		if !ok {
			continue
		}
		onTop := layers[i].Kind == File || layers[i].Kind == Process
		if !onTop && slices.Contains(path, use) {
			return Resolved{}, broken("%s", cycle(path, use))
		}
		if !onTop {
			path = append(slices.Clone(path), use)
		} else {
			path = append(slices.Clone(path), Use{Scope: scope, Name: name + " (" + layers[i].Label + ")"})
		}
		v, err := r.expand(ctx, scope, name, item, path)
		if err != nil {
			return Resolved{}, err
		}
		v.Layer = layers[i].Kind
		if !onTop {
			r.done[use] = v
		}
		return v, nil
	}
	if len(path) == 0 {
		return Resolved{}, broken("not set in %s", scope)
	}
	return Resolved{}, broken("refers to %s, which is not set in %s", name, scope)
}

// stored leaves out the layers that are not in the vault.
func stored(layers []Layer) []Layer {
	for i, l := range layers {
		if l.Kind == File || l.Kind == Process {
			return layers[:i]
		}
	}
	return layers
}

func (r *resolver) layers(ctx context.Context, scope Scope) ([]Layer, error) {
	if l, ok := r.scopes[scope]; ok {
		return l, nil
	}
	l, err := r.src.Layers(ctx, scope)
	if errors.Is(err, ErrNotFound) {
		return nil, broken("refers to %s: %v", scope, err)
	}
	if err != nil {
		return nil, err
	}
	r.scopes[scope] = l
	return l, nil
}

func (r *resolver) expand(ctx context.Context, scope Scope, name string, item Item, path []Use) (Resolved, error) {
	out := Resolved{Name: name, Value: item.Value}
	if item.Raw || !ref.MayRefer(item.Value.Reveal()) {
		return out, nil
	}
	template, err := ref.ParseTemplate(string(item.Value.Reveal()))
	if err != nil {
		return out, broken("%v", err)
	}
	if len(path) > MaxDepth {
		return out, errDepth()
	}
	size := 0
	value, err := template.Expand(func(target ref.Ref) ([]byte, error) {
		v, err := r.follow(ctx, scope, target, path)
		if err != nil {
			return nil, err
		}
		if size += v.Value.Len(); size > MaxSize {
			return nil, broken("references make it longer than %d MiB", MaxSize>>20)
		}
		out.depth = max(out.depth, v.depth+1)
		out.Uses = appendUses(out.Uses, Use{Scope: within(target, scope), Name: target.Key}, v.Uses)
		return v.Value.Reveal(), nil
	})
	if err != nil {
		return out, err
	}
	out.Value = secret.New(value)
	return out, nil
}

func (r *resolver) follow(ctx context.Context, scope Scope, target ref.Ref, path []Use) (Resolved, error) {
	if target.IsEngine() {
		return Resolved{}, broken("refers to %s, which needs a server", target)
	}
	to := within(target, scope)
	if target.Version == 0 {
		return r.resolve(ctx, to, target.Key, path)
	}
	use := Use{Scope: to, Name: fmt.Sprintf("%s?version=%d", target.Key, target.Version)}
	if slices.Contains(path, use) {
		return Resolved{}, broken("%s", cycle(path, use))
	}
	item, err := r.src.Version(ctx, to, target.Key, int64(target.Version))
	if errors.Is(err, ErrNotFound) {
		return Resolved{}, broken("refers to %s: %v", target, err)
	}
	if err != nil {
		return Resolved{}, err
	}
	return r.expand(ctx, to, target.Key, item, append(slices.Clone(path), use))
}

// within fills in what a reference leaves out: the project and the environment of the value that holds it.
func within(target ref.Ref, scope Scope) Scope {
	to := Scope{Project: target.Project, Env: target.Env}
	if to.Project == "" {
		to.Project = scope.Project
	}
	if to.Env == "" {
		to.Env = scope.Env
	}
	return to
}

func appendUses(all []Use, direct Use, nested []Use) []Use {
	for _, u := range append([]Use{direct}, nested...) {
		if !slices.Contains(all, u) {
			all = append(all, u)
		}
	}
	return all
}

func cycle(path []Use, again Use) string {
	start := slices.Index(path, again)
	names := make([]string, 0, len(path)+1)
	for _, u := range append(slices.Clone(path[start:]), again) {
		names = append(names, u.Scope.String()+"/"+u.Name)
	}
	return "refers to itself: " + strings.Join(names, " -> ")
}
