package vault

import (
	"context"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// Call is a request as a face hands it in.
type Call struct {
	ID        string
	Operation logical.Operation
	Path      string // without "/v1/" in front
	Token     string
	Data      map[string]any
	Body      io.Reader // of a request whose body is no JSON; nil otherwise
	WrapTTL   time.Duration
	Header    func(name string) string
	Remote    netip.AddrPort
	Time      time.Time
	Method    string
}

// Reply is what a face sends back. A Body of nil is an empty one.
type Reply struct {
	Status      int
	Body        []byte
	ContentType string // "": application/json
	Header      map[string]string
	Stream      io.ReadCloser // the body instead of Body; whoever sends it closes it
}

// Exchange is one request and what became of it, for the audit log.
type Exchange struct {
	Call      *Call
	Operation logical.Operation // as decided: a create or an update
	Mount     *Mount            // nil if no mount was found
	route     *logical.Route    // nil if no route was found
	Token     *token.Entry      // nil without one
	Last      bool              // this was the token's last use
	Policies  []string          // those that let it through
	Allowed   bool
	Sudo      bool                  // the policies grant sudo on this path
	visible   func(key string) bool // which keys a list shows; nil: all
	Response  *logical.Response     // nil in the first of the two records
	Wrap      *WrapInfo
	Err       error
}

// Auditor writes down what was asked and what was answered. An error of either refuses the request.
type Auditor interface {
	Request(ctx context.Context, x *Exchange) error
	Response(ctx context.Context, x *Exchange) error
}

// inflight knows the requests that are being served.
type inflight struct {
	mu    sync.Mutex
	calls map[string]*Call
}

func (f *inflight) add(c *Call) {
	f.mu.Lock()
	f.calls[c.ID] = c
	f.mu.Unlock()
}

func (f *inflight) remove(c *Call) {
	f.mu.Lock()
	delete(f.calls, c.ID)
	f.mu.Unlock()
}

func (f *inflight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

// InFlight lists the requests that are being served.
func (c *Core) InFlight() []*Call {
	c.inflight.mu.Lock()
	defer c.inflight.mu.Unlock()
	all := make([]*Call, 0, len(c.inflight.calls))
	for _, call := range c.inflight.calls {
		all = append(all, call)
	}
	return all
}
