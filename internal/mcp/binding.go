package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// binding is a tool as it is served.
type binding struct {
	tool.Tool
	s     *Server
	input *jsonschema.Resolved
}

func (s *Server) bind(t tool.Tool) (*binding, error) {
	if t.Input == nil || t.Output == nil || t.Run == nil {
		return nil, fmt.Errorf("adding %s: it was not made with tool.New", t.Name)
	}
	t.Input, t.Output = portable(t.Input, true), portable(t.Output, false)
	input, err := t.Input.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", t.Name, err)
	}
	return &binding{Tool: t, s: s, input: input}, nil
}

// described is what a client is told.
func (b *binding) described() *sdk.Tool {
	return &sdk.Tool{
		Name: Prefix + b.Name, Title: b.Title, Description: b.Text, InputSchema: b.Input, OutputSchema: b.Output,
		Annotations: &sdk.ToolAnnotations{
			Title: b.Title, ReadOnlyHint: b.ReadOnly, DestructiveHint: &b.Destructive, IdempotentHint: b.Idempotent, OpenWorldHint: &b.OpenWorld,
		},
	}
}

// handle answers a call. The funnel completes the result.
func (b *binding) handle(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	out, err := b.call(ctx, req)
	var denied *grant.DeniedError
	if errors.As(err, &denied) {
		if ask := b.s.approval(ctx, req, denied); ask != nil {
			err = ask
		}
	}
	var ask *needsInput
	if errors.As(err, &ask) {
		return &sdk.CallToolResult{InputRequests: ask.requests, RequestState: ask.state}, nil
	}
	if err != nil {
		return b.s.failed(ctx, b.Name, err), nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return b.s.failed(ctx, b.Name, fmt.Errorf("encoding the result: %w", err)), nil
	}
	result := &sdk.CallToolResult{StructuredContent: json.RawMessage(raw)}
	if b.Outside {
		result.Meta = sdk.Meta{metaUntrusted: true}
	}
	return result, nil
}

// call checks the arguments, admits the call and runs the tool within its time.
func (b *binding) call(ctx context.Context, req *sdk.CallToolRequest) (any, error) {
	arguments, names, err := b.arguments(req.Params.Arguments)
	if err != nil {
		return nil, err
	}
	s := b.s
	opened, err := s.options.Vault.Open(ctx)
	if err != nil {
		return nil, err
	}
	talk := s.conversation(req.Session, req.Extra, req.ClientInfo())
	release, err := talk.enter()
	if err != nil {
		return nil, err
	}
	defer release()
	place, err := talk.place(ctx, req.Session)
	if err != nil {
		return nil, err
	}
	caller := s.caller(req.ClientInfo())
	gate, err := talk.guarded(ctx, opened, caller.Client, s.canOpenPages(req))
	if err != nil {
		return nil, err
	}
	resumed := s.entries.has(req.Params.RequestState)
	defer s.entries.drop(req.Params.RequestState)
	if err := s.approved(ctx, req); err != nil {
		return nil, err
	}
	clock := newPatience(ctx, s.options.Limits.Time)
	defer clock.stop()
	c := &tool.Call{
		Platform: opened.Platform, Home: opened.Home, Caller: caller, Env: place.env, Dir: place.dir, Limits: s.options.Limits,
		Grants: opened.Grants, Gate: waiting{gate, clock}, Dialer: s.options.Dialer, Getenv: s.options.Getenv,
		Resumed: resumed,
		Listed: func(ctx context.Context, e platform.Env) ([]platform.Secret, error) {
			return s.lists.list(ctx, opened.Platform, caller, e)
		},
	}
	ses := &session{s: s, b: b, req: req, talk: talk, call: c, clock: clock}
	c.Session = ses
	if b.recorded() {
		m, err := s.masker.masks(ctx, place.env.Project)
		if err != nil {
			return nil, err
		}
		for i := range names { // a model may give a value where a name belongs
			names[i] = m.text(names[i])
		}
		if err := opened.Platform.RecordCall(ctx, caller, place.env, b.Name, names, audit.OK); err != nil {
			return nil, err
		}
	}
	if before, ok := ctx.Value(knownKey{}).(*known); ok && b.Closes {
		if before.masks, err = s.masker.masks(ctx, place.env.Project); err != nil {
			return nil, err
		}
	}
	out, err := b.run(clock.ctx, c, arguments)
	if err != nil {
		err = clock.explain(err)
	}
	var denied *grant.DeniedError
	if errors.As(err, &denied) {
		err = errors.Join(err, opened.Platform.RecordCall(ctx, caller, place.env, b.Name, denied.Use.Secrets, audit.Denied))
	}
	s.watch.nudge()
	return out, err
}

// recorded says whether a call is written down before it is done: where it changes something, reaches outside, or looks at the
// vault's own affairs. What only lists names is not, and reveals are written down by themselves.
func (b *binding) recorded() bool { return !b.ReadOnly || b.OpenWorld || b.Set == tool.Admin }

// run runs the tool. A panic becomes an error without what was said in it.
func (b *binding) run(ctx context.Context, c *tool.Call, arguments json.RawMessage) (out any, err error) {
	defer func() {
		if recover() != nil {
			b.s.options.Log.Error("a tool panicked", "tool", b.Name, "stack", b.s.masker.forLog(ctx, string(debug.Stack())))
			out, err = nil, errInternal
		}
	}()
	return b.Run(ctx, c, arguments)
}
