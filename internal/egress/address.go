package egress

import (
	"fmt"
	"net/netip"
	"strings"
)

// closed are networks that a credential, or a request made by someone untrusted, must never reach: where cloud machines
// keep their own credentials, and addresses that mean "here" or "everybody". Private networks are open: databases live there.
// From the IANA special-purpose registries, and the documentation of the clouds for their metadata services.
func closed(a netip.Addr) string {
	switch {
	case a == netip.AddrFrom4([4]byte{169, 254, 169, 254}), a == netip.AddrFrom4([4]byte{100, 100, 100, 200}),
		a == netip.AddrFrom4([4]byte{168, 63, 129, 16}), a == netip.AddrFrom4([4]byte{192, 0, 0, 192}),
		a == netip.MustParseAddr("fd00:ec2::254"), a == netip.MustParseAddr("fd20:ce::254"):
		return "a metadata service of a cloud"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsUnspecified():
		return "no address of a host"
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "a group of hosts"
	}
	return ""
}

// Check refuses addresses of metadata services, link-local, unspecified and multicast addresses, also where IPv6 wraps an
// IPv4 address. The error matches ErrRefused.
func Check(a netip.Addr) error {
	a = a.WithZone("").Unmap()
	why := closed(a)
	if inner, ok := embedded(a); why == "" && ok {
		why = closed(inner)
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: %s is %s", ErrRefused, a, why)
}

// embedded is the IPv4 address within an IPv6 address of the translating networks: NAT64 (RFC 6052, and RFC 8215 with the
// address at the end), 6to4 (RFC 3056), Teredo (RFC 4380, every bit turned), and the compatible form that RFC 4291 gave up.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case !a.Is6():
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case netip.MustParsePrefix("64:ff9b:1::/48").Contains(a), netip.MustParsePrefix("::/96").Contains(a) && !a.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:])), true
	case netip.MustParsePrefix("2001::/32").Contains(a):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// Loopback reports whether a host, as a URL has it, is this machine whatever a resolver says.
func Loopback(host string) bool {
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
