package mcp

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Pages ask a person for values, out of the assistant's reach: a page on loopback with an address that works once.
type Pages interface {
	// Ask opens a page. store is called with what the person enters; its error is shown on the page.
	Ask(ctx context.Context, a Asked, store func(context.Context, secret.Value) error) (Page, error)
	// Approve opens a page about a request that waits in the store of grants. Wait returns once it has its answer.
	Approve(ctx context.Context, request string) (Page, error)
}

// Asked is what a person is asked for. Why is the assistant's text, and to be shown as such.
type Asked struct {
	Project, Env, Name, Why string
	// Exists: there is a value, which the new one takes the place of.
	Exists bool
}

// Page is a page that was opened.
type Page interface {
	// URL is its address.
	URL() string
	// Wait returns nil when a value has been stored, or an error when the person refused or ctx ended.
	Wait(ctx context.Context) error
	// Close takes it away.
	Close()
}

// needsInput says that a call is to be repeated with an answer of the client.
type needsInput struct {
	requests sdk.InputRequestMap
	state    string
}

// Error implements error.
func (*needsInput) Error() string { return "the client has to be asked" }

// entries are the pages that are open, by the state that the client gives back.
type entries struct {
	mu   sync.Mutex
	open map[string]entry
}

type entry struct {
	page     Page
	approval bool // asks for an approval, else for the value of a secret
	env      platform.Env
	name     string
	until    time.Time
}

const (
	// entryTime is how long a person has to enter a value.
	entryTime = 10 * time.Minute
	// maxEntries is how many pages may be open at once.
	maxEntries = 16
	// inputID names the request for the page among those of a call.
	inputID = "value"
)

func newEntries() *entries { return &entries{open: map[string]entry{}} }

// take removes and returns an entry, if it is about the given secret.
func (x *entries) take(state string, e platform.Env, name string) (entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	found, ok := x.open[state]
	if !ok || found.approval || found.env != e || found.name != name {
		return entry{}, false
	}
	delete(x.open, state)
	return found, true
}

// has reports whether a state is one that was given out and not used.
func (x *entries) has(state string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.open[state]
	return ok
}

// drop closes what a call that was made again has not needed any more.
func (x *entries) drop(state string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if left, ok := x.open[state]; ok {
		left.page.Close()
		delete(x.open, state)
	}
}

// approval removes and returns an entry that asks for an approval.
func (x *entries) approval(state string) (entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	found, ok := x.open[state]
	if !ok || !found.approval {
		return entry{}, false
	}
	delete(x.open, state)
	return found, true
}

func (x *entries) put(e entry) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	for state, old := range x.open {
		if now.After(old.until) {
			old.page.Close()
			delete(x.open, state)
		}
	}
	if len(x.open) >= maxEntries {
		e.page.Close()
		return "", tool.Failed("limited", "%d values are waiting to be entered; let the person do that first", maxEntries)
	}
	state := rand.Text()
	x.open[state] = e
	return state, nil
}

// Enter implements tool.Session. The tool runs twice: the first time Enter ends it with what the client has to show, the second
// time, when the client says that the person has opened the page, it waits for the page to be done.
func (x *session) Enter(ctx context.Context, e platform.Env, name, why string) error {
	if open, ok := x.s.entries.take(x.req.Params.RequestState, e, name); ok {
		defer open.page.Close()
		return x.entered(ctx, open)
	}
	by := fmt.Sprintf("ask the person to run `zvault secret set %s --project %s --env %s` in a terminal", name, e.Project, e.Slug)
	if !x.s.canOpenPages(x.req) || !again(x.req) {
		return tool.Failed("needs_person", "the value of %s is the person's to enter, and this client cannot show them the page for it: %s", name, by)
	}
	_, missing := x.call.Platform.Describe(ctx, x.call.Caller, e, name)
	asked := Asked{Project: e.Project, Env: e.Slug, Name: name, Why: x.s.masker.forLog(ctx, why), Exists: missing == nil}
	page, err := x.s.options.Pages.Ask(ctx, asked, x.storing(e, name))
	if err != nil {
		return tool.Failed("failed", "no page could be opened; %s", by)
	}
	state, err := x.s.entries.put(entry{page: page, env: e, name: name, until: time.Now().Add(entryTime)})
	if err != nil {
		return err
	}
	return &needsInput{state: state, requests: sdk.InputRequestMap{inputID: &sdk.ElicitParams{
		Mode: "url", URL: page.URL(), ElicitationID: state,
		Message: fmt.Sprintf("Enter the value of %s (%s/%s) on a page of ZVault. The assistant does not see it.", name, e.Project, e.Slug),
	}}}
}

// entered waits for the person, unless they have refused.
func (x *session) entered(ctx context.Context, open entry) error {
	answer, ok := x.req.Params.InputResponses[inputID].(*sdk.ElicitResult)
	if !ok || answer.Action != "accept" {
		return tool.Failed("declined", "the person did not want to enter a value for %s", open.name)
	}
	defer x.clock.hold()()
	ctx, cancel := context.WithDeadline(ctx, open.until)
	defer cancel()
	if err := open.page.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return tool.Failed("timeout", "nobody entered a value for %s in time; call the tool again when the person is there", open.name)
		}
		return tool.Failed("declined", "the person did not enter a value for %s", open.name)
	}
	return nil
}

// storing puts what the person entered into the vault.
func (x *session) storing(e platform.Env, name string) func(context.Context, secret.Value) error {
	return func(ctx context.Context, v secret.Value) error {
		x.s.masker.guard(name, v)
		raw := platform.TypeRaw // what a person types is not looked into for references
		_, err := x.call.Platform.Apply(ctx, x.call.Caller, e, platform.Batch{
			Changes: []platform.Change{{Name: name, Value: &v, Type: &raw}}, Message: "entered by the person",
		})
		return err
	}
}
