package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Session is one conversation with an assistant, or one run of a shielded program.
type Session struct {
	Asker Asker     `json:"asker"`
	Begun time.Time `json:"begun"`
	// Ended is set once the client is gone or a person has revoked the session.
	Ended   time.Time `json:"ended,omitzero"`
	Revoked bool      `json:"revoked,omitempty"`
	// Granted are the rules that the answer "conversation" made, by PROJECT/SECRET.
	Granted map[string][]Rule `json:"granted,omitempty"`
	// Used counts the uses of rules with a Max, by PROJECT/SECRET/RULE.
	Used map[string]int `json:"used,omitempty"`
}

// Running reports whether the session may use anything.
func (x Session) Running(now time.Time) bool {
	return x.Ended.IsZero() && !x.Revoked && now.Sub(x.Begun) < SessionLife
}

// Begin registers a session and returns its id, which goes into the Asker of its gate.
func (s *Store) Begin(ctx context.Context, a Asker) (string, error) {
	if a.Person == "" || a.Client == "" || a.Face == "" {
		return "", errors.New("beginning a session: it needs a person, a client and a face")
	}
	a.Session = newID(10)
	err := s.store.Update(ctx, func(tx storage.Tx) error {
		if err := s.sweep(ctx, tx); err != nil {
			return err
		}
		return save(ctx, tx, sessionPrefix+a.Session, Session{Asker: a, Begun: s.now()})
	})
	if err != nil {
		return "", fmt.Errorf("beginning a session: %w", err)
	}
	return a.Session, nil
}

// End ends a session: what was granted for it is gone, and so are its requests. One that there is not is no error.
func (s *Store) End(ctx context.Context, session string) error {
	return s.store.Update(ctx, func(tx storage.Tx) error {
		x, err := load[Session](ctx, tx, sessionPrefix+session)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
		return s.end(ctx, tx, x, false)
	})
}

func (s *Store) end(ctx context.Context, tx storage.Tx, x Session, revoked bool) error {
	if x.Ended.IsZero() {
		x.Ended = s.now()
	}
	x.Revoked, x.Granted, x.Used = x.Revoked || revoked, nil, nil
	if err := save(ctx, tx, sessionPrefix+x.Asker.Session, x); err != nil {
		return err
	}
	return deleteRequests(ctx, tx, func(r Request) bool { return r.Asker.Session == x.Asker.Session })
}

// Sessions returns the sessions that are remembered, the newest first.
func (s *Store) Sessions(ctx context.Context) ([]Session, error) {
	all, err := loadSessions(ctx, s.store)
	slices.SortFunc(all, func(a, b Session) int { return b.Begun.Compare(a.Begun) })
	return all, err
}

func loadSessions(ctx context.Context, r storage.Reader) ([]Session, error) {
	entries, err := r.Scan(ctx, sessionPrefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("reading the sessions: %w", err)
	}
	all := make([]Session, len(entries))
	for i, e := range entries {
		if all[i], err = decode[Session](e.Value); err != nil || sessionPrefix+all[i].Asker.Session != e.Key {
			return nil, fmt.Errorf("reading the sessions: %w", ErrDamaged)
		}
	}
	return all, nil
}

// Revoked reports whether a session may not go on: a person revoked it, it has ended, it is not known, or it is another
// client's. Whoever serves an assistant asks before each call.
func (s *Store) Revoked(ctx context.Context, session, client string) (bool, error) {
	x, err := s.running(ctx, s.store, session)
	if errors.Is(err, ErrNoSession) {
		return true, nil
	}
	return x.Asker.Client != client, err
}

// running reads a session, which must not have ended.
func (s *Store) running(ctx context.Context, r storage.Reader, session string) (Session, error) {
	x, err := load[Session](ctx, r, sessionPrefix+session)
	if errors.Is(err, storage.ErrNotFound) {
		return x, ErrNoSession
	}
	if err != nil {
		return x, fmt.Errorf("reading the session: %w", err)
	}
	if x.Asker.Session != session || !x.Running(s.now()) {
		return x, ErrNoSession
	}
	return x, nil
}

// sweep removes what has expired.
func (s *Store) sweep(ctx context.Context, tx storage.Tx) error {
	now := s.now()
	if err := deleteRequests(ctx, tx, func(r Request) bool { return !r.live(now) }); err != nil {
		return err
	}
	sessions, err := loadSessions(ctx, tx)
	if err != nil {
		return err
	}
	for _, x := range sessions {
		if now.Sub(x.Begun) < SessionLife || !x.Ended.IsZero() && now.Sub(x.Ended) < SessionLife {
			continue
		}
		if err := tx.Delete(ctx, sessionPrefix+x.Asker.Session); err != nil {
			return err
		}
	}
	return nil
}
