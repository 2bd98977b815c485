package idtoken

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Key is a ring of key pairs. It changes by itself: what is announced signs next, and what has signed can be checked for a while.
type Key struct {
	Algorithm    string        `json:"algorithm"`
	Rotation     time.Duration `json:"rotation"`
	TTL          time.Duration `json:"ttl"` // how long a pair that has signed is shown
	Allowed      []string      `json:"allowed"`
	NextRotation time.Time     `json:"next_rotation"`
	Ring         []Pair        `json:"ring"`
	Signing      string        `json:"signing"` // the id of the pair that signs
	Next         string        `json:"next"`    // and of the one that will
}

// Pair is a key pair.
type Pair struct {
	ID        string    `json:"id"`
	Algorithm string    `json:"algorithm"`
	Private   []byte    `json:"private,omitempty"` // PKCS #8; gone when it signs no more
	Public    []byte    `json:"public"`            // PKIX
	Expires   time.Time `json:"expires,omitzero"`
}

const (
	defaultKey  = "default"
	defaultTime = 24 * time.Hour
)

func keyRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "rotation_period", Type: logical.Seconds, Help: "How long a pair signs."},
		{Name: "verification_ttl", Type: logical.Seconds, Help: "How long its public key is shown after that."},
		{Name: "algorithm", Type: logical.String, Help: "RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA."},
		{Name: "allowed_client_ids", Type: logical.CommaList, Help: "The client ids of the roles that may use it; * is all."},
	}
	return []*logical.Route{
		{Pattern: "oidc/key", Synopsis: "Lists the keys.", Ops: ops{logical.List: list(keyFolder)}},
		{Pattern: "oidc/key/:name", Fields: fields, Synopsis: "Reads, writes or deletes a key.", Ops: ops{
			logical.Read: readKey, logical.Update: writeKey, logical.Delete: deleteKey,
		}},
		{Pattern: "oidc/key/:name/rotate", Fields: fields[1:2], Synopsis: "Lets the next pair sign.", Ops: ops{logical.Update: rotateKey}},
	}
}

func list(folder string) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		keys, err := r.Storage.List(ctx, folder, r.Data.String("after"), r.Data.Int("limit"))
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, logical.ErrNotFound
		}
		return &logical.Response{Keys: keys}, nil
	}
}

// newKey is a key as it is without a word.
func newKey() *Key { return &Key{Algorithm: "RS256", Rotation: defaultTime, TTL: defaultTime} }

// set takes over what was given.
func (k *Key) set(d logical.Data) error {
	if d.Has("rotation_period") {
		k.Rotation = d.Duration("rotation_period")
	}
	if d.Has("verification_ttl") {
		k.TTL = d.Duration("verification_ttl")
	}
	if d.Has("allowed_client_ids") {
		k.Allowed = d.Strings("allowed_client_ids")
	}
	if d.Has("algorithm") {
		k.Algorithm = d.String("algorithm")
	}
	switch {
	case k.Rotation < time.Minute:
		return logical.Invalid("rotation_period must be at least one minute")
	case k.TTL < 0:
		return logical.Invalid("verification_ttl cannot be negative")
	case k.TTL > 10*k.Rotation:
		return logical.Invalid("verification_ttl cannot be longer than 10x rotation_period")
	case !slices.Contains(algorithms(), k.Algorithm):
		return logical.Invalid("unknown signing algorithm %q", k.Algorithm)
	}
	return nil
}

// pair returns a pair of the ring, nil if there is none.
func (k *Key) pair(id string) *Pair {
	i := slices.IndexFunc(k.Ring, func(p Pair) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &k.Ring[i]
}

// renew replaces the pairs that sign and will sign: of a new key, or for another algorithm.
func (k *Key) renew(made [2]Pair, now time.Time) {
	k.retire(k.Signing, k.TTL, now)
	k.retire(k.Next, 0, now)
	k.Ring = append(k.Ring, made[0], made[1])
	k.Signing, k.Next = made[0].ID, made[1].ID
}

// rotate lets the next pair sign. The one that has signed is shown for ttl.
func (k *Key) rotate(made Pair, ttl time.Duration, now time.Time) {
	k.retire(k.Signing, ttl, now)
	k.Ring = append(k.Ring, made)
	k.Signing, k.Next, k.NextRotation = k.Next, made.ID, now.Add(k.Rotation)
	k.sweep(now)
}

func (k *Key) retire(id string, ttl time.Duration, now time.Time) {
	if p := k.pair(id); p != nil {
		p.Private, p.Expires = nil, now.Add(ttl)
	}
}

// sweep forgets pairs that are not shown any more, and reports whether there were any.
func (k *Key) sweep(now time.Time) bool {
	before := len(k.Ring)
	k.Ring = slices.DeleteFunc(k.Ring, func(p Pair) bool { return p.expired(now) })
	return len(k.Ring) != before
}

func (p *Pair) expired(now time.Time) bool { return !p.Expires.IsZero() && !now.Before(p.Expires) }

// makePairs makes two pairs, outside of any transaction: RSA takes its time.
func makePairs(algorithm string) (two [2]Pair, err error) {
	for i := range two {
		if two[i], err = makePair(algorithm); err != nil {
			return two, err
		}
	}
	return two, nil
}

func makePair(algorithm string) (Pair, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return Pair{}, err
	}
	private, public, err := generate(algorithm)
	if err != nil {
		return Pair{}, fmt.Errorf("making a signing key: %w", err)
	}
	return Pair{ID: id.String(), Algorithm: algorithm, Private: private, Public: public}, nil
}

