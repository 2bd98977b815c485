package cli

import (
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// Exit statuses, the same for every command but those in Vault's form, which have Vault's. `run` exits as its child did.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitUnavailable = 5 // sealed, or out of reach
)

// usageError is a command typed wrongly.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// exitError is an error that is printed, with an exit status of its own.
type exitError struct {
	error
	status int
}

func (e *exitError) Unwrap() error { return e.error }

// statusError carries an exit status that says it all: nothing is printed.
type statusError struct{ status int }

func (s *statusError) Error() string { return fmt.Sprintf("exit status %d", s.status) }

// exitStatus maps an error to the status; this is the one table.
func exitStatus(err error) int {
	var u *usageError
	var s *statusError
	var own *exitError
	var vaultLike *vaultcmd.Exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &s):
		return s.status
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &vaultLike):
		return vaultLike.Status
	case errors.As(err, &u):
		return exitUsage
	case errors.Is(err, local.ErrSealed):
		return exitUnavailable
	case errors.Is(err, local.ErrNoVault):
		return exitNotFound
	}
	switch platform.KindOf(err) {
	case platform.NotFound:
		return exitNotFound
	case platform.Denied:
		return exitDenied
	case platform.Unavailable:
		return exitUnavailable
	case platform.Invalid:
		return exitUsage
	case platform.Internal, platform.Exists, platform.Conflict:
	}
	return exitFailed
}
