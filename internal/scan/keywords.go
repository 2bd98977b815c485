package scan

import (
	"slices"
	"strings"
)

// keywords tells in one pass over a text which rules are worth trying: those of which a keyword occurs, in whatever case. For
// each pair of bytes it knows the keywords that begin with them.
type keywords struct {
	pairs  [1 << 16]uint16 // index of lists; 0 for none
	lists  [][]keyword
	always []int // rules without keywords
}

type keyword struct {
	rest string // behind the pair
	rule int
}

func newKeywords() *keywords { return &keywords{lists: make([][]keyword, 1)} }

// add makes known the keywords of a rule.
func (k *keywords) add(rule int, words []string) {
	for _, w := range words {
		if len(w) < 2 { // too short to say anything
			words = nil
		}
	}
	if len(words) == 0 {
		k.always = append(k.always, rule)
	}
	for _, w := range words {
		w = strings.ToLower(w)
		pair := uint16(w[0])<<8 | uint16(w[1])
		if k.pairs[pair] == 0 {
			k.pairs[pair] = uint16(len(k.lists)) //nolint:gosec // at most as many as there are pairs
			k.lists = append(k.lists, nil)
		}
		list := &k.lists[k.pairs[pair]]
		if !slices.Contains(*list, keyword{w[2:], rule}) {
			*list = append(*list, keyword{w[2:], rule})
		}
	}
}

// in reports, for each of so many rules, whether it is to be tried on content.
func (k *keywords) in(content []byte, rules int) []bool {
	found := make([]bool, rules)
	for _, r := range k.always {
		found[r] = true
	}
	var pair uint16
	for i, c := range content {
		pair = pair<<8 | uint16(lower(c))
		if n := k.pairs[pair]; n > 0 {
			for _, w := range k.lists[n] {
				if !found[w.rule] {
					found[w.rule] = beginsWith(content[i+1:], w.rest)
				}
			}
		}
	}
	return found
}

// beginsWith reports whether text in lower case begins with word.
func beginsWith(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
