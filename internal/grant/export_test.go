package grant

import (
	"context"
	"time"
)

// What the tests look at from outside.
var (
	SplitWords = splitWords
	JoinWords  = joinWords
	CleanPath  = cleanPath
)

// NewRequestFor is a request that no store has seen.
func NewRequestFor(u Use, a Asker, now time.Time) Request {
	return Request{ID: "k7qf2m9x", Nonce: "n", Use: u, Digest: u.Digest(), Asker: a, Open: u.names(), Created: now, Expires: now.Add(RequestLife)}
}

// Spend is what a gate does with an approval that it has found.
func (s *Store) Spend(ctx context.Context, id, session, digest string) error {
	return s.spend(ctx, id, session, digest)
}
