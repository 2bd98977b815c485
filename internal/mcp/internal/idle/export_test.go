package idle

import "time"

// Clock is a clock that tests turn.
type Clock struct{ due []func() }

// Fire runs what is due, also what was stopped: timers may fire while they are being stopped.
func (c *Clock) Fire() {
	due := c.due
	c.due = nil
	for _, f := range due {
		f()
	}
}

// NewWith is New with a clock.
func NewWith[K comparable, C any](close func(C) error, clock *Clock) *Pool[K, C] {
	p := New[K](close)
	p.after = func(_ time.Duration, f func()) *time.Timer {
		clock.due = append(clock.due, f)
		return time.NewTimer(time.Hour)
	}
	return p
}
