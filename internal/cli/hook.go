package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/guard"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/hook"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

// maxEvent is the most that an editor may send, in bytes.
const maxEvent = 64 << 20

func (a *app) hookCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hook EDITOR [EVENT]",
		Short: "Answer an editor that asks whether its assistant may go on",
		Long: `Answer an editor, which sends what its assistant is about to do as JSON on stdin: stopped are reading files like .env and the vault's
folder, listing the environment, zvault commands that print values, and texts with a value that the vault holds. ` + "`zvault setup`" + ` tells
editors to ask. EVENT is for editors that do not send its name.

` + "`zvault hook pre-commit`" + ` is for git: it fails if what is staged holds a stored value, or is a file like .env with values in it.

Editors: ` + strings.Join(hook.Editors(), ", ") + `. An event that cannot be read is stopped; one of a kind that zvault does not know is let be.`,
		Example: `  echo '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"env"}}' | zvault hook claude-code
  zvault hook pre-commit`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if args[0] == "pre-commit" {
				err = a.hookCommit(cmd.Context())
			} else {
				err = a.hookEvent(cmd.Context(), args[0], append(args, "")[1])
			}
			return errors.Join(err, a.leave())
		},
	}
}

func (a *app) hookEvent(ctx context.Context, editor, name string) error {
	input, err := io.ReadAll(io.LimitReader(a.in, maxEvent+1))
	if err == nil && len(input) > maxEvent {
		err = fmt.Errorf("%w: it is too long", hook.ErrEvent)
	}
	event := hook.Event{Editor: editor, Name: name, Kind: hook.Tool}
	if err == nil {
		event, err = hook.Read(editor, name, input)
	}
	if errors.Is(err, hook.ErrEditor) {
		return usage("%w", err)
	}
	if err != nil {
		return a.answer(event.Unreadable(err.Error()))
	}
	if event.Kind == hook.Other {
		a.say("zvault: the event %q is none that it judges", event.Name)
		return a.answer(event.Allow())
	}
	if r := a.judge(event); r.Stops() {
		return a.answer(event.Stop(r.String(), nil))
	}
	return a.judgeValues(ctx, event)
}

// judge looks at the files and commands of an event.
func (a *app) judge(e hook.Event) guard.Refusal {
	g := guard.Guard{Dir: first(e.Dir, a.dir)}
	g.Vault, _ = a.home() // without one there is none to protect
	g.Home, _ = os.UserHomeDir()
	for _, file := range e.Files {
		if r := g.Pattern(file); r.Stops() {
			return r
		}
	}
	for _, line := range e.Commands {
		if r := g.Command(line); r.Stops() {
			return r
		}
	}
	for _, args := range e.Arguments {
		if r := g.Arguments(args); r.Stops() {
			return r
		}
	}
	return guard.Refusal{}
}

// shortestValue is the length of the shortest text in which a value could be found.
const shortestValue = 8

// judgeValues looks for the vault's values in the texts of an event.
func (a *app) judgeValues(ctx context.Context, e hook.Event) error {
	texts := slices.DeleteFunc(slices.Clone(e.Texts), func(t string) bool { return len(t) < shortestValue })
	if len(texts) == 0 {
		return a.answer(e.Allow())
	}
	find, err := a.hookFinder(ctx)
	if err != nil {
		a.warn("the vault's values were not looked for: %v", err)
	}
	if find == nil {
		return a.answer(e.Allow())
	}
	for _, text := range texts {
		if hits := find.Find([]byte(text)); len(hits) > 0 {
			reason := fmt.Sprintf("this holds the value of %s. Use its address instead; a program gets the value by `zvault run -- COMMAND`", hits[0].Secret)
			return a.answer(e.Stop(reason, func(s string) string { return masked(s, find) }))
		}
	}
	return a.answer(e.Allow())
}

// masked replaces the values in a text by their addresses.
func masked(text string, find *scan.Finder) string {
	hits := find.Find([]byte(text))
	var b strings.Builder
	at := 0
	for _, h := range hits {
		if h.End <= at {
			continue
		}
		if h.Start >= at {
			b.WriteString(text[at:h.Start])
			b.WriteString("[" + h.Secret + "]")
		}
		at = h.End
	}
	b.WriteString(text[at:])
	return b.String()
}

// hookFinder finds the vault's values; nil without a vault. Nobody is asked for anything: an editor is waiting.
func (a *app) hookFinder(ctx context.Context) (*scan.Finder, error) {
	home, err := a.home()
	if err != nil || !local.Exists(home) {
		return nil, err
	}
	a.once = true
	o := a.localOptions()
	if a.getenv(passphraseFile) == "" {
		o.Passphrase = nil
	}
	if a.vault, err = local.Open(ctx, home, o); err != nil {
		return nil, err
	}
	return a.ownFinder(ctx)
}

// ownFinder makes what finds the values of the open vault.
func (a *app) ownFinder(ctx context.Context) (*scan.Finder, error) {
	prints, err := a.vault.Platform.Fingerprints(ctx, a.caller())
	if err != nil {
		return nil, err
	}
	known := make([]scan.Known, len(prints))
	for i, p := range prints {
		known[i] = scan.Known{Secret: fmt.Sprintf("zvault://%s/%s?env=%s&version=%d", p.Project, p.Name, p.Env, p.Version), Fingerprint: p.Fingerprint}
	}
	printer, err := scan.NewPrinter(a.vault.FingerprintKey())
	if err != nil {
		return nil, err
	}
	return printer.Finder(known)
}

// answer prints an answer and ends with its status.
func (a *app) answer(r hook.Answer) error {
	if r.Stderr != "" {
		if _, err := fmt.Fprintln(a.err, r.Stderr); err != nil {
			return &statusError{exitUsage} // 2 is no in every protocol
		}
	}
	if r.Stdout != "" {
		if err := a.data("%s\n", r.Stdout); err != nil {
			return &statusError{exitUsage}
		}
	}
	if r.Status != 0 {
		return &statusError{r.Status}
	}
	return nil
}
