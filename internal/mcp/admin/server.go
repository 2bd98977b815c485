package admin

import (
	"context"
	"errors"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// Addressed reports whether the environment names a server of Vault's kind.
func Addressed(getenv func(string) string) bool {
	return getenv != nil && (getenv("VAULT_ADDR") != "" || getenv("ZVAULT_ADDR") != "")
}

// connect makes a client of the server, with the person's token.
func connect(c *tool.Call) (*vaultclient.Client, error) {
	config, err := vaultclient.FromEnvironment(c.Getenv)
	if err != nil {
		return nil, tool.Failed("failed", "the environment's settings for the server cannot be read")
	}
	if config.Token == "" {
		file, err := vaultclient.DefaultTokenFile()
		if err != nil {
			return nil, tool.Failed("denied", "there is no token for the server; ask the person to run `zvault login`")
		}
		if config.Token, err = file.Load(); err != nil || config.Token == "" {
			return nil, tool.Failed("denied", "there is no token for the server; ask the person to run `zvault login`")
		}
	}
	client, err := vaultclient.New(config)
	if err != nil {
		return nil, tool.Failed("failed", "the environment's settings for the server cannot be used")
	}
	return client, nil
}

// answered makes a server's refusal something that the model can act on.
func answered(err error) error {
	var refused *vaultclient.ResponseError
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &refused):
		code := map[int]string{403: "denied", 404: "not_found", 400: "invalid", 503: "sealed"}[refused.Status]
		if code == "" {
			code = "failed"
		}
		if refused.Raw {
			return tool.Failed(code, "the server answered with status %d", refused.Status)
		}
		return tool.Failed(code, "the server answered with status %d: %s", refused.Status, strings.Join(refused.Errors, "; "))
	}
	return tool.Failed("unreachable", "the server did not answer")
}
