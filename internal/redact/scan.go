package redact

import "github.com/ArcadeLabsInc/zvault/internal/secret"

// TooPlain reports whether New leaves a value alone, because masking it would do more harm than good.
func TooPlain(v secret.Value) bool { return tooPlain(v.Reveal()) }

// Scan looks through a piece of a stream. It lists the forms that start in b before open, in the order of their starts, where
// some may end behind open and some may overlap. At open, and not before, a form may start that the end of b cuts off; open is
// len(b) if there is none such. What b holds from open on has to be at the beginning of the next piece. With final nothing
// follows, and open is len(b).
func (m *Matcher) Scan(b []byte, final bool) (finds []Match, open int) {
	if m.index == nil {
		return nil, len(b)
	}
	for at := 0; ; {
		f, next := m.index.next(b, at, final)
		if at = next; f.end > 0 {
			finds = append(finds, Match{Start: f.start, End: f.end, Name: m.names[f.name], Encoding: f.encoding})
			continue
		}
		if final {
			return finds, len(b)
		}
		for at < len(b) && !m.index.mayGrow(b[at:]) {
			at++
		}
		return finds, at
	}
}
