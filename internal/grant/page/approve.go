package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// maxTries is how many wrong codes end a page. With eight digits, guessing has a chance of one in twenty million.
const maxTries = 5

// Approve returns the address of a page that shows a request and takes its answer.
func (s *Server) Approve(r grant.Request) (url string, err error) {
	url, _, err = s.add(&approval{server: s, request: r}, r.Expires)
	return url, err
}

// approval is the page of one request.
type approval struct {
	server  *Server
	request grant.Request

	mu    sync.Mutex
	code  string // empty: the page cannot approve
	tries int
}

var _ view = (*approval)(nil)

// open makes the code and has it told to the person.
func (a *approval) open(ctx context.Context) {
	if a.server.Tell == nil {
		return
	}
	code := newCode()
	if err := a.server.Tell(ctx, a.request, code); err != nil {
		return // then the page says how to approve without it
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.code = code
}

// newCode is eight random digits.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		panic("reading random bytes: " + err.Error()) // never happens
	}
	return fmt.Sprintf("%08d", n)
}

func (a *approval) show(form, wrong string) body {
	a.mu.Lock()
	canApprove := a.code != ""
	a.mu.Unlock()
	b := newBody("May this use your secrets?")
	b.wrong(wrong)
	b.p("An assistant wants to do exactly this. Approve it only if you have asked for it.")
	var facts [][2]string
	for _, l := range a.request.Lines(a.server.Clock()) {
		facts = append(facts, [2]string{l.Name, l.Text})
	}
	b.facts(facts)
	end := b.form(form)
	defer end()
	if !canApprove {
		b.p("An assistant can open this page too, so it cannot approve. To approve, run this in a terminal of your own:")
		b.raw("<pre>zvault approve " + a.request.ID + "</pre>") // an id is letters and digits
		b.button("answer", string(grant.Deny), "Refuse")
		return b
	}
	b.raw(`<fieldset><legend>Approve</legend>`)
	for i, answer := range a.request.Answers() {
		if answer != grant.Deny {
			b.choice("answer", string(answer), labels()[answer], i == 0)
		}
	}
	b.raw(`<label>The code that your terminal shows for request ` + a.request.ID +
		` <input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxlength="11"></label>`)
	b.button("do", "approve", "Approve")
	b.raw(`</fieldset>`)
	b.button("do", "refuse", "Refuse")
	return b
}

// labels say what an answer means.
func labels() map[grant.Answer]string {
	return map[grant.Answer]string{
		grant.Once:         "Once: this very use, one time",
		grant.Conversation: "In this conversation: the same tool, host, method, path and place, whatever the body",
		grant.Always:       "Always, for this assistant in this environment, until you revoke it",
	}
}

func (a *approval) act(ctx context.Context, form func(string) string) (result body, wrong string, done bool) {
	answer := grant.Answer(form("answer"))
	if form("do") == "refuse" || answer == grant.Deny {
		answer = grant.Deny // refusing takes no code: an assistant that refuses itself does no harm
	} else if wrong, over := a.check(form("code")); wrong != "" {
		return notice("The page is closed", wrong+" Approve in a terminal: zvault approve "+a.request.ID), wrong, over
	}
	if !slices.Contains(a.request.Answers(), answer) {
		return body{}, "Choose one of the answers.", false
	}
	err := a.server.Approver.Answer(ctx, a.request, answer)
	switch {
	case errors.Is(err, grant.ErrAnswered), errors.Is(err, grant.ErrNoRequest), errors.Is(err, grant.ErrNoSession):
		return notice("Too late", "The request was answered already, withdrawn, or its time is over. Nothing was changed."), "", true
	case err != nil:
		return notice("Not done", "The answer could not be stored: "+err.Error()), "", true
	case answer == grant.Deny:
		return notice("Refused", "The assistant was told that you refused. You can close this page."), "", true
	}
	return notice("Approved", "The assistant may go on. You can close this page."), "", true
}

// check compares a code. over says that there were too many tries.
func (a *approval) check(code string) (wrong string, over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.code == "" {
		return "This page cannot approve.", true
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if subtle.ConstantTimeCompare([]byte(code), []byte(a.code)) == 1 {
		return "", false
	}
	if a.tries++; a.tries >= maxTries {
		return "There were too many wrong codes.", true
	}
	return "This is not the code that your terminal shows.", false
}
