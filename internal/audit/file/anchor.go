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

// signing knows what the next checkpoint has to cover. It is guarded by the Device's mutex.
type signing struct {
	signer, anchor bool // there is one
	unsigned       int  // lines that this Device has written since its last checkpoint
	unanchored     bool // lines since the anchor was stored
	timer          *time.Timer
	stopped        bool
	failing        time.Time // since when the work in the background fails; zero: it does not
	err            error     // its last error
}

func (s *signing) wrote(lines int, signed bool) {
	if s.unsigned += lines; signed {
		s.unsigned = 0
	}
	s.unanchored = s.unanchored || lines > 0
}

// due reports whether there is something to sign or to store.
func (s *signing) due() bool { return s.signer && s.unsigned > 0 || s.anchor && s.unanchored }

func (s *signing) stop() {
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *signing) failed(err error, now time.Time) {
	if s.err = err; s.failing.IsZero() {
		s.failing = now
	}
}

func (s *signing) worked() { s.failing, s.err = time.Time{}, nil }

// refuse returns an error if the work in the background has been failing for longer than grace.
func (s *signing) refuse(now time.Time, grace time.Duration) error {
	if s.failing.IsZero() || now.Sub(s.failing) <= grace {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrAnchor, s.err)
}

// settle stores the anchor after a final batch, or sees to it that this happens soon.
func (d *Device) settle(ctx context.Context, final bool) error {
	if !final {
		d.later()
		return nil
	}
	if d.opts.Anchor != nil && d.signs.unanchored {
		if err := d.opts.Anchor.Store(ctx, d.tail.head); err != nil {
			return fmt.Errorf("storing the audit log's head: %w", err)
		}
	}
	d.signs.unanchored = false
	d.signs.worked()
	return nil
}

// later arranges for a checkpoint after Options.Delay if one is due and none is on its way.
func (d *Device) later() {
	if d.signs.timer == nil && d.signs.due() && !d.signs.stopped {
		d.signs.timer = time.AfterFunc(d.opts.Delay, d.background)
	}
}

// background writes a checkpoint and stores the anchor. It tries again until that works.
func (d *Device) background() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signs.timer = nil
	if d.signs.stopped {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.opts.Grace)
	defer cancel()
	if err := d.append(ctx, record.Batch{Final: true}); err != nil {
		d.signs.failed(err, d.opts.Clock())
	}
	d.later()
}
