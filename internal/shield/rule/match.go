package rule

import (
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// splitPort splits "host:port" of a rule; port is 0 for none.
func splitPort(h string) (host string, port int) {
	h = strings.ToLower(h)
	if i := strings.LastIndexByte(h, ':'); i >= 0 && !strings.Contains(h[i:], "]") && (strings.Count(h, ":") == 1 || h[i-1] == ']') {
		if n, err := strconv.Atoi(h[i+1:]); err == nil {
			return strings.Trim(h[:i], "[]"), n
		}
	}
	return strings.Trim(h, "[]"), 0
}

// network reads an address or a network.
func network(host string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(host); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// hostFits reports whether one of a rule's hosts is host, which is in lower case, without brackets.
func hostFits(hosts []string, host string, port int) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		pattern, its := splitPort(h)
		if its != 0 && its != port {
			return false
		}
		if n, ok := network(pattern); ok {
			a, err := netip.ParseAddr(host)
			return err == nil && n.Contains(a.Unmap())
		}
		below, wild := strings.CutPrefix(pattern, "*.")
		return pattern == "*" || pattern == host || wild && strings.HasSuffix(host, "."+below)
	})
}

// pathFits reports whether a path, percent-encoded as it is sent, fits a glob. A path with dot segments fits only "**": where
// it leads is for the server to say. A segment that holds an encoded slash fits only "**" for the same reason.
func pathFits(glob, escaped string) bool {
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\") {
			return glob == "**" || glob == "/**"
		}
		segments[i] = plain
	}
	return globFits(strings.Split(strings.TrimPrefix(glob, "/"), "/"), segments)
}

func globFits(glob, segments []string) bool {
	if len(glob) == 0 {
		return len(segments) == 0
	}
	if glob[0] == "**" {
		for i := 0; i <= len(segments); i++ {
			if globFits(glob[1:], segments[i:]) {
				return true
			}
		}
		return false
	}
	if len(segments) == 0 {
		return false
	}
	ok, err := path.Match(glob[0], segments[0])
	return err == nil && ok && globFits(glob[1:], segments[1:])
}

// placeFits reports whether a rule's places permit one. "header", and no place at all, stand for the headers that carry
// credentials.
func placeFits(in []string, place string, alone bool) bool {
	for _, p := range in {
		if strings.EqualFold(p, place) {
			return true
		}
	}
	return alone && (len(in) == 0 || slices.Contains(in, "header")) && credentialPlace(place)
}

// credentialPlace reports whether a place is a header that carries credentials to the server itself.
func credentialPlace(place string) bool {
	header, ok := strings.CutPrefix(place, "header:")
	if !ok || header == "cookie" || strings.HasPrefix(header, "proxy-") || strings.HasPrefix(header, "x-forward") {
		return false
	}
	if header == "authorization" || header == "x-auth" || header == "apikey" || header == "x-apikey" {
		return true
	}
	for _, end := range []string{"-key", "-token", "-secret", "-authorization", "-password", "-api-key", "-apikey"} {
		if strings.HasSuffix(header, end) {
			return true
		}
	}
	return header == "token"
}
