package policy

import "strings"

// Reaches reports whether some rule grants something at or below a mount, given with its trailing slash. It is what a client may
// know of a mount for: one that it can do nothing with is not shown. Rules that expire are counted: ask a.At(now).
func (a *ACL) Reaches(mount string) bool {
	if a.root {
		return true
	}
	mount = strings.TrimLeft(mount, "/")
	if g := a.find(List, mount); g.grants() {
		return true
	}
	for path, g := range a.exact {
		if g.grants() && strings.HasPrefix(path, mount) {
			return true
		}
	}
	for _, h := range a.heads {
		for i := range h.rules {
			if h.rules[i].grant.grants() && h.rules[i].pattern.reaches(mount) {
				return true
			}
		}
	}
	return false
}

// grants reports whether a grant, which may be nil, is one that gives anything.
func (g *grant) grants() bool { return g != nil && g.caps != 0 && !g.caps.Has(Deny) }

// reaches reports whether a pattern with wildcards can match a path that begins with the mount. A prefix that ends above the mount
// is no matter here: find has seen it, and a longer one may have taken its place.
func (p *pattern) reaches(mount string) bool {
	if p.kind == prefix {
		return strings.HasPrefix(p.body, mount)
	}
	segments := strings.Split(strings.TrimSuffix(mount, "/"), "/")
	for i, segment := range segments {
		switch {
		case i >= len(p.parts):
			return false
		case i == len(p.parts)-1 && p.glob && strings.HasPrefix(segment, p.parts[i]):
			return true
		case p.parts[i] != "+" && p.parts[i] != segment:
			return false
		}
	}
	return len(p.parts) > len(segments)
}
