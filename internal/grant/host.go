package grant

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// host is a name in the one way that it is compared in, or an address.
type host struct {
	name string // ASCII, lower case, without a final dot
	addr netip.Addr
}

// hostPattern is one entry of Rule.Hosts.
type hostPattern struct {
	host
	below   bool         // every name below host.name, and not that itself
	network netip.Prefix // if valid, the addresses in it
	port    int          // 0 is any
}

var errHost = errors.New("is no host")

// parseHost reads a name or an address. Names are brought to ASCII as browsers do it (UTS 46); an address has its usual form
// only, since the others (127.1, 0x7f000001, 017700000001) are names to one resolver and addresses to the next.
func parseHost(text string) (host, error) {
	bare := unbracketed(text)
	if a, err := netip.ParseAddr(bare); err == nil {
		if a.Zone() != "" || bare != text && !a.Is6() {
			return host{}, errHost
		}
		return host{addr: a.Unmap()}, nil
	}
	name, err := asciiName(text)
	if err != nil {
		return host{}, err
	}
	return host{name: name}, nil
}

// unbracketed takes off the brackets that an IPv6 address has in a URL.
func unbracketed(text string) string {
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return text[1 : len(text)-1]
	}
	return text
}

// asciiName brings a name to the form that it is compared in.
func asciiName(text string) (string, error) {
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	if strings.Contains(name, "xn--") || strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
		mapped, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", errHost
		}
		name = strings.TrimSuffix(mapped, ".")
	}
	if name == "" || len(name) > 253 {
		return "", errHost
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", errHost
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return "", errHost
	}
	return name, nil
}

// parseHostPattern reads an entry of Rule.Hosts: NAME, *.NAME, ADDRESS or NETWORK, and :PORT behind it; an IPv6 address or
// network with a port stands in brackets.
func parseHostPattern(text string) (hostPattern, error) {
	if strings.Contains(text, "://") {
		return hostPattern{}, noHost(text)
	}
	rest, port, err := cutPort(text)
	if err != nil {
		return hostPattern{}, err
	}
	p := hostPattern{port: port}
	if strings.Contains(rest, "/") {
		p.network, err = netip.ParsePrefix(unbracketed(rest))
		if err != nil || p.network != p.network.Masked() || p.network.Addr().Is4In6() {
			return p, fmt.Errorf("%q is no network such as 10.0.0.0/8", text)
		}
		return p, nil
	}
	name, below := strings.CutPrefix(rest, "*.")
	if p.below = below; !below {
		name = rest
	}
	if p.host, err = parseHost(name); err != nil || below && p.addr.IsValid() {
		return p, noHost(text)
	}
	if below && shared(p.name) {
		return p, fmt.Errorf("%q is too wide: anybody can have a name below %s", text, p.name)
	}
	return p, nil
}

func noHost(text string) error {
	return fmt.Errorf("%q %w; say a name, *.example.com, an address or a network, without https:// and path", text, errHost)
}

// shared reports whether names below this one belong to different people, by the public suffix list.
func shared(name string) bool {
	suffix, listed := publicsuffix.PublicSuffix(name)
	return suffix == name && (listed || strings.Contains(suffix, "."))
}

// cutPort takes ":port" off the end, if it is there.
func cutPort(text string) (string, int, error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 || strings.HasSuffix(text, "]") || !strings.HasPrefix(text, "[") && strings.Count(text, ":") > 1 {
		return text, 0, nil
	}
	port, err := strconv.ParseUint(text[i+1:], 10, 16)
	if err != nil || port == 0 || text[i+1] == '0' {
		return "", 0, fmt.Errorf("%q ends in no port from 1 to 65535", text)
	}
	return text[:i], int(port), nil
}

// match reports whether the pattern is for a host and port.
func (p hostPattern) match(h host, port int) bool {
	switch {
	case p.port != 0 && p.port != port:
		return false
	case p.network.IsValid():
		return h.addr.IsValid() && p.network.Contains(h.addr)
	case p.below:
		return strings.HasSuffix(h.name, "."+p.name)
	}
	return h == p.host
}

// String is the host as a rule has it.
func (h host) String() string {
	if h.addr.IsValid() {
		return h.addr.String()
	}
	return h.name
}

// port is the port of a use, that of its scheme if it names none, 0 if that is not known.
func (u Use) port() int {
	if u.Port != 0 {
		return u.Port
	}
	switch u.Scheme {
	case "https", "wss", "grpcs":
		return 443
	case "http", "ws":
		return 80
	case "postgres", "postgresql":
		return 5432
	case "mysql", "mariadb":
		return 3306
	case "redis", "rediss":
		return 6379
	case "mongodb":
		return 27017
	case "ssh":
		return 22
	}
	return 0
}

// address is host and port of a use, for people.
func (u Use) address() string {
	name := u.Host
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		name = "[" + name + "]"
	}
	if port := u.port(); port != 0 && name != "" {
		return name + ":" + strconv.Itoa(port)
	}
	return name
}
