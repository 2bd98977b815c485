package login

import (
	"context"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// target is the environment and the name of the secret that an argument means.
func target(c *tool.Call, connection, env, fallback string) (platform.Env, string, error) {
	e := c.In(ref.CanonicalEnvironment(env))
	if connection == "" {
		return e, fallback, nil
	}
	if !strings.Contains(connection, "://") {
		if err := ref.ValidKey(connection); err != nil { // not quoted: it may hold a password all the same
			return e, "", tool.Invalid("connection takes the name of a secret, such as %s", fallback)
		}
		return e, connection, nil
	}
	if !strings.HasPrefix(connection, ref.Scheme) {
		return e, "", tool.Invalid("connection takes the name of a secret, such as %s, and not a URL: a URL here would put its "+
			"password into this conversation. Have the person store the URL as a secret, and name that", fallback)
	}
	r, err := ref.Parse(connection)
	if err != nil || r.IsEngine() || r.Version != 0 {
		return e, "", tool.Invalid("connection is no address of a secret's current value; one looks like zvault://%s", fallback)
	}
	if r.Project != "" {
		e.Project = r.Project
	}
	if r.Env != "" {
		e.Slug = r.Env
	}
	return e, r.Key, nil
}

// parameterNames lists the secrets that parameters are addresses of. They are in the environment of the connection, which
// the use names.
func parameterNames(e platform.Env, parameters []any) ([]string, error) {
	var names []string
	for i, p := range parameters {
		text, ok := p.(string)
		if !ok || !strings.HasPrefix(text, ref.Scheme) {
			continue
		}
		r, err := ref.Parse(text)
		if err != nil || r.IsEngine() || r.Version != 0 {
			return nil, tool.Invalid("parameter %d is no address of a secret's current value; one looks like zvault://KEY", i+1)
		}
		if r.Project != "" && r.Project != e.Project || r.Env != "" && r.Env != e.Slug {
			return nil, tool.Invalid("parameter %d is a secret of another environment than the connection's, %s/%s", i+1, e.Project, e.Slug)
		}
		if !slices.Contains(names, r.Key) {
			names = append(names, r.Key)
		}
	}
	return names, nil
}

// replace puts values in place of their addresses.
func replace(parameters []any, values map[string]secret.Value) []any {
	out := slices.Clone(parameters)
	for i, p := range out {
		if text, ok := p.(string); ok && strings.HasPrefix(text, ref.Scheme) {
			if r, err := ref.Parse(text); err == nil { // parameterNames has parsed it before
				out[i] = string(values[r.Key].Reveal())
			}
		}
	}
	return out
}

// reveal gives the value of the connection's secret.
func reveal(ctx context.Context, c *tool.Call, e platform.Env, name string, r Request) (secret.Value, error) {
	values, err := c.Session.Reveal(ctx, e, []string{name})
	if err == nil {
		return values[name], nil
	}
	err = vaultError(ctx, c, e, err, name)
	if failed, ok := err.(*tool.Error); ok && failed.Code == "not_found" && r.Connection == "" { //nolint:errorlint // made above
		failed.Message += "; the argument connection may name another secret that holds the URL"
	}
	return secret.Value{}, err
}

// vaultError says what the model can do about an error of the vault.
func vaultError(ctx context.Context, c *tool.Call, e platform.Env, err error, names ...string) error {
	switch platform.KindOf(err) {
	case platform.NotFound:
		return missing(ctx, c, e, names)
	case platform.Denied:
		return tool.Failed("denied", "%s", err)
	case platform.Unavailable:
		return tool.Failed("sealed", "the vault cannot be read now: the person can see why with zvault status")
	default:
		return err
	}
}

// missing names the secrets that are not there, each with the nearest that is. What an environment inherits counts as there.
func missing(ctx context.Context, c *tool.Call, e platform.Env, names []string) error {
	var known []string
	for range 32 { // as deep as environments inherit, and no more if they were to do so in a circle
		secrets, err := c.Platform.List(ctx, c.Caller, e, platform.Moment{})
		if err != nil {
			return tool.Failed("not_found", "there is no secret %s in %s/%s", strings.Join(names, " or "), e.Project, e.Slug)
		}
		for _, s := range secrets {
			known = append(known, s.Name)
		}
		if e.Slug = base(ctx, c, e); e.Slug == "" {
			break
		}
	}
	var parts []string
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		part := "there is no secret " + name
		if near, ok := nearest.Of(name, known); ok {
			part += "; is it " + near + "?"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = []string{strings.Join(names, ", ") + " refers to a secret that does not exist"}
	}
	return tool.Failed("not_found", "%s", strings.Join(parts, ", "))
}

// base is the environment that another inherits from, empty for none.
func base(ctx context.Context, c *tool.Call, e platform.Env) string {
	all, err := c.Platform.Environments(ctx, c.Caller, e.Project)
	if err != nil {
		return ""
	}
	for _, x := range all {
		if x.Slug == e.Slug && !x.Personal {
			return x.Base
		}
	}
	return ""
}
