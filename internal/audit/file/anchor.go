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
}

// done takes note of how the work in the background went.
func (s *signing) done(err error, now time.Time) {
	switch s.err = err; {
	case err == nil:
		s.failing = time.Time{}
	case s.failing.IsZero():
		s.failing = now
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
// may hold the database that the anchor is in.
func (d *Device) Settle(ctx context.Context) error {
	d.mu.Lock()
	head, due := d.signs.head, d.signs.unanchored()
	d.mu.Unlock()
	if !due {
		return nil
	}
	if err := d.opts.Anchor.Store(ctx, head); err != nil {
		return fmt.Errorf("storing the audit log's head: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signs.stored = max(d.signs.stored, head.Seq)
	return nil
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
	d.mu.Lock()
	if d.signs.stopped {
		d.mu.Unlock()
		return
	}
	err := d.append(ctx, record.Batch{Final: true})
	d.mu.Unlock()
	if err == nil {
		err = d.Settle(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signs.done(err, d.opts.Clock())
	d.signs.timer = nil
	d.later()
}
