// Package inspect holds the tools that look at a service from outside: its port, its certificate, its name, a token it gave.
package inspect

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Tools lists the tools.
func Tools() ([]tool.Tool, error) {
	return tool.Collect(
		// One line a tool.
		tcpCheck,
		tlsInspect,
		dnsLookup,
		jwtDecode,
	)
}

// permit asks the gate about a connection without a secret.
func permit(ctx context.Context, c *tool.Call, name, scheme, host string, port int) error {
	if host == "" || port < 1 || port > 65535 {
		return tool.Invalid("name a host and a port from 1 to 65535")
	}
	return c.Gate.Authorize(ctx, grant.Use{Project: c.Env.Project, Env: c.Env.Slug, Tool: name, Scheme: scheme, Host: strings.ToLower(host), Port: port})
}

// unreachable says why a host could not be connected to.
func unreachable(host string, err error) error {
	var name *net.DNSError
	var known *tool.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, egress.ErrRefused):
		return tool.Failed("denied", "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return tool.Failed("timeout", "%s did not answer in time", host)
	case errors.As(err, &name) && name.IsNotFound:
		return tool.Failed("not_found", "there is no host %s", host)
	case errors.Is(err, context.Canceled):
		return err
	}
	return tool.Failed("unreachable", "%s cannot be connected to: %s", host, err)
}
