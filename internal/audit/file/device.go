// Package file keeps the audit log in files that several processes append to at once.
//
// A log is audit.log and, once that has grown to its limit, audit-<seq>.log, named by the sequence number of the first
// line; the last is the one that is appended to, and no file is ever renamed. Package record says what a line is.
//
// To append, a process locks the last file, makes sure that it is still the file of that name, reads its last line if
// somebody else has written since, writes all its lines at once, unlocks, and syncs. What a crash left unfinished is
// not cut off but accounted for by a recovered line. The first append of a process also checks that the log reaches
// at least to the head that the vault remembers (its [Anchor]), and holds from there on.
package file

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

var (
	// ErrReplaced tells that the log's file was deleted or replaced while it was open.
	ErrReplaced = errors.New("the audit log was deleted or replaced")
	// ErrTampered tells that the log lacks what the vault remembers of it.
	ErrTampered = errors.New("the audit log is not the one that the vault remembers")
	// ErrInsecure tells that others may write to the log, or that it is no ordinary file.
	ErrInsecure = errors.New("the audit log is not safe to write to")
	// ErrBroken tells that an earlier sync failed: what is on the disk is not known until the log is opened again.
	ErrBroken = errors.New("the audit log failed before")
)

// Signer signs checkpoints.
type Signer interface {
	// Sign returns the Ed25519 signature of message.
	Sign(message []byte) []byte
	// Public returns the key that the signature is checked with.
	Public() ed25519.PublicKey
}

// Anchor remembers a log's head outside of the log, so that a log cut off at its end is found out.
type Anchor interface {
	// Load returns the head stored last, the zero Head if there is none.
	Load(ctx context.Context) (record.Head, error)
	// Store remembers head, durably. It must leave alone what is there if that has a higher sequence number:
	// processes overtake each other.
	Store(ctx context.Context, head record.Head) error
}

// Sync says when an entry counts as written.
type Sync int

const (
	// SyncDisk waits until the entry is on the disk. The default.
	SyncDisk Sync = iota
	// SyncOS is content once the operating system has the entry: it survives a killed process, not a power cut. If a
	// power cut took lines that the vault remembers, the log goes on with a gap line that says so.
	SyncOS
)

// Options configure a Device; the zero value works, without checkpoints.
type Options struct {
	Signer  Signer           // signs checkpoints; nil: there are none
	Anchor  Anchor           // nil: a log that was cut off is not found out
	Sync    Sync             // when an entry counts as written
	Clock   func() time.Time // times of lines other than entries; nil: time.Now
	MaxFile int64            // bytes after which a new file is begun; 0: 64 MiB
	Every   int              // entries after which a checkpoint is written; 0: 1024
	// Delay is how long after an entry a process that lives on writes a checkpoint and stores the anchor; 0: 1 s.
	Delay time.Duration
	// Grace is how long the anchor may fail in the background before entries are refused; 0: 10 s.
	Grace time.Duration
}

// Defaults of Options.
const (
	DefaultMaxFile = 64 << 20
	DefaultEvery   = 1024
	DefaultDelay   = time.Second
	DefaultGrace   = 10 * time.Second
)

// Device appends to the log in one folder. It is safe for concurrent use, by several processes too.
type Device struct {
	dir  string
	opts Options
	disk disk

	mu       sync.Mutex
	f        *os.File // the file appended to; nil before the first append
	name     string
	tail     tail
	anchored bool        // anchor has been loaded
	anchor   record.Head // what it was before this process's first append
	buf      []byte
	gap      bool   // a gap has to be written: lines up to the anchor are lost
	reason   string // of the gap
	named    bool   // the file's name is not yet durable
	broken   error  // of a sync that failed
	signs    signing
	work     sync.WaitGroup // of what is under way in the background
}

// disk is how files and the names in a folder are made durable.
type disk struct {
	data func(*os.File) error
	dir  func(string) error
}

// New returns a Device for the log in dir. Neither the folder nor the log need to be there; nothing is read or made
// before the first append.
func New(dir string, opts Options) *Device {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	opts.MaxFile = cmpOr(opts.MaxFile, DefaultMaxFile)
	opts.Every = cmpOr(opts.Every, DefaultEvery)
	opts.Delay = cmpOr(opts.Delay, DefaultDelay)
	opts.Grace = cmpOr(opts.Grace, DefaultGrace)
	d := &Device{dir: dir, opts: opts, disk: disk{syncData, syncDir}}
	d.signs.signer, d.signs.anchor = opts.Signer != nil, opts.Anchor != nil
	return d
}

func cmpOr[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Append writes the batch's entries, in order and in one piece, and returns once they are as durable as Options.Sync
// says. After a final batch all of the log up to here is covered by a checkpoint; Settle then stores the
// anchor. An error
// means that the entries must be taken as not written, though they may be found in the log.
//
// Waiting for another process's lock cannot be interrupted; if ctx has ended by then, nothing is written.
func (d *Device) Append(ctx context.Context, batch record.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.signs.refuse(d.opts.Clock(), d.opts.Grace); err != nil && !batch.Final {
		return err
	}
	return d.append(ctx, batch)
}

// Close writes a checkpoint if one is due, stores the anchor and closes the file. What is under way in the background is
// ended first.
func (d *Device) Close(ctx context.Context) error {
	d.rest()
	err := d.checkpoint(ctx)
	if err == nil {
		err = d.Settle(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return errors.Join(err, d.closeFile())
}

func (d *Device) closeFile() error {
	if d.f == nil {
		return nil
	}
	f := d.f
	d.f, d.tail = nil, tail{}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing the audit log: %w", err)
	}
	return nil
}

// append does what Append says; d.mu is held.
func (d *Device) append(ctx context.Context, batch record.Batch) error {
	if d.broken != nil {
		return d.broken
	}
	if len(batch.Bodies) == 0 && !d.signs.due() && !d.gap {
		return nil
	}
	if err := d.loadAnchor(ctx); err != nil {
		return err
	}
	for done := false; !done; {
		if err := d.openFile(); err != nil {
			return err
		}
		var err error
		if done, err = d.attempt(ctx, batch); err != nil {
			return err
		}
	}
	if err := d.sync(); err != nil {
		return err
	}
	d.signs.head = d.tail.head
	d.later()
	return nil
}

// attempt appends the batch to the file that is open. It returns false if that file is finished, so that the batch
// belongs into the next.
func (d *Device) attempt(ctx context.Context, batch record.Batch) (done bool, err error) {
	if err := lock(d.f); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, unlock(d.f)) }()
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("waiting for the audit log: %w", err)
	}
	if err := d.ready(); err != nil {
		return false, err
	}
	if d.tail.next != "" {
		return false, nil
	}
	p, err := d.compose(batch)
	if err != nil {
		return false, err
	}
	if d.tail.offset > 0 && d.tail.end()+int64(len(p.buf)) > d.opts.MaxFile {
		return false, d.finish()
	}
	return true, d.write(p)
}
