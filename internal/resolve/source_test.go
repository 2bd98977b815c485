package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// vault is a Source in memory. It counts how often each scope is read.
type vault struct {
	scopes   map[resolve.Scope][]resolve.Layer
	versions map[string]string // by scope/name@version
	reads    map[resolve.Scope]int
	fails    map[resolve.Scope]error
}

func (v *vault) Layers(_ context.Context, s resolve.Scope) ([]resolve.Layer, error) {
	if v.reads == nil {
		v.reads = map[resolve.Scope]int{}
	}
	v.reads[s]++
	if err := v.fails[s]; err != nil {
		return nil, err
	}
	layers, ok := v.scopes[s]
	if !ok {
		return nil, fmt.Errorf("there is no environment %s: %w", s, resolve.ErrNotFound)
	}
	return layers, nil
}

func (v *vault) Version(_ context.Context, s resolve.Scope, name string, version int64) (resolve.Item, error) {
	if err := v.fails[s]; err != nil {
		return resolve.Item{}, err
	}
	value, ok := v.versions[fmt.Sprintf("%s/%s@%d", s, name, version)]
	if !ok {
		return resolve.Item{}, fmt.Errorf("%s has no version %d: %w", name, version, resolve.ErrNotFound)
	}
	return resolve.Item{Value: secret.Of(value), Version: version}, nil
}

// layer makes one of NAME=value entries; a NAME that ends in '!' holds a raw value.
func layer(kind resolve.Kind, entries ...string) resolve.Layer {
	l := resolve.Layer{Kind: kind, Label: "the " + string(kind), Items: map[string]resolve.Item{}}
	for i, e := range entries {
		name, value, _ := strings.Cut(e, "=")
		bare := strings.TrimSuffix(name, "!")
		l.Items[bare] = resolve.Item{Value: secret.Of(value), Raw: bare != name, Version: int64(i + 1)}
	}
	return l
}

// scoped makes a vault of PROJECT/ENV and its layers, alternately.
func scoped(pairs ...any) *vault {
	v := &vault{scopes: map[resolve.Scope][]resolve.Layer{}, versions: map[string]string{}, fails: map[resolve.Scope]error{}}
	var at resolve.Scope
	for _, p := range pairs {
		switch p := p.(type) {
		case string:
			at = scope(p)
			v.scopes[at] = nil
		case resolve.Layer:
			v.scopes[at] = append(v.scopes[at], p)
		}
	}
	return v
}

func scope(s string) resolve.Scope {
	project, env, _ := strings.Cut(s, "/")
	return resolve.Scope{Project: project, Env: env}
}

var app = scope("app/development")

// show prints what was resolved as NAME=value, with the layer in brackets.
func show(all []resolve.Resolved) string {
	var parts []string
	for _, r := range all {
		parts = append(parts, fmt.Sprintf("%s=%s[%s]", r.Name, r.Value.Reveal(), r.Layer))
	}
	return strings.Join(parts, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// problems returns what an error says of each name.
func problems(t *testing.T, err error) map[string]string {
	t.Helper()
	var broken *resolve.Error
	if !errors.As(err, &broken) {
		t.Fatalf("error %v; want one that lists problems", err)
	}
	all := map[string]string{}
	for _, p := range broken.Problems {
		all[p.Name] = p.Reason
	}
	return all
}
