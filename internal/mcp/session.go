package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// session is the conversation as one call sees it.
type session struct {
	s     *Server
	b     *binding
	req   *sdk.CallToolRequest
	talk  *conversation
	call  *tool.Call
	clock *patience
}

var _ tool.Session = (*session)(nil)

// Reveal implements tool.Session.
func (x *session) Reveal(ctx context.Context, e platform.Env, names []string) (map[string]secret.Value, error) {
	values, err := x.call.Platform.Use(ctx, x.call.Caller, e, names, x.b.Name)
	if err != nil {
		return nil, err
	}
	for name, v := range values {
		x.s.masker.guard(name, v)
	}
	return values, nil
}

// Guard implements tool.Session.
func (x *session) Guard(name string, v secret.Value) { x.s.masker.guard(name, v) }

// Progress implements tool.Session.
func (x *session) Progress(ctx context.Context, done, total float64, message string) {
	token := x.req.Params.GetProgressToken()
	if token == nil {
		return
	}
	// A client that is gone is noticed when the call ends.
	_ = x.req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: done, Total: total, Message: message})
}

// Switch implements tool.Session.
func (x *session) Switch(e platform.Env) { x.talk.move(e) }
