package tool

import (
	"context"
	"io"
	"iter"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// Home is the vault as a whole, for the tools that look after it.
type Home interface {
	// State describes the vault.
	State() State
	// Log yields entries of the audit log.
	Log(ctx context.Context, f audit.Filter) iter.Seq2[audit.Entry, error]
	// Backup writes the whole vault to w, sealed with a passphrase.
	Backup(ctx context.Context, w io.Writer, passphrase []byte) error
	// Lock seals the vault. Calls that follow fail until a person unseals it.
	Lock(ctx context.Context) error
}

// State is what may be told about a vault.
type State struct {
	Path string // its directory
	Seal string // the kind of its seal
}
