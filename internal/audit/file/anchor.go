package file

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// ErrAnchor tells that the head could not be stored for so long that entries are refused.
var ErrAnchor = errors.New("the audit log's head cannot be stored")

// signing knows what has to be signed and stored. It is guarded by the Device's mutex.
type signing struct {
	signer, anchor bool        // there is one
	unsigned       int         // lines that this Device has written since its last checkpoint
	head           record.Head // the last of its lines that is durable
	stored         uint64      // the sequence number that the anchor was told last
	timer          *time.Timer // is set until the work in the background is done
	cancel         func()      // ends that work, if it has begun
	stopped        bool
	failing        time.Time // since when the work in the background fails; zero: it does not
	err            error     // its last error
}

func (s *signing) wrote(lines int, signed bool) {
	if s.unsigned += lines; signed {
		s.unsigned = 0
	}
}

// due reports whether there is something to sign or to store.
func (s *signing) due() bool { return s.signer && s.unsigned > 0 || s.unanchored() }

// unanchored reports whether there is something to store.
func (s *signing) unanchored() bool { return s.anchor && s.head.Seq > s.stored }

func (s *signing) stop() {
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.cancel != nil {
		s.cancel()
	}
}

// done takes note of how the work in the background went, or that somebody else did it. A failure with nothing left to
// do is none: nothing would try again and find out that it works.
func (s *signing) done(err error, now time.Time) {
	switch {
	case err == nil || !s.due():
		s.failing, s.err = time.Time{}, nil
	case s.failing.IsZero():
		s.failing, s.err = now, err
	default:
		s.err = err
	}
}

// refuse returns an error if the work in the background has been failing for longer than grace.
func (s *signing) refuse(now time.Time, grace time.Duration) error {
	if s.failing.IsZero() || now.Sub(s.failing) <= grace {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrAnchor, s.err)
}

// Settle stores the anchor if it does not know of what has been appended. Nobody waits for that meanwhile: who appends
// may hold the database that the anchor is in. Who calls Settle must not.
func (d *Device) Settle(ctx context.Context) error {
	head, due := d.unsettled()
	if !due {
		return nil
	}
	if err := d.opts.Anchor.Store(ctx, head); err != nil {
		return fmt.Errorf("storing the audit log's head: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signs.stored = max(d.signs.stored, head.Seq)
	d.signs.done(nil, d.opts.Clock())
	return nil
}

// unsettled returns the head that the anchor has to be told, and whether there is one.
func (d *Device) unsettled() (record.Head, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signs.head, d.signs.unanchored()
}

// later arranges for a checkpoint and the anchor after Options.Delay if they are due and nobody sees to them.
func (d *Device) later() {
	if d.signs.timer == nil && d.signs.due() && !d.signs.stopped {
		d.signs.timer = time.AfterFunc(d.opts.Delay, d.background)
	}
}

// background writes a checkpoint and stores the anchor, and tries again until that works.
func (d *Device) background() {
	ctx, cancel := context.WithTimeout(context.Background(), d.opts.Grace)
	defer cancel()
	if !d.begin(cancel) {
		return
	}
	defer d.work.Done()
	err := d.checkpoint(ctx)
	if err == nil {
		err = d.Settle(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signs.done(err, d.opts.Clock())
	d.signs.timer = nil
	d.later()
}

// begin reports whether work in the background may still begin; Close then ends it with cancel and waits for it.
func (d *Device) begin(cancel context.CancelFunc) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.signs.stopped {
		return false
	}
	d.signs.cancel = cancel
	d.work.Add(1)
	return true
}

// checkpoint signs what has been appended, and accounts for a gap.
func (d *Device) checkpoint(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.signs.due() && !d.gap {
		return nil
	}
	return d.append(ctx, record.Batch{Final: true})
}

// rest ends the work in the background and lets none begin.
func (d *Device) rest() {
	d.mu.Lock()
	d.signs.stop()
	d.mu.Unlock()
	d.work.Wait()
}
