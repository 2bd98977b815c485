package quota

import (
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Limiter counts the requests of each client against each rule. It is safe for concurrent use.
type Limiter struct {
	mu    sync.Mutex
	rules map[string]*counted // by name
}

// counted is a rule as it was when counting began, and its clients.
type counted struct {
	rule    Rule
	clients map[netip.Addr]*window
	swept   time.Time
}

// window is the interval a client is in.
type window struct {
	start   time.Time
	used    int
	blocked time.Time
}

// maxClients bounds the clients that one rule remembers. When there are more, those whose interval is over are forgotten, and if
// that does not help, any.
const maxClients = 100_000

// NewLimiter returns a Limiter that has counted nothing.
func NewLimiter() *Limiter { return &Limiter{rules: map[string]*counted{}} }

// Verdict is what became of one request.
type Verdict struct {
	Allowed          bool
	Limit, Remaining int
	Reset            time.Duration // until the client may ask as often as at first
}

// Take counts one request of a client against a rule.
func (l *Limiter) Take(r Rule, client netip.Addr, now time.Time) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.rules[r.Name]
	if c == nil || c.rule != r { // the rule has changed
		c = &counted{rule: r, clients: map[netip.Addr]*window{}, swept: now}
		l.rules[r.Name] = c
	}
	client = client.Unmap().WithZone("")
	w := c.clients[client]
	if w == nil {
		c.makeRoom(now)
		w = &window{start: now}
		c.clients[client] = w
	}
	return w.take(r, now)
}

// Forget drops what was counted for a rule that was deleted.
func (l *Limiter) Forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rules, name)
}

func (w *window) take(r Rule, now time.Time) Verdict {
	limit := r.tokens()
	if left := w.blocked.Sub(now); left > 0 && left <= r.Block { // longer, and the clock was set back
		return Verdict{Limit: limit, Reset: w.blocked.Sub(now)}
	}
	if over := now.Sub(w.start); over >= r.Interval || over < 0 { // or the clock was set back
		w.start, w.used = now, 0
	}
	reset := w.start.Add(r.Interval).Sub(now)
	if w.used >= limit {
		if r.Block > 0 {
			w.blocked = now.Add(r.Block)
			reset = r.Block
		}
		return Verdict{Limit: limit, Reset: reset}
	}
	w.used++
	return Verdict{Allowed: true, Limit: limit, Remaining: limit - w.used, Reset: reset}
}

// makeRoom forgets clients that are back where they started, once an interval and no more often, as it looks at all of them; and
// any client when there are too many.
func (c *counted) makeRoom(now time.Time) {
	if now.Sub(c.swept) >= c.rule.Interval {
		c.swept = now
		for client, w := range c.clients {
			if now.Sub(w.start) >= c.rule.Interval && !now.Before(w.blocked) {
				delete(c.clients, client)
			}
		}
	}
	for client := range c.clients {
		if len(c.clients) < maxClients {
			return
		}
		delete(c.clients, client)
	}
}

// Headers are what an answer tells of a verdict.
func (v Verdict) Headers() map[string]string {
	seconds := strconv.Itoa(int((v.Reset + time.Second - 1) / time.Second))
	h := map[string]string{"X-Ratelimit-Limit": strconv.Itoa(v.Limit), "X-Ratelimit-Remaining": strconv.Itoa(v.Remaining), "X-Ratelimit-Reset": seconds}
	if !v.Allowed {
		h["Retry-After"] = seconds
	}
	return h
}
