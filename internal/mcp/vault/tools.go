// Package vault has the tools that work with the secrets of a project: they list, describe, make, copy and compare them. None
// takes a value from the model or gives one to it: a value is entered by the person on a page of their own, made here, or read
// from a file.
//
// No tool tells whether two values are the same. A model that can have values stored (from a file it has written) could guess
// others so; what is compared is names, versions and times.
package vault

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Tools returns the tools of the set.
func Tools() ([]tool.Tool, error) {
	return tool.Collect(
		listSecrets,
		describeSecret,
		checkEnv,
		generateEnvTemplate,
		setSecret,
		deleteSecret,
		vaultStatus,
		rotateSecret,
		copySecret,
		diffSecrets,
		bulkImport,
		secretHistory,
		compareEnvs,
	)
}

// in is the environment that an argument names, by its name or an alias such as prod.
func in(c *tool.Call, env string) platform.Env { return c.In(ref.CanonicalEnvironment(env)) }

// addressOf is how a secret is referred to.
func addressOf(e platform.Env, name string) string {
	return ref.Ref{Project: e.Project, Key: name}.String()
}

// find describes a secret, or says which one may have been meant.
func find(ctx context.Context, c *tool.Call, e platform.Env, name string) (platform.Secret, error) {
	all, err := c.Listed(ctx, e)
	if err != nil {
		return platform.Secret{}, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		if s.Name == name {
			return s, nil
		}
		names[i] = s.Name
	}
	if near, ok := nearest.Of(name, names); ok {
		return platform.Secret{}, tool.Failed("not_found", "%s is not set in %s/%s; did you mean %s?", name, e.Project, e.Slug, near)
	}
	return platform.Secret{}, tool.Failed("not_found", "%s is not set in %s/%s; zvault_list_secrets lists what is", name, e.Project, e.Slug)
}

// isSet reports whether an environment itself holds a secret.
func isSet(ctx context.Context, c *tool.Call, e platform.Env, name string) (bool, error) {
	_, err := c.Platform.Describe(ctx, c.Caller, e, name)
	if platform.KindOf(err) == platform.NotFound {
		if _, missing := c.Platform.List(ctx, c.Caller, e, platform.Moment{}); missing != nil {
			return false, missing // there is no such environment
		}
		return false, nil
	}
	return err == nil, err
}

// refuseValues are arguments by which a model may try to hand a value over.
func refuseValues() map[string]string {
	const why = "a value must not pass through the conversation, where others store it. Leave it out: the person is shown a page to enter it, " +
		"or set generate and ZVault makes one. A value that has been in the conversation already should be replaced where it was issued"
	refused := map[string]string{}
	for _, name := range []string{"value", "values", "secret", "secret_value", "password", "token", "content", "data", "key", "plaintext"} {
		refused[name] = why
	}
	return refused
}