// loadKey returns a key, shared, nil if there is none. The default key is made when it is first asked for.
func loadKey(ctx context.Context, r *logical.Request, name string) (*Key, error) {
	k, err := logical.Load[Key](ctx, r.Storage, keyFolder+name)
	if err != nil || k != nil || name != defaultKey {
		return k, err
	}
	err = storeKey(ctx, r, name, func(was *Key) (*Key, bool) {
		k := newKey()
		k.Allowed = []string{"*"}
		return k, was == nil
	})
	if err != nil {
		return nil, err
	}
	return logical.Load[Key](ctx, r.Storage, keyFolder+name)
}

// storeKey replaces a key in a transaction, with new pairs if its algorithm changes. change gets nil for a key that is not there.
func storeKey(ctx context.Context, r *logical.Request, name string, change func(*Key) (*Key, bool)) error {
	known, err := logical.Get[Key](ctx, r.Storage, keyFolder+name)
	if err != nil {
		return err
	}
	wanted, ok := change(known)
	if !ok {
		return nil
	}
	made, err := makePairs(wanted.Algorithm)
	if err != nil {
		return err
	}
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		was, err := logical.Get[Key](ctx, tx, keyFolder+name)
		if err != nil {
			return err
		}
		algorithm := ""
		if was != nil {
			algorithm = was.Algorithm
		}
		k, ok := change(was)
		if !ok {
			return nil
		}
		if next := r.Time.Add(k.Rotation); k.NextRotation.IsZero() || next.Before(k.NextRotation) {
			k.NextRotation = next
		}
		if k.Algorithm != algorithm {
			k.renew(made, r.Time)
		}
		return logical.Put(ctx, tx, keyFolder+name, k)
	})
}

func readKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := loadKey(ctx, r, r.Params.Get("name"))
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, logical.ErrNotFound
	}
	return &logical.Response{Data: map[string]any{
		"rotation_period": int64(k.Rotation / time.Second), "verification_ttl": int64(k.TTL / time.Second), "algorithm": k.Algorithm,
		"allowed_client_ids": slices.Concat([]string{}, k.Allowed),
	}}, nil
}

func writeKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	roles, err := rolesOf(ctx, r.Storage, name)
	if err != nil {
		return nil, err
	}
	var refused error
	err = storeKey(ctx, r, name, func(k *Key) (*Key, bool) {
		if k == nil {
			k = newKey()
		}
		refused = k.set(r.Data)
		for _, role := range roles {
			if refused == nil && role.TTL > k.TTL {
				refused = logical.Invalid("unable to update key %q because it is currently referenced by one or more roles with a token ttl greater than %d seconds",
					name, k.TTL/time.Second)
			}
		}
		return k, refused == nil
	})
	if err != nil {
		return nil, err
	}
	return nil, refused
}

func deleteKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	if name == defaultKey {
		return nil, logical.Invalid("deletion of key %q not allowed", name)
	}
	roles, err := rolesOf(ctx, r.Storage, name)
	if err != nil {
		return nil, err
	}
	if len(roles) > 0 {
		names := make([]string, len(roles))
		for i, role := range roles {
			names[i] = role.name
		}
		return nil, logical.Invalid("unable to delete key %q because it is currently referenced by these roles: %s", name, strings.Join(names, ", "))
	}
	return nil, logical.Remove(ctx, r.Storage, keyFolder+name)
}

func rotateKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	found, err := turn(ctx, r, name, func(*Key) bool { return true }, func(k *Key) time.Duration {
		if r.Data.Has("verification_ttl") {
			return max(r.Data.Duration("verification_ttl"), 0)
		}
		return k.TTL
	})
	if err == nil && !found {
		err = logical.Invalid("no named key found at %q", name)
	}
	return nil, err
}

// turn rotates a key if it is due, in a transaction.
func turn(ctx context.Context, r *logical.Request, name string, due func(*Key) bool, ttl func(*Key) time.Duration) (found bool, err error) {
	k, err := logical.Load[Key](ctx, r.Storage, keyFolder+name)
	if err != nil || k == nil {
		return false, err
	}
	made, err := makePair(k.Algorithm)
	if err != nil {
		return true, err
	}
	return true, r.Storage.Update(ctx, func(tx storage.Tx) error {
		k, err := logical.Get[Key](ctx, tx, keyFolder+name)
		if err != nil || k == nil || !due(k) || k.Algorithm != made.Algorithm {
			return err
		}
		k.rotate(made, ttl(k), r.Time)
		return logical.Put(ctx, tx, keyFolder+name, k)
	})
}

// Periodic rotates the keys that are due and forgets pairs that are not shown any more.
func Periodic(ctx context.Context, r *logical.Request) error {
	names, err := r.Storage.List(ctx, keyFolder, "", 0)
	if err != nil {
		return err
	}
	for _, name := range names {
		k, err := logical.Load[Key](ctx, r.Storage, keyFolder+name)
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		if due := func(k *Key) bool { return !r.Time.Before(k.NextRotation) }; due(k) {
			if _, err := turn(ctx, r, name, due, func(k *Key) time.Duration { return k.TTL }); err != nil {
				return err
			}
		} else if slices.ContainsFunc(k.Ring, func(p Pair) bool { return p.expired(r.Time) }) {
			if err := sweep(ctx, r, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func sweep(ctx context.Context, r *logical.Request, name string) error {
	return r.Storage.Update(ctx, func(tx storage.Tx) error {
		k, err := logical.Get[Key](ctx, tx, keyFolder+name)
		if err != nil || k == nil || !k.sweep(r.Time) {
			return err
		}
		return logical.Put(ctx, tx, keyFolder+name, k)
	})
}
