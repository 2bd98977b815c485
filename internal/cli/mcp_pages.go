package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/grant/page"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// lookForAnswer is how often it is looked whether a person has answered a request.
const lookForAnswer = 150 * time.Millisecond

// mcpPages are the pages of an MCP server, which begins to listen when the first is needed.
type mcpPages struct {
	vault  *mcpVault
	caller platform.Caller
	// tell shows the code that approving takes; nil where an assistant reads along.
	tell func(ctx context.Context, r grant.Request, code string) error

	mu      sync.Mutex
	server  *page.Server
	barrier *barrier.Barrier // of the vault that the pages are about
}

var _ mcp.Pages = (*mcpPages)(nil)

// listening starts the server of pages, anew for a vault that was opened again.
func (p *mcpPages) listening(ctx context.Context) (*page.Server, mcp.Opened, error) {
	opened, err := p.vault.Open(ctx)
	if err != nil {
		return nil, opened, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.vault.barrier()
	if p.server != nil && p.barrier == now {
		return p.server, opened, nil
	}
	if p.server != nil {
		err = p.server.Close()
		p.server = nil
	}
	if err != nil {
		return nil, opened, err
	}
	p.server, err = page.Listen(context.WithoutCancel(ctx), page.Options{
		Approver: grant.Approver{Store: opened.Grants, Record: opened.Record, Actor: p.caller.Actor, Client: p.caller.Client}, Tell: p.tell,
	})
	p.barrier = now
	return p.server, opened, err
}

// Close ends the pages.
func (p *mcpPages) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return nil
	}
	return p.server.Close()
}

// Ask implements mcp.Pages.
func (p *mcpPages) Ask(ctx context.Context, a mcp.Asked, store func(context.Context, secret.Value) error) (mcp.Page, error) {
	s, _, err := p.listening(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.Enter(page.Field{Project: a.Project, Env: a.Env, Name: a.Name, Why: a.Why, Exists: a.Exists, Store: store})
	if err != nil {
		return nil, err
	}
	return entered{e}, nil
}

// entered is a page for a value.
type entered struct{ entry *page.Entry }

func (e entered) URL() string                    { return e.entry.URL }
func (e entered) Wait(ctx context.Context) error { return e.entry.Wait(ctx) }

// Close does nothing: the address ends by itself.
func (e entered) Close() {}

// Approve implements mcp.Pages.
func (p *mcpPages) Approve(ctx context.Context, request string) (mcp.Page, error) {
	s, opened, err := p.listening(ctx)
	if err != nil {
		return nil, err
	}
	r, err := opened.Grants.Request(ctx, request)
	if err != nil {
		return nil, err
	}
	url, err := s.Approve(r)
	return asked{url, opened.Grants, request}, err
}

// asked is a page about a request. It is answered there or in a terminal.
type asked struct {
	url     string
	store   *grant.Store
	request string
}

func (a asked) URL() string { return a.url }

// Close does nothing: the address ends with the request.
func (a asked) Close() {}

// Wait returns once the request has its answer, or is gone.
func (a asked) Wait(ctx context.Context) error {
	ticker := time.NewTicker(lookForAnswer)
	defer ticker.Stop()
	for {
		r, err := a.store.Request(ctx, a.request)
		if err != nil && !errors.Is(err, grant.ErrNoRequest) {
			return fmt.Errorf("waiting for an answer: %w", err)
		}
		if err != nil || r.Answer != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// tellOnTerminal shows the code on the terminal in which the person has started the server, if there is one: over stdio the
// client reads what is printed.
func (a *app) tellOnTerminal() func(context.Context, grant.Request, string) error {
	if !isTerminal(a.err) {
		return nil
	}
	return func(_ context.Context, r grant.Request, code string) error {
		_, err := fmt.Fprintf(a.err, "\nrequest %s: %s wants to use %v with %s\nthe code to approve it is %s\n", r.ID, r.Asker, r.Use.Secrets, r.Use.Tool, code)
		return err
	}
}
