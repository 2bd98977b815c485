package placeholder

import (
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// Found is a placeholder in a text, or the value that it stands for.
type Found struct {
	Start, End int
	Piece      *Piece
	// Encoding is the form in which it was found. redact.Line is a part of a placeholder only.
	Encoding redact.Encoding
	// Value says that it is the value: the program has read it elsewhere. Values too plain to be told from other text are not found.
	Value bool
}

// valueMark is what the finder's names of values begin with.
const valueMark = "v"

// Find lists the placeholders and values in b, in every form that package redact knows.
func (s *Set) Find(b []byte) []Found {
	found, _ := s.Scan(b, true)
	return found
}

// Scan looks through a piece of a stream, as [redact.Matcher.Scan] does.
func (s *Set) Scan(b []byte, final bool) (found []Found, open int) {
	matches, open := s.finder.Scan(b, final)
	for _, m := range matches {
		number, value := strings.CutPrefix(m.Name, valueMark)
		i, err := strconv.Atoi(number)
		if err != nil {
			panic("a name that is no number: " + m.Name) // makeFinder gives no other
		}
		found = append(found, Found{Start: m.Start, End: m.End, Piece: &s.pieces[i], Encoding: m.Encoding, Value: value})
	}
	return found, open
}

// Has reports whether text holds a placeholder or value in any form.
func (s *Set) Has(text string) bool { return len(text) >= minRandom && len(s.Find([]byte(text))) > 0 }
