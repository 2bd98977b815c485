package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrQueueFull is the cause when a device has fallen too far behind.
	ErrQueueFull = errors.New("the device's queue is full")
	// ErrDeadline is the cause when a device did not answer in time.
	ErrDeadline = errors.New("the device did not answer in time")
)

// queue gathers entries for one device while that is busy, so that the next batch takes them all at once. A goroutine
// exists only as long as there is work.
type queue struct {
	to   Attached
	warn func(device string, err error)

	mu      sync.Mutex
	waiting []*ticket
	spare   []*ticket // the other of two buffers
	closed  bool
	idle    chan struct{} // closed when the goroutine ends; nil if there is none
	worth   gathering
	enough  int           // how many are gathered; 0: nobody gathers
	full    chan struct{} // told when as many are there, or one that does not wait
}

// ticket is one entry in a queue.
type ticket struct {
	body  []byte // nil: none, just a final batch
	final bool
	done  chan error // takes one result
	gone  atomic.Bool
}

func newQueue(to Attached, warn func(string, error)) *queue {
	if to.Queue <= 0 {
		to.Queue = DefaultQueue
	}
	if to.Deadline <= 0 {
		to.Deadline = DefaultDeadline
	}
	return &queue{to: to, warn: warn, full: make(chan struct{}, 1)}
}

// submit puts an entry into the queue and returns its ticket.
func (q *queue) submit(body []byte, final bool) *ticket {
	t := &ticket{body: body, final: final, done: make(chan error, 1)}
	if err := q.add(t); err != nil {
		q.answer(t, err)
	}
	return t
}

func (q *queue) add(t *ticket) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.waiting) >= q.to.Queue:
		return ErrQueueFull
	}
	q.waiting = append(q.waiting, t)
	if len(q.waiting) >= q.enough || t.final {
		q.gathered()
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.run(q.idle)
	}
	return nil
}

// wait returns the result for t, giving up when ctx ends or the device takes too long.
func (q *queue) wait(ctx context.Context, t *ticket) error {
	timer := time.NewTimer(q.to.Deadline)
	defer timer.Stop()
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		t.gone.Store(true)
		return ctx.Err()
	case <-timer.C:
		t.gone.Store(true)
		return ErrDeadline
	}
}

// finish waits for the result for t and, if t is final, lets the device settle.
func (q *queue) finish(ctx context.Context, t *ticket) error {
	err := q.wait(ctx, t)
	settler, ok := q.to.Device.(Settler)
	if err != nil || !t.final || !ok {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, q.to.Deadline)
	defer cancel()
	return settler.Settle(ctx)
}

// run sends batches until nothing waits.
func (q *queue) run(idle chan struct{}) {
	defer close(idle)
	for {
		q.gather(q.worth.target)
		q.mu.Lock()
		batch := q.waiting
		if len(batch) == 0 {
			q.worth.sent(0, false)
			q.idle = nil
			q.mu.Unlock()
			return
		}
		q.waiting, q.spare = q.spare[:0], nil
		q.mu.Unlock()

		n := len(batch)
		q.send(batch)

		clear(batch)
		q.mu.Lock()
		q.spare = batch[:0]
		q.worth.sent(n, len(q.waiting) > 0)
		q.mu.Unlock()
	}
}

// gather waits until n entries are there or gatherFor has passed.
func (q *queue) gather(n int) {
	q.mu.Lock()
	if n <= 1 || len(q.waiting) >= n || q.closed || slices.ContainsFunc(q.waiting, func(t *ticket) bool { return t.final }) {
		q.mu.Unlock()
		return
	}
	q.enough = n
	q.mu.Unlock()
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	select {
	case <-q.full:
		return
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.enough == 0 {
		<-q.full // it was told at the same time
	}
	q.enough = 0
}

// gathered ends gather.
func (q *queue) gathered() {
	if q.enough > 0 {
		q.enough = 0
		q.full <- struct{}{}
	}
}

// send appends a batch to the device and answers its tickets. What nobody waits for any more is left out.
func (q *queue) send(tickets []*ticket) {
	batch := Batch{Bodies: make([][]byte, 0, len(tickets))}
	live := tickets[:0]
	for _, t := range tickets {
		if t.gone.Load() {
			continue
		}
		live = append(live, t)
		batch.Final = batch.Final || t.final
		if t.body != nil {
			batch.Bodies = append(batch.Bodies, t.body)
		}
	}
	if len(live) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), q.to.Deadline)
	defer cancel()
	err := q.to.Append(ctx, batch)
	for _, t := range live {
		q.answer(t, err)
	}
}

// answer gives t its result and warns of an error that nobody waits for.
func (q *queue) answer(t *ticket, err error) {
	t.done <- err
	if err != nil && !q.to.Required {
		q.warn(q.to.Name, err)
	}
}

// close lets the queue run empty and closes the device.
func (q *queue) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), q.to.Deadline)
	defer cancel()
	q.mu.Lock()
	idle := q.idle
	q.closed = true
	q.gathered()
	q.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("%w: entries are left", ErrDeadline)
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- q.to.Close(ctx) }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return ErrDeadline
	}
}
