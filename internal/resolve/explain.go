package resolve

import (
	"context"
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Explanation says how a name gets its value, layer by layer. It holds no value.
type Explanation struct {
	Name   string      `json:"name"`
	Scope  string      `json:"scope"`
	Layers []LayerView `json:"layers"`
	// Problem says why there is no value; empty when there is one.
	Problem string `json:"problem,omitempty"`
}

// LayerView is one layer as Explain saw it, lowest first.
type LayerView struct {
	Kind    Kind     `json:"kind"`
	Label   string   `json:"label"`
	Set     bool     `json:"set"`
	Wins    bool     `json:"wins"`
	Version int64    `json:"version,omitempty"`
	Refers  []string `json:"refers,omitempty"`
}

// Explain shows every layer of a scope and which one gives name its value.
func Explain(ctx context.Context, src Source, scope Scope, name string, over ...Layer) (Explanation, error) {
	r, err := newResolver(ctx, src, scope, over)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Name: name, Scope: scope.String()}
	winner := -1
	for i, l := range r.scopes[scope] {
		item, set := l.Items[name]
		v := LayerView{Kind: l.Kind, Label: l.Label, Set: set, Version: item.Version}
		if set {
			winner = i
			v.Refers = refers(item)
		}
		e.Layers = append(e.Layers, v)
	}
	if winner >= 0 {
		e.Layers[winner].Wins = true
	}
	var none *Error
	_, err = r.names(ctx, scope, []string{name})
	if errors.As(err, &none) {
		e.Problem = none.Problems[0].Reason
		return e, nil
	}
	return e, err
}

// refers lists the references in a value; a malformed one shows up as the problem of resolving it.
func refers(item Item) []string {
	if item.Raw || !ref.MayRefer(item.Value.Reveal()) {
		return nil
	}
	template, err := ref.ParseTemplate(string(item.Value.Reveal()))
	if err != nil {
		return nil
	}
	var all []string
	for _, t := range template.Refs() {
		all = append(all, t.String())
	}
	return all
}
