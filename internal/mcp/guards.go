package mcp

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// approvalPatience is how long a use waits for the person's answer where the client cannot show them a page: most clients give a
// call up after a minute.
const approvalPatience = 45 * time.Second

// guard is a conversation as the store of grants knows it.
type guard struct {
	store   *grant.Store
	session string
	client  string
	gate    grant.Gate
}

// guarded returns the gate of a conversation. The first call registers the conversation, so that a person sees it and can revoke
// it; whether they have is looked at before each call.
func (c *conversation) guarded(ctx context.Context, opened Opened, client audit.Client, pages bool) (grant.Gate, error) {
	if c.s.options.Gate != nil {
		return c.s.options.Gate, nil
	}
	if opened.Grants == nil {
		return closed{}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.guard == nil {
		asker := grant.Asker{Person: c.s.options.Person.Name, Client: client.Name, Version: client.Version, Face: audit.MCP, PID: c.s.options.PID}
		session, err := opened.Grants.Begin(ctx, asker)
		if err != nil {
			return nil, err
		}
		asker.Session = session
		o := grant.GateOptions{Patience: approvalPatience}
		if pages {
			o.Patience = 0 // the client shows a page and calls again
		}
		c.guard = &guard{opened.Grants, session, client.Name, grant.NewGate(opened.Grants, asker, opened.Record, o)}
	}
	revoked, err := opened.Grants.Revoked(ctx, c.guard.session, c.guard.client)
	if err != nil {
		return nil, err
	}
	if revoked {
		return nil, tool.Failed("denied", "the person has revoked this conversation's access; it can do nothing more. A new one has to be started")
	}
	return c.guard.gate, nil
}

// end ends the conversation for the store of grants.
func (c *conversation) end() {
	c.mu.Lock()
	g := c.guard
	c.guard = nil
	c.mu.Unlock()
	if g != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := g.store.End(ctx, g.session); err != nil {
			c.s.options.Log.Warn("a conversation could not be ended; it ends by itself", "error", err.Error())
		}
	}
}

// canOpenPages reports whether a client can show a person a page that only they see.
func (s *Server) canOpenPages(req *sdk.CallToolRequest) bool {
	caps := req.ClientCapabilities()
	return s.options.Pages != nil && caps != nil && caps.Elicitation != nil && caps.Elicitation.URL != nil
}

// again reports whether the client can be asked once more: until revision 2026-07-28 only once a call.
func again(req *sdk.CallToolRequest) bool {
	return req.Params.RequestState == "" || req.ProtocolVersion() >= stateless
}

// approval makes of a refusal that a person may lift a page that asks them.
func (s *Server) approval(ctx context.Context, req *sdk.CallToolRequest, denied *grant.DeniedError) error {
	if denied.Pending == "" || !s.canOpenPages(req) || !again(req) {
		return nil
	}
	page, err := s.options.Pages.Approve(ctx, denied.Pending)
	if err != nil {
		s.options.Log.Warn("no page could be opened for an approval", "error", err.Error())
		return nil
	}
	state, err := s.entries.put(entry{page: page, approval: true, until: time.Now().Add(grant.RequestLife)})
	if err != nil {
		return err
	}
	return &needsInput{state: state, requests: sdk.InputRequestMap{inputID: &sdk.ElicitParams{
		Mode: "url", URL: page.URL(), ElicitationID: state,
		Message: fmt.Sprintf("The assistant wants to use %v with %s. Look at it on a page of ZVault and say whether it may.", denied.Use.Secrets, denied.Use.Tool),
	}}}
}

// approved waits for the answer on a page that an earlier try has opened. What it was is the gate's to find.
func (s *Server) approved(ctx context.Context, req *sdk.CallToolRequest) error {
	open, ok := s.entries.approval(req.Params.RequestState)
	if !ok {
		return nil
	}
	defer open.page.Close()
	if answer, ok := req.Params.InputResponses[inputID].(*sdk.ElicitResult); !ok || answer.Action != "accept" {
		return tool.Failed("declined", "the person did not want to look at the request")
	}
	ctx, cancel := context.WithDeadline(ctx, open.until)
	defer cancel()
	if err := open.page.Wait(ctx); err != nil && ctx.Err() != nil {
		return tool.Failed("timeout", "nobody answered the request in time; call the tool again when the person is there")
	}
	return nil
}
