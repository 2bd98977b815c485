package login

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Route is where a login's host leads: addresses that were looked up once and permitted. Dialling goes to these, so that the
// name cannot mean something else after Private was asked.
type Route struct {
	targets []netip.AddrPort
	call    *tool.Call
}

// Route looks the host up.
func (l *Login) Route(ctx context.Context) (*Route, error) {
	targets, err := l.call.Dialer.Resolve(ctx, l.Address())
	if err != nil {
		return nil, l.Failure(ctx, err)
	}
	return &Route{targets, l.call}, nil
}

// Private reports whether all addresses are of this machine or of a private network (RFC 1918, RFC 4193, RFC 6598).
func (r *Route) Private() bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	for _, t := range r.targets {
		if a := t.Addr().Unmap(); !a.IsLoopback() && !a.IsPrivate() && !shared.Contains(a) {
			return false
		}
	}
	return true
}

// Loopback reports whether all addresses are of this machine.
func (r *Route) Loopback() bool {
	for _, t := range r.targets {
		if !t.Addr().Unmap().IsLoopback() {
			return false
		}
	}
	return true
}

// Dial connects to the first address that answers. Its signature is the one that drivers want; the address is ignored.
func (r *Route) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var failed error
	for _, t := range r.targets {
		c, err := r.call.Dialer.DialContext(ctx, "tcp", t.String())
		if err == nil {
			return c, nil
		}
		failed = err
	}
	return nil, failed
}

// Host is a host as a name in a certificate: without a dot at the end.
func Host(host string) string { return strings.TrimSuffix(host, ".") }
