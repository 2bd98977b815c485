package audit

import "testing"

// The target follows what comes: it grows slowly while batches fill up and others queue behind them, and falls at once.
func TestGathering(t *testing.T) {
	t.Parallel()
	var g gathering
	for i, step := range []struct {
		times, sent int
		more        bool
		want        int
	}{
		{100, 1, false, 0}, {3, 1, true, 1}, {1, 1, true, 2}, {1, 1, true, 1}, {4, 5, true, 2}, {4, 16, true, 3}, {100, 16, false, 3},
		{40, 1000, true, 22}, {1, 20, true, 20}, {1, 3, false, 3}, {1, 0, false, 0}, {1, 4, true, 1},
	} {
		for range step.times {
			g.sent(step.sent, step.more)
		}
		if g.target != step.want {
			t.Errorf("step %d: the target is %d; want %d", i+1, g.target, step.want)
		}
	}
}
