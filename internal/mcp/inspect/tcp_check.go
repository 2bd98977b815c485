package inspect

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type tcpIn struct {
	Host string `json:"host" jsonschema:"name or address of the host"`
	Port int    `json:"port" jsonschema:"1 to 65535"`
}

type tcpOut struct {
	Open         bool   `json:"open" jsonschema:"whether the port takes connections"`
	Address      string `json:"address,omitempty" jsonschema:"the address that was connected to"`
	Milliseconds int64  `json:"milliseconds" jsonschema:"how long it took"`
	Reason       string `json:"reason,omitempty" jsonschema:"why it is not open"`
}

func tcpCheck() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "tcp_check", Title: "Check a TCP port", Set: tool.Inspect, Text: "Says whether a port of a host takes connections. Nothing is sent.",
		ReadOnly: true, Idempotent: true, OpenWorld: true,
	}, func(ctx context.Context, c *tool.Call, in tcpIn) (*tcpOut, error) {
		if err := permit(ctx, c, "tcp_check", "tcp", in.Host, in.Port); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
		defer cancel()
		began := time.Now()
		conn, err := c.Dialer.DialContext(ctx, "tcp", net.JoinHostPort(in.Host, strconv.Itoa(in.Port)))
		took := time.Since(began).Milliseconds()
		if err != nil {
			err = unreachable(in.Host, err)
			if e, ok := err.(*tool.Error); ok && e.Code != "denied" { //nolint:errorlint // ours, unwrapped
				return &tcpOut{Milliseconds: took, Reason: e.Message}, nil
			}
			return nil, err
		}
		out := &tcpOut{Open: true, Address: conn.RemoteAddr().String(), Milliseconds: took}
		_ = conn.Close() // nothing was sent
		return out, nil
	})
}
