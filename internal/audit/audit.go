// Package audit writes down who did what, before the answer leaves.
//
// Every face of the product opens one [Log] and calls [Log.Record] before it gives a value away. Record returns once
// the entry is durable; if it returns an error, which always matches [ErrUnavailable], the caller must refuse. A
// process that records one entry and ends calls [Log.RecordFinal], which signs as well, at the price of one sync.
//
// The log is a hash chain in files below one folder (package file), in a format that package record describes:
// signed checkpoints and a head that the vault remembers ([Anchor]) make it evident when a line has been removed,
// changed, put elsewhere or cut off: [VerifyDir]. [Query] reads it, [Export] writes it for others. A value is never in
// the log; [Log.Digest] makes what a value can be checked against later.
//
// More devices can be attached ([Attached]); each has a queue and a deadline of its own, so that none holds up
// another. A new device is one folder beside file.
package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// What an entry is made of: see package record.
type (
	Entry      = record.Entry
	Actor      = record.Actor
	ActorKind  = record.ActorKind
	Client     = record.Client
	ClientKind = record.ClientKind
	Outcome    = record.Outcome
	Batch      = record.Batch
	Head       = record.Head
	Hash       = record.Hash
	Break      = record.Break
)

// What the file device needs: see package file.
type (
	Signer = file.Signer
	Anchor = file.Anchor
	Sync   = file.Sync
)

// Values of the types above.
const (
	Person    = record.Person
	Service   = record.Service
	Assistant = record.Assistant
	System    = record.System

	CLI    = record.CLI
	Server = record.Server
	MCP    = record.MCP
	SDK    = record.SDK

	OK     = record.OK
	Denied = record.Denied
	Failed = record.Failed

	SyncDisk = file.SyncDisk
	SyncOS   = file.SyncOS
)

var (
	// ErrUnavailable is returned when an entry could not be recorded. The act that it speaks of must not happen.
	ErrUnavailable = errors.New("the audit log did not take the entry")
	// ErrClosed is the cause when the Log has been closed.
	ErrClosed = errors.New("the audit log is closed")
	// ErrTooLarge is the cause when an entry is longer than a line can be.
	ErrTooLarge = errors.New("the entry is too large")
	// ErrInvalid is the cause when an entry has a member that cannot be recorded; the text names it.
	ErrInvalid = record.ErrInvalid
	// ErrTampered is the cause when the log lacks what the vault remembers of it; VerifyDir tells more.
	ErrTampered = file.ErrTampered
	// ErrReplaced is the cause when the log was deleted or replaced while it was open.
	ErrReplaced = file.ErrReplaced
	// ErrBroken is what Verify returns, as a *Break, for a log that has been changed.
	ErrBroken = record.ErrBroken
)

// Key makes keyed digests; the audit HMAC key of the vault is one.
type Key interface {
	// MAC returns the HMAC of data under a key that serves this purpose only.
	MAC(purpose string, data []byte) [32]byte
}

// digestPurpose is followed by the name of the field.
const digestPurpose = "audit digest of "

// Digest returns what to put into Entry.Digests for a sensitive field: whoever has the vault's key can later check a
// value against it, nobody can read the value from it. The same value gives another digest in another field. Without
// a key (a vault that is sealed) it returns "".
func (l *Log) Digest(field string, value []byte) string {
	if l.opts.Key == nil {
		return ""
	}
	mac := l.opts.Key.MAC(digestPurpose+field, value)
	return fmt.Sprintf("hmac-sha256:%x", mac[:])
}

// publicKey returns the key that checkpoints are checked with, nil without a Signer.
func (o *Options) publicKey() ed25519.PublicKey {
	if o.Signer == nil {
		return nil
	}
	return o.Signer.Public()
}
