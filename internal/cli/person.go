package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/grant/inside"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/passphrase"
)

// What only a person may do: give an assistant permission. Nothing here is proof against a program that has the person's own
// rights and means to hide; docs/approvals.md says what is.

// processChain is what this process descends from. Tests put their own in its place.
var processChain = inside.Ancestors

// approver opens the vault to change what assistants may do, in the name of the person at this terminal.
func (a *app) approver(ctx context.Context) (grant.Approver, error) {
	if _, err := a.open(ctx); err != nil {
		return grant.Approver{}, err
	}
	c := a.caller()
	return grant.Approver{Store: grant.NewStore(a.vault.Barrier, nil), Record: a.vault.Audit, Actor: c.Actor, Client: c.Client}, nil
}

// notAssistant refuses an act to a process that an assistant has started.
func (a *app) notAssistant(act string) error {
	why := inside.Detect(os.Environ(), processChain())
	if why == "" {
		return nil
	}
	return &exitError{withHint(fmt.Errorf("%s: an assistant cannot give itself permission, and this command was started by one: %s", act, why),
		"do it in a terminal that no assistant has opened"), exitDenied}
}

// personally is approver for giving permission: no assistant may have started this, and whoever sealed the vault with a
// passphrase types it, also while the vault is open for other commands.
func (a *app) personally(ctx context.Context, act string) (grant.Approver, error) {
	if err := a.notAssistant(act); err != nil {
		return grant.Approver{}, err
	}
	typed, err := a.openTyped(ctx)
	if err != nil {
		return grant.Approver{}, err
	}
	if a.vault.Seal.Type == passphrase.Type && !typed {
		if err := a.typePassphrase(ctx, act); err != nil {
			return grant.Approver{}, err
		}
	}
	return a.approver(ctx)
}

// openTyped is open, and tells whether the passphrase was typed for it just now.
func (a *app) openTyped(ctx context.Context) (typed bool, err error) {
	if a.vault != nil {
		return false, nil
	}
	home, err := a.home()
	if err != nil {
		return false, err
	}
	o := a.localOptions()
	o.Passphrase = func(prompt string) ([]byte, error) {
		p, err := a.passphrase(prompt)
		typed = err == nil && a.getenv(passphraseFile) == ""
		return p, err
	}
	if a.vault, err = local.Open(ctx, home, o); err != nil {
		return false, explainOpening(err)
	}
	return typed, nil
}

// typePassphrase has the person type the passphrase; a file that holds it does not count.
func (a *app) typePassphrase(ctx context.Context, act string) error {
	t, err := a.terminal()
	if err != nil {
		return withHint(fmt.Errorf("%s takes the vault's passphrase: %w", act, err), "do it in a terminal")
	}
	defer t.close()
	ask := func() ([]byte, error) { return t.secret("passphrase of the vault, to " + act) }
	root, err := seal.Open(ctx, a.vault.Seal, seal.SetOf(passphrase.Provider{Ask: ask}))
	if err != nil {
		return &exitError{fmt.Errorf("%s: %w", act, err), exitDenied}
	}
	root.Destroy()
	return nil
}

// console is the terminal that a person sits at: what is asked is seen there, wherever the output goes.
type console struct {
	in  io.Reader
	fd  int
	out io.Writer
	end func()
}

// terminal opens it: errNoTerminal if stdin is none.
func (a *app) terminal() (*console, error) {
	f, ok := a.in.(terminal)
	if !ok || !isTerminal(a.in) {
		return nil, errNoTerminal
	}
	if isTerminal(a.err) {
		return &console{a.in, int(f.Fd()), a.err, func() {}}, nil
	}
	out, err := os.OpenFile(consoleFile, os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(errNoTerminal, err)
	}
	return &console{a.in, int(f.Fd()), out, func() { _ = out.Close() }}, nil // nothing is left to be written
}

func (t *console) close() { t.end() }

func (t *console) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(t.out, format, args...)
	return writing(err)
}

func (t *console) secret(prompt string) ([]byte, error) {
	if err := t.printf("%s: ", prompt); err != nil {
		return nil, err
	}
	p, err := term.ReadPassword(t.fd)
	if err != nil {
		return nil, fmt.Errorf("reading from the terminal: %w", err)
	}
	return p, t.printf("\n")
}

// line reads a line, or ends with ctx; what is typed then is lost with the process.
func (t *console) line(ctx context.Context) (string, error) {
	type read struct {
		line []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := readLine(t.in)
		done <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		if r.err != nil && !(errors.Is(r.err, io.EOF) && len(r.line) > 0) {
			return "", fmt.Errorf("reading the answer: %w", r.err)
		}
		return strings.TrimSpace(string(r.line)), nil
	}
}
