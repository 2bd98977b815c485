package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// approveFlags are the answers as flags.
type approveFlags struct {
	once, conversation, always, deny bool
	watch                            bool
}

func (a *app) approveCommand() *cobra.Command {
	var f approveFlags
	c := &cobra.Command{
		Use:   "approve [ID]",
		Short: "See what assistants wait for, and answer",
		Long: `Without an ID, list the uses of secrets that wait for an answer. With one, show it in full and ask. The answers:

  once          this very use, one time, within five minutes
  conversation  uses with the same tool, host, method, path and place, as long as the conversation lasts
  always        the same for every conversation with this assistant, until ` + "`zvault ai revoke`" + `
  deny          not this use

Only a person can approve: the command refuses to when an assistant or ` + "`zvault shield`" + ` has started it, or when there is no terminal, and
it asks for the passphrase of a vault that has one.`,
		Example: `  zvault approve
  zvault approve k7qf2m9x --once
  zvault approve --watch`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := f.answer()
			switch {
			case err != nil:
				return err
			case len(args) == 0 && answer != "":
				return withHint(usage("say which request to answer"), "`zvault approve` lists them")
			case f.watch && (len(args) > 0 || a.json):
				return usage("--watch asks for every request; it takes no ID and prints no JSON")
			case f.watch:
				return a.approveWatch(cmd.Context())
			case len(args) == 0:
				return a.approveList(cmd.Context())
			}
			return a.approveOne(cmd.Context(), args[0], answer)
		},
	}
	c.Flags().BoolVar(&f.once, "once", false, "approve this very use, one time")
	c.Flags().BoolVar(&f.conversation, "conversation", false, "approve such uses as long as the conversation lasts")
	c.Flags().BoolVar(&f.always, "always", false, "approve such uses by this assistant from now on")
	c.Flags().BoolVar(&f.deny, "deny", false, "refuse")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "wait, and ask as requests come")
	return c
}

// answer is the answer that flags give, "" for none.
func (f approveFlags) answer() (grant.Answer, error) {
	var given []grant.Answer
	for answer, set := range map[grant.Answer]bool{grant.Once: f.once, grant.Conversation: f.conversation, grant.Always: f.always, grant.Deny: f.deny} {
		if set {
			given = append(given, answer)
		}
	}
	switch {
	case len(given) == 0:
		return "", nil
	case len(given) > 1 || f.watch:
		return "", usage("--once, --conversation, --always, --deny and --watch exclude each other")
	}
	return given[0], nil
}

func (a *app) approveList(ctx context.Context) error {
	p, err := a.approver(ctx)
	if err != nil {
		return err
	}
	pending, err := p.Store.Pending(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.document(nonNil(pending))
	}
	if len(pending) == 0 {
		a.say("nothing waits for an answer")
		return nil
	}
	var rows [][]string
	for _, r := range pending {
		rows = append(rows, []string{
			r.ID, grant.Visible(r.Asker.Client), grant.Visible(r.Use.Tool), grant.Visible(r.Use.Project + "/" + r.Use.Env), grant.Visible(strings.Join(r.Use.Secrets, ", ")),
			grant.Visible(first(strings.TrimSpace(r.Use.Method+" "+r.Use.Host), strings.Join(r.Use.Command, " "))), time.Until(r.Expires).Round(time.Second).String(),
		})
	}
	if err := a.table([]string{"ID", "WHO", "TOOL", "WHERE", "SECRETS", "WHERE TO", "EXPIRES IN"}, rows); err != nil {
		return err
	}
	a.say("`zvault approve ID` shows one in full and asks")
	return nil
}

// approveOne answers one request.
func (a *app) approveOne(ctx context.Context, id string, answer grant.Answer) error {
	if a.json || answer == grant.Deny {
		return a.withoutProof(ctx, id, answer)
	}
	p, err := a.personally(ctx, "approve")
	if err != nil {
		return err
	}
	r, err := p.Store.Request(ctx, id)
	if err != nil {
		return explainAnswer(err)
	}
	t, err := a.terminal()
	if err != nil && (answer == "" || !a.yes) {
		return withHint(fmt.Errorf("approving: %w", err), "run it in a terminal; a program that answers for you says --yes and which answer")
	}
	if err != nil {
		return a.answered(ctx, p, r, answer)
	}
	defer t.close()
	if err := t.show(r); err != nil {
		return err
	}
	if answer == "" {
		if answer, err = t.choose(ctx, r); err != nil || answer == "" {
			return err
		}
	}
	return a.answered(ctx, p, r, answer)
}

