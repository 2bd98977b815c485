package policy

import (
	"cmp"
	"errors"
	"strings"
)

// A pattern is what a rule's path matches. There are three kinds: an exact path; a prefix, which ends in "*"; and one with
// segments, in which a whole segment may be "+", and which may end in "*" too.
type pattern struct {
	kind  kind
	body  string   // the path without the "*"
	glob  bool     // it ended in "*"
	head  string   // what is before the first "+" or the "*"
	parts []string // the segments of body; only for segmented
	plus  int      // how many of them are "+"
}

type kind uint8

const (
	exact kind = iota
	prefix
	segmented
)

var errPlusStar = errors.New(`"+*" is not allowed: "+" is a whole segment; end with "+/*", or with "*" alone`)

// parsePattern reads a path without its leading slash.
func parsePattern(path string) (pattern, error) {
	if strings.Contains(path, "+*") {
		return pattern{}, errPlusStar
	}
	p := pattern{body: path}
	if path == "+" || strings.HasPrefix(path, "+/") || strings.Contains(path, "/+") {
		p.kind = segmented
		p.head = path[:strings.IndexByte(path, '+')]
		p.body, p.glob = strings.CutSuffix(path, "*")
		p.parts = strings.Split(p.body, "/")
		for _, part := range p.parts {
			if part == "+" {
				p.plus++
			}
		}
		return p, nil
	}
	if body, ok := strings.CutSuffix(path, "*"); ok {
		p.kind, p.glob, p.body, p.head = prefix, true, body, body
	}
	return p, nil
}

// sameWildcards reports whether two patterns have the same wildcards, whatever else they hold.
func (p pattern) sameWildcards(q pattern) bool {
	return p.kind == q.kind && p.glob == q.glob && p.plus == q.plus && strings.Count(p.body, "*") == strings.Count(q.body, "*")
}

// An identity tells patterns apart. The grants of rules with the same one are joined.
type identity struct {
	kind kind
	glob bool
	body string
}

func (p *pattern) identity() identity { return identity{p.kind, p.glob, p.body} }

// matches reports whether the path, without leading slashes, is one that the pattern stands for. It does not allocate.
func (p *pattern) matches(path string) bool {
	switch p.kind {
	case exact:
		return path == p.body
	case prefix:
		return strings.HasPrefix(path, p.body)
	}
	return p.matchesSegments(path)
}

// matchesSegments compares segment by segment. "+" stands for an empty segment too, as "a/+" for "a/".
func (p *pattern) matchesSegments(path string) bool {
	rest := path
	for i, part := range p.parts {
		segment, tail, more := strings.Cut(rest, "/")
		last := i == len(p.parts)-1
		switch {
		case last && p.glob && strings.HasPrefix(segment, part):
			return true
		case part != "+" && part != segment:
			return false
		case last:
			return p.glob || !more
		case !more:
			return false
		}
		rest = tail
	}
	return false
}

// compare orders patterns that match the same path: positive if p goes before q. The order is the one that Vault documents
// under "policy syntax": an exact path; then the later first wildcard, no "*" at the end, fewer "+", the longer, the
// lexicographically greater.
func (p *pattern) compare(q *pattern) int {
	if p.kind == exact || q.kind == exact {
		return cmp.Compare(q.rank(), p.rank())
	}
	return cmp.Or(
		cmp.Compare(len(p.head), len(q.head)),
		-compareBool(p.glob, q.glob),
		-cmp.Compare(p.plus, q.plus),
		cmp.Compare(len(p.body), len(q.body)),
		cmp.Compare(p.body, q.body),
	)
}

func (p *pattern) rank() int { return min(int(p.kind), 1) }

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
