package audit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// Device takes entries. A new kind of device is one folder beside file and a line where it is attached.
type Device interface {
	// Append takes the entries of one batch, in order, and returns nil once they are as durable as the device can make
	// them. It is called for one batch at a time and should give up when ctx ends.
	Append(ctx context.Context, batch Batch) error
	// Close finishes the device; no Append is under way or follows.
	Close(ctx context.Context) error
}

// Settler is a Device that has something left to do after a final batch, which other batches need not wait for.
type Settler interface {
	// Settle does it. Append may be called meanwhile.
	Settle(ctx context.Context) error
}

var (
	_ Device  = (*file.Device)(nil)
	_ Settler = (*file.Device)(nil)
)

// Attached is a Device in a Log.
type Attached struct {
	Device
	Name string // for errors and warnings
	// Required makes Record wait for the device and fail with it. What another device cannot take, because it fails,
	// is slow or its queue is full, is told to Options.Warn and lost to that device only.
	Required bool
	Queue    int           // entries that may wait; 0: 4096
	Deadline time.Duration // for one batch, and for an entry in the queue; 0: 10 s
}

// Defaults of Attached.
const (
	DefaultQueue    = 4096
	DefaultDeadline = 10 * time.Second
)

// Options configure a Log. The zero value works, without digests, checkpoints and anchor: enough for what is recorded
// while the vault is sealed; the next checkpoint covers it.
type Options struct {
	Key    Key    // for Digest
	Signer Signer // signs checkpoints
	// Anchor remembers the head outside of the log. Record only ever loads it, so Record may be called inside a
	// transaction of the database that the anchor is in; RecordFinal, Checkpoint, Close and a timer store it.
	Anchor   Anchor
	Sync     Sync             // when an entry counts as written; SyncDisk by default
	Clock    func() time.Time // nil: time.Now
	MaxFile  int64            // bytes after which the file device begins a new file; 0: 64 MiB
	Deadline time.Duration    // of the file device; 0: 10 s
	Delay    time.Duration    // after an entry, until a process that lives on signs it and stores the anchor; 0: 1 s
	// More are devices beside the file.
	More []Attached
	// Warn is told of what devices that are not required could not take. It is called from other goroutines and must
	// not call the Log. Required if there is such a device.
	Warn func(device string, err error)
}

// Log is the audit pipeline of one process. It is safe for concurrent use; concurrent calls of Record share one write
// and one sync.
type Log struct {
	dir    string
	opts   Options
	queues []*queue
	closed atomic.Bool
}

// Open returns a Log whose file device is in dir. Nothing is read or made before the first Record.
func Open(dir string, opts Options) (*Log, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Sync != SyncDisk && opts.Sync != SyncOS {
		return nil, fmt.Errorf("opening the audit log: unknown sync %d", opts.Sync)
	}
	l := &Log{dir: dir, opts: opts}
	l.queues = append(l.queues, newQueue(Attached{
		Device: file.New(dir, opts.file()), Name: "file", Required: true, Deadline: opts.Deadline,
	}, nil))
	for _, a := range opts.More {
		if !a.Required && opts.Warn == nil {
			return nil, fmt.Errorf("opening the audit log: nobody is warned of device %q", a.Name)
		}
		l.queues = append(l.queues, newQueue(a, opts.Warn))
	}
	return l, nil
}

// file returns the options of the file device.
func (o *Options) file() file.Options {
	return file.Options{Signer: o.Signer, Anchor: o.Anchor, Sync: o.Sync, Clock: o.Clock, MaxFile: o.MaxFile, Delay: o.Delay}
}

// Record writes e down and returns once it is durable on every required device. An error matches ErrUnavailable: the
// caller must refuse what e speaks of. If ctx ends first the entry may be found in the log all the same. The caller
// may change e's Keys and Digests again afterwards.
func (l *Log) Record(ctx context.Context, e Entry) error { return l.record(ctx, &e, false) }

// RecordFinal is Record for the last entry of a short-lived process: the same write and sync also hold a checkpoint,
// and the anchor is stored, so that Close has nothing left to do.
func (l *Log) RecordFinal(ctx context.Context, e Entry) error { return l.record(ctx, &e, true) }

func (l *Log) record(ctx context.Context, e *Entry, final bool) error {
	if e.Time.IsZero() {
		e.Time = l.opts.Clock()
	}
	if err := e.Validate(); err != nil {
		return unavailable(err)
	}
	body := record.AppendEntry(make([]byte, 0, 512+32*len(e.Keys)), e)
	if len(body) > record.MaxLine-frameLength {
		return unavailable(ErrTooLarge)
	}
	return l.send(ctx, body, final)
}

// frameLength is more than what a line has around its body.
const frameLength = 256

// Checkpoint signs what has been recorded and stores the anchor.
func (l *Log) Checkpoint(ctx context.Context) error { return l.send(ctx, nil, true) }

// send hands body to every device and waits for the required ones.
func (l *Log) send(ctx context.Context, body []byte, final bool) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	var room [4]*ticket
	sent := room[:0]
	for _, q := range l.queues {
		sent = append(sent, q.submit(body, final))
	}
	var errs []error
	for i, q := range l.queues {
		if !q.to.Required {
			continue
		}
		if err := q.finish(ctx, sent[i]); err != nil {
			errs = append(errs, fmt.Errorf("device %s: %w", q.to.Name, err))
		}
	}
	if len(errs) > 0 {
		return unavailable(errors.Join(errs...))
	}
	return nil
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }

// Close signs what is not yet signed, stores the anchor and closes the devices, each within its deadline. Calls of
// Record under way may fail.
func (l *Log) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	var errs []error
	for _, q := range l.queues {
		if err := q.close(); err != nil {
			errs = append(errs, fmt.Errorf("closing audit device %s: %w", q.to.Name, err))
		}
	}
	return errors.Join(errs...)
}
