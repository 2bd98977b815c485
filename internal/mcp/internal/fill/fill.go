// Package fill puts the values of secrets into what a tool sends: arguments hold addresses, zvault://KEY or ${zvault://KEY} in
// the midst of text, which become values once the gate has let the use pass.
//
// Start with [New], name the texts with [Form.Add], fill in the rest of the use, and call [Form.Reveal]; then [Form.Fill] gives
// the texts with values.
package fill

import (
	"context"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Form is one use of secrets that is being put together.
type Form struct {
	// Use is what the gate will be asked; Add fills in its secrets and places.
	Use grant.Use

	call   *tool.Call
	env    platform.Env
	values map[string]secret.Value
}

// New starts a form for a tool. env is its argument of that name.
func New(c *tool.Call, name, env string) *Form {
	e := c.In(env)
	return &Form{call: c, env: e, Use: grant.Use{Project: e.Project, Env: e.Slug, Tool: name, In: map[string]string{}}}
}

// Add looks for addresses in a text that goes to a place, and reports whether it has any. Only secrets of the project and the
// environment in force can be named.
func (f *Form) Add(place, text string) (bool, error) {
	t, err := ref.ParseTemplate(text)
	if err != nil {
		return false, tool.Invalid("%s: %s", place, err)
	}
	for _, r := range t.Refs() {
		if err := f.add(place, r); err != nil {
			return false, err
		}
	}
	return !t.IsLiteral(), nil
}

func (f *Form) add(place string, r ref.Ref) error {
	switch {
	case r.IsEngine():
		return tool.Invalid("%s: %s is the address of an engine; name a secret", place, r)
	case r.Project != "" && r.Project != f.env.Project, r.Env != "" && r.Env != f.env.Slug, r.Version != 0:
		return tool.Invalid("%s: %s is not of %s, %s; name its secrets by zvault://KEY, and the environment by the argument env", place, r, f.env.Project, f.env.Slug)
	}
	if !slices.Contains(f.Use.Secrets, r.Key) {
		f.Use.Secrets = append(f.Use.Secrets, r.Key)
		slices.Sort(f.Use.Secrets)
	}
	places := strings.Split(f.Use.In[r.Key], ",")
	if !slices.Contains(places, place) {
		f.Use.In[r.Key] = strings.TrimPrefix(strings.Join(append(places, place), ","), ",")
	}
	return nil
}

// Reveal asks the gate, and has the values revealed.
func (f *Form) Reveal(ctx context.Context) error {
	if err := f.call.Gate.Authorize(ctx, f.Use); err != nil {
		return err
	}
	if len(f.Use.Secrets) == 0 {
		return nil
	}
	var err error
	f.values, err = f.call.Session.Reveal(ctx, f.env, f.Use.Secrets)
	return err
}

// Mask masks the values of this use in what came back, before it is cut: a piece of one would not be known any more.
func (f *Form) Mask(b []byte) ([]byte, error) {
	all := make([]redact.Secret, 0, len(f.values))
	for name, v := range f.values {
		all = append(all, redact.Secret{Name: name, Value: v, Force: true})
	}
	m, err := redact.New(all)
	if err != nil {
		return nil, err
	}
	return m.Bytes(b), nil
}

// Fill returns a text with values for addresses.
func (f *Form) Fill(text string) (string, error) {
	return f.FillAs(text, func(v string) string { return v })
}

// FillAs is Fill with each value changed to what its place needs, as by url.QueryEscape.
func (f *Form) FillAs(text string, as func(string) string) (string, error) {
	t, err := ref.ParseTemplate(text)
	if err != nil {
		return "", tool.Invalid("%s", err)
	}
	filled, err := t.Expand(func(r ref.Ref) ([]byte, error) {
		v, ok := f.values[r.Key]
		if !ok {
			return nil, tool.Failed("not_found", "there is no secret %s in %s", r.Key, f.env.Slug)
		}
		return []byte(as(string(v.Reveal()))), nil
	})
	return string(filled), err
}
