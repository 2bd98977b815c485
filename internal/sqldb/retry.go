package sqldb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	defaultWait  = 30 * time.Second
	firstBackOff = time.Millisecond
	maxBackOff   = 250 * time.Millisecond
)

// retry calls try until it does not lose against another transaction, the deadline passes or ctx ends. It waits a
// random part of a doubling time in between, so that rivals do not meet again and again.
func retry(ctx context.Context, deadline time.Time, try func() error) error {
	for backOff := firstBackOff; ; backOff = min(2*backOff, maxBackOff) {
		err := try()
		if err == nil || !isConflict(err) {
			return err
		}
		pause := rand.N(backOff) + 1
		if time.Now().Add(pause).After(deadline) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w while waiting: %w", ctx.Err(), Classify(err))
		}
	}
}
