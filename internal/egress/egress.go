// Package egress opens connections to the outside on behalf of someone who is not trusted to choose where they lead: an
// assistant's tool or a shielded program. A name is resolved once, all its addresses are looked at, and the connection goes
// to the address that was looked at, so that a name cannot change its meaning in between (DNS rebinding).
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ErrRefused is matched by every refusal of this package.
var ErrRefused = errors.New("refused")

// Resolver looks names up; net.DefaultResolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dialer opens connections. The zero Dialer is ready for use; it is safe for concurrent use.
type Dialer struct {
	// Resolver is asked for addresses; nil is the system's.
	Resolver Resolver
	// Timeout limits resolving and connecting; 0 is 10 s.
	Timeout time.Duration
	// Exempt, if not nil, permits an address that would be refused. It serves tests and people who say so themselves.
	Exempt func(netip.AddrPort) bool
}

// DialContext connects to a host and port. What [Check] refuses is not connected to; a name of which any address is refused
// is refused as a whole.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	targets, err := d.Resolve(ctx, address)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	var failed error
	for _, t := range targets {
		c, err := dialer.DialContext(ctx, network, t.String())
		if err == nil {
			return c, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, fmt.Errorf("connecting to %q: %w", address, failed)
}

// Resolve returns the addresses that a connection may go to.
func (d *Dialer) Resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address %q: %w", address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("reading the address %q: the port is not a number from 1 to 65535", address)
	}
	addrs, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	targets := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		targets[i] = netip.AddrPortFrom(a.Unmap(), uint16(port))
		if d.Exempt != nil && d.Exempt(targets[i]) {
			continue
		}
		if err := Check(a); err != nil {
			return nil, fmt.Errorf("connecting to %q: %w", host, err)
		}
	}
	return targets, nil
}

func (d *Dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, "."))
	if err != nil {
		return nil, fmt.Errorf("looking up %q: %w", host, err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("looking up %q: it has no address", host)
	}
	return addrs, nil
}
