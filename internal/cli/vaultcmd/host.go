// Package vaultcmd has the commands in the forms that Vault's users type: `kv get -field=x secret/app`, `token create
// -policy=web`, `operator init`. They talk to a server through package vaultclient, print what Vault's command line prints and
// end with its exit statuses, so that scripts need only another name of the program.
//
// [Wire] puts them into a root command; [Exit] is how they end other than well. A command is one function that returns a
// spec; the file of a group says what is in it. They are built only when a command line names them, since building them all
// takes longer than the whole of `zvault run`.
package vaultcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// Host is what the commands need of the program around them. All fields are required.
type Host struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	// JSON reports whether the program's own flag --json was given. It is asked when a command runs.
	JSON func() bool
	// Terminal reports whether Out is one: only there a newline follows a field.
	Terminal bool
	// Ask asks for a secret on the terminal, with a prompt, without showing what is typed.
	Ask func(prompt string) ([]byte, error)
	// TokenFile is where login keeps the token.
	TokenFile func() (vaultclient.TokenFile, error)
	// Wait is what waits between two looks at the server.
	Wait func(context.Context, time.Duration) error
}

// Exit statuses of Vault's command line.
const (
	exitUsage  = 1 // typed wrongly, or something on this machine
	exitServer = 2 // the server refused, or did not answer
)

// Exit is how a command ended other than well.
type Exit struct {
	// Status is what the process exits with.
	Status int
	text   string
	cause  error
}

// Error is what there is to say, which may be several lines, or nothing: then the status says it all.
func (e *Exit) Error() string { return e.text }

// Unwrap returns what led to it.
func (e *Exit) Unwrap() error { return e.cause }

// Say writes the error for people to read, if there is something to say.
func (e *Exit) Say(w io.Writer) {
	if e.text != "" {
		_, _ = fmt.Fprintln(w, e.text) // there is nobody left to tell
	}
}

// usage is a command typed wrongly.
func usage(format string, args ...any) error {
	return &Exit{Status: exitUsage, text: fmt.Sprintf(format, args...)}
}

// refused is what the server said no to, or could not be asked.
func refused(err error, format string, args ...any) error {
	var kept *vaultclient.NotSent
	var exit *Exit
	switch {
	case errors.As(err, &kept):
		return kept
	case errors.As(err, &exit):
		return exit
	}
	return &Exit{Status: exitServer, text: fmt.Sprintf(format, args...) + ": " + err.Error(), cause: err}
}

// nothing is an answer that has not what was asked for.
func nothing(format string, args ...any) error {
	return &Exit{Status: exitServer, text: fmt.Sprintf(format, args...)}
}

// broken is what failed on this machine.
func broken(err error, format string, args ...any) error {
	return &Exit{Status: exitUsage, text: fmt.Sprintf(format, args...) + ": " + err.Error(), cause: err}
}
