package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
)

// ErrIntact is returned by Restart for a log that holds.
var ErrIntact = errors.New("the audit log holds; there is nothing to restart")

// Restart mends a log that refuses entries because lines which the vault remembers are lost or changed (ErrTampered).
// It is the keeper's decision, never an automatism: the log goes on with a signed line that says which lines are
// lost, when that was accepted, and reason; every later verification tells of it. Files that do not hold are set
// aside under other names, not deleted; a log that was only cut off is continued. opts needs Signer and Anchor.
func Restart(ctx context.Context, dir string, opts Options, reason string) error {
	if opts.Signer == nil || opts.Anchor == nil {
		return errors.New("restarting the audit log: no signer or no anchor")
	}
	head, err := opts.Anchor.Load(ctx)
	if err != nil {
		return fmt.Errorf("loading the audit log's head: %w", err)
	}
	_, broken := VerifyDir(ctx, dir, opts.publicKey(), &head)
	switch {
	case broken == nil:
		return ErrIntact
	case !errors.Is(broken, ErrBroken):
		return broken
	}
	report, err := VerifyDir(ctx, dir, opts.publicKey(), nil)
	keep := err == nil && report.Lines > 0 && errors.Is(broken, ErrTruncated)
	return file.Restart(ctx, dir, opts.file(), reason, keep)
}
