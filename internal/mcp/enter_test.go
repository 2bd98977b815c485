package mcp_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// desk stands in for the pages and the person who reads them: it enters a value, or answers a request, when its address is opened.
type desk struct {
	t     testing.TB
	h     *home
	value string       // what is entered; empty: the person refuses
	says  grant.Answer // to a request

	mu    sync.Mutex
	pages map[string]*page
	asked []mcp.Asked
}

type page struct {
	url  string
	done chan error
	act  func() error
}

func (p *page) URL() string { return p.url }
func (p *page) Close()      {}

func (p *page) Wait(ctx context.Context) error {
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *desk) add(act func() error) mcp.Page {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pages == nil {
		d.pages = map[string]*page{}
	}
	p := &page{"http://127.0.0.1:1/p/" + string(rune('a'+len(d.pages))), make(chan error, 1), act}
	d.pages[p.url] = p
	return p
}

func (d *desk) Ask(ctx context.Context, a mcp.Asked, store func(context.Context, secret.Value) error) (mcp.Page, error) {
	d.mu.Lock()
	d.asked = append(d.asked, a)
	d.mu.Unlock()
	return d.add(func() error {
		if d.value == "" {
			return errors.New("refused")
		}
		return store(context.WithoutCancel(ctx), secret.Of(d.value))
	}), nil
}

func (d *desk) Approve(ctx context.Context, id string) (mcp.Page, error) {
	return d.add(func() error {
		opened, err := d.h.Open(ctx)
		if err != nil {
			return err
		}
		person := &grant.Approver{Store: opened.Grants, Record: opened.Record, Actor: ada.Actor, Client: ada.Client}
		r, err := opened.Grants.Request(context.WithoutCancel(ctx), id)
		if err != nil {
			return err
		}
		return person.Answer(context.WithoutCancel(ctx), r, d.says)
	}), nil
}

// open is what a client's handler does with an address: the person looks at it later.
func (d *desk) open(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
	d.mu.Lock()
	p := d.pages[r.Params.URL]
	d.mu.Unlock()
	if r.Params.Mode != "url" || p == nil {
		d.t.Errorf("the client was asked by %q for %q", r.Params.Mode, r.Params.URL)
		return &sdk.ElicitResult{Action: "cancel"}, nil
	}
	go func() { p.done <- p.act() }()
	return &sdk.ElicitResult{Action: "accept"}, nil
}

// browser is a client that can open pages.
func (d *desk) browser(open func(context.Context, *sdk.ElicitRequest) (*sdk.ElicitResult, error)) *sdk.ClientOptions {
	return &sdk.ClientOptions{
		ElicitationHandler: open,
		Capabilities:       &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{URL: &sdk.URLElicitationCapabilities{}}},
	}
}

func TestEnter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		d := &desk{t: t, h: h, value: "entered-by-the-person"}
		c := dial(t, h.serve(t, func(o *mcp.Options) { o.Pages = d }), revision, d.browser(d.open))
		c.ok("set_secret", map[string]any{"name": "STRIPE_KEY", "why": "see the dashboard", "comment": "of the shop"}, nil)
		if h.value(t, "development", "STRIPE_KEY") != "entered-by-the-person" {
			t.Error("the vault has another value")
		}
		if a := d.asked[0]; a.Name != "STRIPE_KEY" || a.Env != "development" || a.Why != "see the dashboard" {
			t.Errorf("the person was asked for %+v", a)
		}
		d.value = "entered-the-second-time"
		c.ok("rotate_secret", map[string]any{"name": "STRIPE_KEY"}, nil)
		if h.value(t, "development", "STRIPE_KEY") != "entered-the-second-time" {
			t.Error("the vault has another value")
		}
		if !d.asked[1].Exists || d.asked[0].Exists {
			t.Error("the person was not told whether there is a value already")
		}
		d.value = ""
		c.fails("set_secret", map[string]any{"name": "OTHER"}, "declined")
		if strings.Contains(c.String(), "entered-") {
			t.Error("the transcript holds a value")
		}
		if form := strings.Contains(c.String(), `"requestedSchema"`); form {
			t.Error("a form was asked for")
		}
	})
}

