package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Answer is what a person says to a request.
type Answer string

// The answers.
const (
	Once         Answer = "once"         // this very use, one time
	Conversation Answer = "conversation" // uses like this one, as long as the session lasts
	Always       Answer = "always"       // uses like this one by this client, until revoked
	Deny         Answer = "deny"         // not this use; in this session the person is not asked again for a while
)

// Request is a use that waits for a person's answer, or has it.
type Request struct {
	ID     string `json:"id"`
	Nonce  string `json:"nonce"` // makes two requests for the same use two things
	Use    Use    `json:"use"`
	Digest string `json:"digest"`
	Asker  Asker  `json:"asker"`
	// Open are the secrets that no rule settles, and Why says it for one of them.
	Open []string `json:"open"`
	Why  string   `json:"why"`
	// Each says that a rule wants each use approved: the answers are once and deny.
	Each    bool      `json:"each,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`

	Answer   Answer    `json:"answer,omitempty"`
	By       string    `json:"by,omitempty"` // who answered
	Answered time.Time `json:"answered,omitzero"`
	Spent    bool      `json:"spent,omitempty"` // nothing more comes of the answer: it was used, or rules have taken its place
}

func (r Request) live(now time.Time) bool { return now.Before(r.Expires) }

// Answers are those that make sense for the request.
func (r Request) Answers() []Answer {
	if r.Each {
		return []Answer{Once, Deny}
	}
	for _, name := range r.Open {
		if _, err := r.Use.Like(name); err != nil {
			return []Answer{Once, Deny}
		}
	}
	return []Answer{Once, Conversation, Always, Deny}
}

// whole reports whether the request is what it was stored as.
func (r Request) whole(key string) bool {
	return requestPrefix+r.ID == key && r.Use.Digest() == r.Digest && r.Nonce != "" && r.Asker.Session != ""
}

func loadRequests(ctx context.Context, rd storage.Reader) ([]Request, error) {
	entries, err := rd.Scan(ctx, requestPrefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("reading the requests: %w", err)
	}
	all := make([]Request, len(entries))
	for i, e := range entries {
		if all[i], err = decode[Request](e.Value); err != nil || !all[i].whole(e.Key) {
			return nil, fmt.Errorf("reading the requests: %w", ErrDamaged)
		}
	}
	return all, nil
}

func deleteRequests(ctx context.Context, tx storage.Tx, which func(Request) bool) error {
	all, err := loadRequests(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !which(r) {
			continue
		}
		if err := tx.Delete(ctx, requestPrefix+r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Request returns a request by its id, which may be typed in capitals. ErrNoRequest if it is not there or has expired.
func (s *Store) Request(ctx context.Context, id string) (Request, error) {
	return s.request(ctx, s.store, strings.ToLower(strings.TrimSpace(id)))
}

func (s *Store) request(ctx context.Context, rd storage.Reader, id string) (Request, error) {
	key := requestPrefix + id
	if id == "" || strings.ContainsAny(id, "/\x00") {
		return Request{}, ErrNoRequest
	}
	r, err := load[Request](ctx, rd, key)
	switch {
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrInvalidKey):
		return Request{}, ErrNoRequest
	case err != nil:
		return Request{}, fmt.Errorf("reading request %s: %w", id, err)
	case !r.whole(key):
		return Request{}, fmt.Errorf("reading request %s: %w", id, ErrDamaged)
	case !r.live(s.now()):
		return Request{}, ErrNoRequest
	}
	return r, nil
}

// Pending returns the requests that wait for an answer, the oldest first.
func (s *Store) Pending(ctx context.Context) ([]Request, error) {
	all, err := loadRequests(ctx, s.store)
	now := s.now()
	all = slices.DeleteFunc(all, func(r Request) bool { return r.Answer != "" || !r.live(now) })
	slices.SortFunc(all, func(a, b Request) int { return a.Created.Compare(b.Created) })
	return all, err
}

// ask finds the request of a session for a use, or makes it; made says which. A request that was answered and has not been
// spent counts, and so does a refusal.
func (s *Store) ask(ctx context.Context, a Asker, u Use, d settled) (found Request, made bool, err error) {
	fresh := Request{
		ID: newID(5), Nonce: newID(16), Use: u, Digest: u.Digest(), Asker: a, Open: d.open, Why: d.Reason, Each: d.each,
	}
	err = s.store.Update(ctx, func(tx storage.Tx) error {
		found, made = Request{}, false
		if err := s.sweep(ctx, tx); err != nil {
			return err
		}
		if _, err := s.running(ctx, tx, a.Session); err != nil {
			return err
		}
		all, err := loadRequests(ctx, tx)
		if err != nil {
			return err
		}
		pending := 0
		for _, r := range all {
			switch {
			case r.Asker.Session != a.Session || r.Spent:
			case r.Digest == fresh.Digest:
				found, err = renew(ctx, tx, r, fresh)
				return err
			case r.Answer == "":
				pending++
			}
		}
		if pending >= MaxPending || len(all) >= MaxRequests {
			return ErrTooMany
		}
		fresh.Created = s.now()
		fresh.Expires = fresh.Created.Add(RequestLife)
		found, made = fresh, true
		return save(ctx, tx, requestPrefix+fresh.ID, fresh)
	})
	return found, made, err
}

// renew gives a request that waits what is to be asked now, if the rules have changed since. It has a new nonce then: an answer
// to what was shown before is none.
func renew(ctx context.Context, tx storage.Tx, r, fresh Request) (Request, error) {
	if r.Answer != "" || r.Each == fresh.Each && r.Why == fresh.Why && slices.Equal(r.Open, fresh.Open) {
		return r, nil
	}
	r.Each, r.Why, r.Open, r.Nonce = fresh.Each, fresh.Why, fresh.Open, fresh.Nonce
	return r, save(ctx, tx, requestPrefix+r.ID, r)
}

// withdraw removes a request that nobody could be told of.
func (s *Store) withdraw(ctx context.Context, id string) error {
	return s.store.Update(ctx, func(tx storage.Tx) error { return tx.Delete(ctx, requestPrefix+id) })
}

// spend uses an approval up. Of several that try, one gets nil and the others ErrSpent.
func (s *Store) spend(ctx context.Context, id, session, digest string) error {
	return s.store.Update(ctx, func(tx storage.Tx) error {
		if _, err := s.running(ctx, tx, session); err != nil {
			return err
		}
		r, err := s.request(ctx, tx, id)
		if errors.Is(err, ErrNoRequest) {
			return ErrSpent
		}
		if err != nil {
			return err
		}
		if r.Spent || r.Answer == "" || r.Answer == Deny || r.Asker.Session != session || r.Digest != digest {
			return ErrSpent
		}
		r.Spent = true
		return save(ctx, tx, requestPrefix+id, r)
	})
}
