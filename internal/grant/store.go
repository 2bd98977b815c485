package grant

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

var (
	// ErrNoRequest is returned for a request that there is not, or no longer.
	ErrNoRequest = errors.New("there is no such request; it may have expired")
	// ErrAnswered is returned for a request that has its answer.
	ErrAnswered = errors.New("the request was answered already")
	// ErrSpent is returned for an approval that has been used, or is for another use or another session.
	ErrSpent = errors.New("there is no approval to use")
	// ErrTooMany is returned when so many requests wait for an answer that one more would be noise.
	ErrTooMany = errors.New("too many requests wait for an answer")
	// ErrNoSession is returned for a session that was not begun, has ended or was revoked.
	ErrNoSession = errors.New("the session has ended or was revoked")
	// ErrNoRule is returned for a rule that there is not.
	ErrNoRule = errors.New("there is no such rule")
	// ErrDamaged is returned for an entry that is not what this package wrote, or was written by a newer version.
	ErrDamaged = errors.New("an entry about grants is damaged or of a newer version")
)

// Limits of a Store.
const (
	MaxPending  = 8   // requests without an answer, of one session
	MaxRequests = 128 // requests of all sessions, answered ones that have not expired too
	MaxRules    = 200 // of one secret

	// RequestLife is how long a request can be answered, SpendLife how long the answer "once" can be used, and
	// ConversationLife how long the answer "conversation" holds at most.
	RequestLife      = 10 * time.Minute
	SpendLife        = 5 * time.Minute
	ConversationLife = 12 * time.Hour
	// SessionLife is how long a session lasts that nobody ends, and how long one that has ended is remembered.
	SessionLife = 7 * 24 * time.Hour
)

// Store keeps rules, requests and sessions. On a barrier its entries are sealed and bound to their names, so that whoever can
// write the file beneath can damage a grant but not make one. It is safe for concurrent use, by several processes too.
//
//	grants/rule/PROJECT/SECRET   the rules of a secret
//	grants/request/ID            a request and its answer
//	grants/session/ID            a session, with what was granted for it
type Store struct {
	store storage.Backend
	clock func() time.Time
}

// NewStore returns the Store on a backend. clock nil is time.Now.
func NewStore(b storage.Backend, clock func() time.Time) *Store {
	if clock == nil {
		clock = time.Now
	}
	return &Store{b, clock}
}

func (s *Store) now() time.Time { return s.clock().UTC() }

const (
	rulePrefix    = "grants/rule/"
	requestPrefix = "grants/request/"
	sessionPrefix = "grants/session/"
)

func ruleKey(project, secret string) string {
	return rulePrefix + url.PathEscape(project) + "/" + url.PathEscape(secret)
}

// load reads an entry strictly: a member that this version does not know could be a limit.
func load[T any](ctx context.Context, r storage.Reader, key string) (v T, err error) {
	raw, err := r.Get(ctx, key)
	if err != nil {
		return v, err
	}
	return decode[T](raw)
}

func decode[T any](raw []byte) (v T, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || d.More() {
		return v, ErrDamaged
	}
	return v, nil
}

func save(ctx context.Context, tx storage.Tx, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing a grant: %w", err)
	}
	return tx.Put(ctx, key, raw)
}

// newID returns n random bytes as letters and digits that are easily told apart and typed.
func newID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return strings.ToLower(base32.NewEncoding("ABCDEFGHJKMNPQRSTVWXYZ0123456789").WithPadding(base32.NoPadding).EncodeToString(b))
}
