// Package placeholder makes what stands in a program's environment in the place of secrets, and finds it again in what the
// program sends.
//
// A placeholder has the shape of its secret, so that a program that looks at the shape goes on: a known prefix is kept, as are
// alphabet, length and checksum, the frame of a PEM block, the three parts of a JWT, and of a URL all but the credential. What
// is left is random and holds nothing of the value. Start with [New].
package placeholder

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Secret is a value that is to have a placeholder.
type Secret struct {
	Name  string
	Value secret.Value
	// Force gives a placeholder to a value that would be handed over as it is because it is too plain ("production", "3000").
	Force bool
	// Canary says that nobody uses the secret: it is there to be stolen.
	Canary bool
}

// Piece is a secret, or the part of one that is the credential.
type Piece struct {
	// Secret is the name of the secret.
	Secret string
	// Placeholder is printable ASCII, except for one in PEM, which has line breaks too.
	Placeholder string
	// Value is what stands for in the end: for a part of a URL, without percent-encoding.
	Value secret.Value
	// Canary is the secret's.
	Canary bool
}

// Set holds the placeholders of one run. It does not change and is safe for concurrent use.
type Set struct {
	variables map[string]string
	pieces    []Piece
	open      []string
	finder    *redact.Matcher
}

// New makes placeholders. They differ from run to run.
func New(secrets []Secret) (*Set, error) {
	s := &Set{variables: make(map[string]string, len(secrets))}
	taken := map[string]bool{}
	for _, one := range secrets {
		var text []byte
		hidden := false
		for _, part := range split(one.Value.Reveal()) {
			v := secret.New(part.value())
			if !part.secret || redact.TooPlain(v) && !one.Force || v.Len() == 0 {
				text = append(text, part.text...)
				continue
			}
			p, err := unique(v.Reveal(), taken)
			if err != nil {
				return nil, fmt.Errorf("making a placeholder for %s: %w", one.Name, err)
			}
			hidden = true
			text = append(text, p...)
			s.pieces = append(s.pieces, Piece{Secret: one.Name, Placeholder: p, Value: v, Canary: one.Canary})
		}
		if !hidden {
			s.open = append(s.open, one.Name)
		}
		s.variables[one.Name] = string(text)
	}
	return s, s.makeFinder()
}

// unique makes a placeholder that no other secret has.
func unique(value []byte, taken map[string]bool) (string, error) {
	for range attempts {
		p := token(value)
		if p == "" || taken[p] || !innocent(p, value) {
			continue
		}
		taken[p] = true
		return p, nil
	}
	for range attempts {
		p := plain(value)
		if !taken[p] && innocent(p, value) {
			taken[p] = true
			return p, nil
		}
	}
	return "", fmt.Errorf("none of %d attempts was free of its value", 2*attempts)
}

// attempts is how often a placeholder is made anew that by chance holds a part of the value.
const attempts = 64

// maxShared is the most bytes in a row that a placeholder has in common with its value, the public prefix aside.
const maxShared = 3

// innocent reports whether a placeholder tells nothing of a value but its shape.
func innocent(p string, value []byte) bool {
	public := publicLength(value)
	rest, secretPart := []byte(p), value
	if public > 0 && len(p) > public && bytes.Equal(rest[:public], value[:public]) {
		rest, secretPart = rest[public:], value[public:]
	}
	if isPEM(value) {
		rest, secretPart = pemBody(rest), pemBody(value)
	}
	for i := 0; i+maxShared < len(rest); i++ {
		if bytes.Contains(secretPart, rest[i:i+maxShared+1]) {
			return false
		}
	}
	return true
}

func (s *Set) makeFinder() (err error) {
	all := make([]redact.Secret, 0, 2*len(s.pieces))
	for i, p := range s.pieces {
		all = append(all, redact.Secret{Name: strconv.Itoa(i), Value: secret.Of(p.Placeholder), Force: true})
		if !redact.TooPlain(p.Value) {
			all = append(all, redact.Secret{Name: valueMark + strconv.Itoa(i), Value: p.Value})
		}
	}
	s.finder, err = redact.New(all)
	return err
}

// Variable is what the program's environment has in the place of a secret: a placeholder, text around one, or for one of
// [Set.Open] the value itself.
func (s *Set) Variable(name string) string { return s.variables[name] }

// Open names the secrets that are handed over as they are: too plain to be told from other text, or a URL without a credential.
func (s *Set) Open() []string { return s.open }

// Pieces lists what has placeholders.
func (s *Set) Pieces() []Piece { return s.pieces }

// Longest is the length of the longest form of a placeholder, which is more than a search in a stream holds back.
func (s *Set) Longest() int { return s.finder.Longest() }
