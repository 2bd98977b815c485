package audit

import "time"

// gatherFor is how long entries are gathered at most before they are written. A sync of the disk costs the processor as much as
// several requests do, so under load fewer and larger batches serve everybody better.
const gatherFor = time.Millisecond

// gathering decides how many entries a batch is worth waiting for; one, at first. It follows how many come: when batches fill up and
// others queue behind them nevertheless, it asks for more; when one does not fill up in time it is content with as many as came.
// Who is alone never waits, because nobody queues behind.
type gathering struct {
	target int
	filled int // batches in a row that others queued behind
}

// growAfter is how many batches have to fill up before more is asked for. One that does not fill up costs gatherFor.
const growAfter = 4

// sent notes how many entries a batch had, and whether others have queued behind it.
func (g *gathering) sent(n int, more bool) {
	if n < g.target {
		g.target, g.filled = n, 0
		return
	}
	if !more {
		return
	}
	g.target = max(g.target, 1)
	if g.filled++; g.filled >= growAfter {
		g.target, g.filled = g.target+max(1, g.target/4), 0
	}
}
