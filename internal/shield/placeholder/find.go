package placeholder

import (
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// Found is a placeholder in a text.
type Found struct {
	Start, End int
	Piece      *Piece
	// Encoding is the form in which it was found. redact.Line is a part of a placeholder only.
	Encoding redact.Encoding
}

// Find lists the placeholders in b, in every form that package redact knows.
func (s *Set) Find(b []byte) []Found {
	found, _ := s.Scan(b, true)
	return found
}

// Scan looks through a piece of a stream, as [redact.Matcher.Scan] does.
func (s *Set) Scan(b []byte, final bool) (found []Found, open int) {
	matches, open := s.finder.Scan(b, final)
	for _, m := range matches {
		i, err := strconv.Atoi(m.Name)
		if err != nil {
			panic("a name that is no number: " + m.Name) // makeFinder gives no other
		}
		found = append(found, Found{Start: m.Start, End: m.End, Piece: &s.pieces[i], Encoding: m.Encoding})
	}
	return found, open
}

// Has reports whether text holds a placeholder in any form.
func (s *Set) Has(text string) bool { return len(text) >= minRandom && len(s.Find([]byte(text))) > 0 }