func TestEnter_Refused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		d := &desk{t: t, h: h, value: "never-to-be-entered"}
		s := h.serve(t, func(o *mcp.Options) { o.Pages = d })
		decline := func(context.Context, *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			return &sdk.ElicitResult{Action: "decline"}, nil
		}
		c := dial(t, s, revision, d.browser(decline))
		c.fails("set_secret", map[string]any{"name": "STRIPE_KEY"}, "declined")
		// A client that only has forms is told what the person can do.
		plain := dial(t, s, revision, &sdk.ClientOptions{ElicitationHandler: decline})
		holds(t, plain.fails("set_secret", map[string]any{"name": "STRIPE_KEY"}, "needs_person"), "zvault secret set STRIPE_KEY --project shop --env development")
		// A state that the server has not given out opens nothing.
		r, err := plain.CallTool(t.Context(), &sdk.CallToolParams{Name: "zvault_set_secret", Arguments: map[string]any{"name": "X"}, RequestState: "made-up"})
		if err != nil || !r.IsError {
			t.Errorf("a state that was made up: %+v, %v", r, err)
		}
	})
}

// A tool's use of a secret waits for the person's answer on a page, outside of the conversation.
func TestApproval(t *testing.T) {
	t.Parallel()
	type none struct{}
	type out struct {
		Length int `json:"length"`
	}
	use := func(t *testing.T) tool.Tool {
		return fixture(t, tool.Description{Name: "use_secret", Text: "uses a secret", OpenWorld: true}, func(ctx context.Context, c *tool.Call, _ none) (out, error) {
			err := c.Gate.Authorize(ctx, grant.Use{
				Project: c.Env.Project, Env: c.Env.Slug, Secrets: []string{"STRIPE_KEY"}, Tool: "http_request", Scheme: "https", Host: "api.stripe.com", Port: 443,
				Method: "GET", Path: "/v1/charges", In: map[string]string{"STRIPE_KEY": "header:authorization"},
			})
			if err != nil {
				return out{}, err
			}
			values, err := c.Session.Reveal(ctx, c.Env, []string{"STRIPE_KEY"})
			return out{values["STRIPE_KEY"].Len()}, err
		})
	}
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		h.put(t, "development", "STRIPE_KEY", "sk_live_4242424242")
		d := &desk{t: t, h: h, says: grant.Once}
		s := h.serve(t, func(o *mcp.Options) { o.Pages, o.Tools = d, append(o.Tools, use(t)) })
		c := dial(t, s, revision, d.browser(d.open))
		var got out
		c.ok("use_secret", nil, &got)
		if got.Length != 18 {
			t.Errorf("the tool had %d bytes", got.Length)
		}
		d.says = grant.Deny
		c.fails("use_secret", nil, "denied")
		if n := len(h.entries(t, "secret.use")); n != 1 {
			t.Errorf("the value was given %d times, want once", n)
		}
		denied := 0
		for _, e := range h.entries(t, "tool.call") {
			if e.Outcome == audit.Denied {
				denied++
			}
		}
		if denied == 0 {
			t.Error("the refusal is not in the log under the tool's name")
		}
	})
}

// A conversation that a person has revoked can do nothing more.
func TestRevoked(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	c := dial(t, h.serve(t, nil), withSessions, nil)
	c.ok("vault_status", nil, nil)
	opened, err := h.Open(t.Context())
	check(t, err)
	sessions, err := opened.Grants.Sessions(t.Context())
	check(t, err)
	if len(sessions) != 1 || sessions[0].Asker.Client != "robot" || sessions[0].Asker.Person != "ada" {
		t.Fatalf("the person sees %+v", sessions)
	}
	person := &grant.Approver{Store: opened.Grants, Record: opened.Record, Actor: ada.Actor, Client: ada.Client}
	_, err = person.Revoke(t.Context(), sessions[0].Asker.Session)
	check(t, err)
	holds(t, c.fails("list_secrets", nil, "denied"), "revoked")
}