// withoutProof does what an assistant may do as well: look at a request, or refuse it.
func (a *app) withoutProof(ctx context.Context, id string, answer grant.Answer) error {
	p, err := a.approver(ctx)
	if err != nil {
		return err
	}
	r, err := p.Store.Request(ctx, id)
	if err != nil {
		return explainAnswer(err)
	}
	if answer == "" {
		return a.document(r)
	}
	if answer != grant.Deny {
		return usage("--json shows a request and does not approve it")
	}
	return a.answered(ctx, p, r, answer)
}

func (a *app) answered(ctx context.Context, p grant.Approver, r grant.Request, answer grant.Answer) error {
	if err := p.Answer(ctx, r, answer); err != nil {
		return explainAnswer(err)
	}
	if answer == grant.Deny {
		a.say("refused")
		return nil
	}
	a.say("approved: %s", answer)
	return nil
}

// explainAnswer adds what to do about a request that cannot be answered.
func explainAnswer(err error) error {
	switch {
	case errors.Is(err, grant.ErrNoRequest), errors.Is(err, grant.ErrNoSession):
		return &exitError{withHint(err, "`zvault approve` lists what waits; let the assistant try again"), exitNotFound}
	case errors.Is(err, grant.ErrOnlyOnce):
		return withHint(err, "answer --once or --deny, or write a rule: `zvault secret allow --help`")
	}
	return err
}

// show prints a request in full.
func (t *console) show(r grant.Request) error {
	text := "request " + r.ID + "\n"
	for _, l := range r.Lines(time.Now()) {
		text += fmt.Sprintf("  %-18s %s\n", l.Name, l.Text)
	}
	return t.printf("%s", text)
}

// choose asks for the answer; "" is to leave the request as it is.
func (t *console) choose(ctx context.Context, r grant.Request) (grant.Answer, error) {
	answers := r.Answers()
	names := make([]string, len(answers))
	for i, answer := range answers {
		names[i] = string(answer)
	}
	for {
		if err := t.printf("approve? %s, or nothing to leave it: ", strings.Join(names, ", ")); err != nil {
			return "", err
		}
		line, err := t.line(ctx)
		if err != nil || line == "" {
			return "", err
		}
		i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, strings.ToLower(line)) })
		if i >= 0 {
			return answers[i], nil
		}
		if err := t.printf("there is no answer %s\n", grant.Visible(line)); err != nil {
			return "", err
		}
	}
}

// requestsEvery is how often approve --watch looks for requests.
const requestsEvery = 300 * time.Millisecond

// approveWatch asks for each request as it comes, until it is interrupted.
func (a *app) approveWatch(ctx context.Context) error {
	p, err := a.personally(ctx, "approve")
	if err != nil {
		return err
	}
	t, err := a.terminal()
	if err != nil {
		return withHint(fmt.Errorf("approving: %w", err), "run it in a terminal")
	}
	defer t.close()
	a.say("waiting for requests; Ctrl-C ends it")
	for seen := map[string]bool{}; ; {
		pending, err := p.Store.Pending(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, r := range pending {
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			if err := a.askNow(ctx, p, t, r); err != nil && ctx.Err() == nil {
				return err
			}
		}
		if wait(ctx, requestsEvery) != nil {
			return nil
		}
	}
}

// askNow shows one request and acts on the answer. That it is too late for it ends nothing.
func (a *app) askNow(ctx context.Context, p grant.Approver, t *console, r grant.Request) error {
	if err := t.printf("\a"); err != nil {
		return err
	}
	if err := t.show(r); err != nil {
		return err
	}
	answer, err := t.choose(ctx, r)
	if err != nil || answer == "" {
		return err
	}
	err = a.answered(ctx, p, r, answer)
	if errors.Is(err, grant.ErrNoRequest) || errors.Is(err, grant.ErrAnswered) || errors.Is(err, grant.ErrNoSession) {
		a.warn("%v", err)
		return nil
	}
	return err
}
