package network

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type checkIn struct {
	Address string `json:"address" jsonschema:"http or https URL, or host:port"`
}

type checkOut struct {
	Up           bool   `json:"up" jsonschema:"whether it answers; an HTTP service must answer below 500"`
	Status       int    `json:"status,omitempty" jsonschema:"the HTTP status"`
	Milliseconds int64  `json:"milliseconds" jsonschema:"how long it took"`
	Reason       string `json:"reason,omitempty" jsonschema:"why it is not up"`
}

func checkService() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "check_service", Title: "Check whether a service is up", Set: tool.Proxy,
		Text:     "Connects to a service, or sends a GET without credentials, and says whether it answers and how fast.",
		ReadOnly: true, Idempotent: true, OpenWorld: true,
	}, runCheck)
}

func runCheck(ctx context.Context, c *tool.Call, in checkIn) (*checkOut, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
	defer cancel()
	began := time.Now()
	if !strings.Contains(in.Address, "://") {
		return checkPort(ctx, c, in.Address, began)
	}
	a, err := send(ctx, c, request{tool: "check_service", method: http.MethodGet, url: in.Address})
	took := time.Since(began).Milliseconds()
	if err != nil {
		if reason, ok := down(err); ok {
			return &checkOut{Milliseconds: took, Reason: reason}, nil
		}
		return nil, err
	}
	return &checkOut{Up: a.Status < http.StatusInternalServerError, Status: a.Status, Milliseconds: took}, nil
}

func checkPort(ctx context.Context, c *tool.Call, address string, began time.Time) (*checkOut, error) {
	host, portText, err := net.SplitHostPort(address)
	port, numberErr := strconv.Atoi(portText)
	if err != nil || numberErr != nil || host == "" {
		return nil, tool.Invalid("address is neither a URL nor host:port")
	}
	use := grant.Use{Project: c.Env.Project, Env: c.Env.Slug, Tool: "check_service", Scheme: "tcp", Host: strings.ToLower(host), Port: port}
	if err := c.Gate.Authorize(ctx, use); err != nil {
		return nil, err
	}
	conn, err := c.Dialer.DialContext(ctx, "tcp", address)
	took := time.Since(began).Milliseconds()
	if err != nil {
		err = failure(host, &url.Error{Op: "connect", Err: err})
		if reason, ok := down(err); ok {
			return &checkOut{Milliseconds: took, Reason: reason}, nil
		}
		return nil, err
	}
	_ = conn.Close() // nothing was sent
	return &checkOut{Up: true, Milliseconds: took}, nil
}

// down is why a service is not up; false for a check that could not be made.
func down(err error) (string, bool) {
	e, ok := err.(*tool.Error) //nolint:errorlint // ours, unwrapped
	if !ok || e.Code != "unreachable" && e.Code != "timeout" {
		return "", false
	}
	return e.Message, true
}
