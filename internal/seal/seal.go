// Package seal keeps the root key of a vault: each way of keeping it is a [Provider] in a folder of its own.
//
// What is stored beside the vault is a [Record]: which provider, what it needs to know, and the root key wrapped by it.
// [Open] gives the root key back. Changing the seal is [Prepare] with the new provider, one transaction that stores the
// new record together with the barrier's keyring (barrier.Rekey), and last [Forget] for the old one, so that at every
// moment either the old or the new seal opens the vault.
package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

var (
	// ErrNoSeal is returned by Load for a store without a record.
	ErrNoSeal = errors.New("there is no seal")
	// ErrUnavailable is returned by a provider that cannot work on this machine, or cannot be reached.
	ErrUnavailable = errors.New("this way of unsealing is not available here")
	// ErrNeedsInput is returned where a person has to give a passphrase or shares, and nobody was asked.
	ErrNeedsInput = errors.New("unsealing needs a passphrase or key shares")
	// ErrWrongKey is returned when what was given does not open the vault.
	ErrWrongKey = errors.New("this does not open the vault")
	// ErrDamaged is returned for a record or key file that is not whole.
	ErrDamaged = errors.New("damaged")
	// ErrNewer is returned for a record that a later version wrote.
	ErrNewer = errors.New("the seal was written by a newer version of zvault")
	// ErrNotForgotten is returned by Prepare, with why it failed, when a provider still keeps what is of no use then.
	ErrNotForgotten = errors.New("a key that nothing needs could not be removed")
	// ErrUnknown is returned for a record of a provider that this build does not have.
	ErrUnknown = errors.New("unknown kind of seal")
)

// Blob is what a provider makes of a root key: what it must know to open it again (Config, not secret), and the wrapped key.
type Blob struct {
	Config  json.RawMessage `json:"config,omitempty"`
	Wrapped []byte          `json:"wrapped"`
}

// Provider keeps a root key. A cloud KMS is one more of them.
type Provider interface {
	// Type names the provider in records.
	Type() string
	// Wrap seals root, bound to aad.
	Wrap(ctx context.Context, root *crypt.Key, aad []byte) (Blob, error)
	// Unwrap opens what Wrap sealed: ErrWrongKey, ErrUnavailable, ErrNeedsInput or ErrDamaged if it cannot.
	Unwrap(ctx context.Context, b Blob, aad []byte) (*crypt.Key, error)
}

// Forgetter is a Provider that keeps something outside of the record.
type Forgetter interface {
	Provider
	// Plan settles what the next Wrap will keep, and keeps nothing yet: the Wrap of the provider it returns keeps what b names,
	// or nothing if it fails, unless it was given up because ctx ended. b has no wrapped key. Whoever stores b first can find what
	// a killed process has left.
	Plan() (planned Provider, b Blob, err error)
	// Forget removes what b names. If it is not there, that is no error.
	Forget(ctx context.Context, b Blob) error
	// Describe says what b names, for people; it is no secret.
	Describe(b Blob) (string, error)
}

// Set is the providers a program has, by type.
type Set map[string]Provider

// SetOf makes a Set.
func SetOf(providers ...Provider) Set {
	s := Set{}
	for _, p := range providers {
		s[p.Type()] = p
	}
	return s
}

// Prepare has a provider wrap the root key and proves that it can open that again. Nothing is in force until the record is
// stored. If it fails, the provider keeps nothing, unless it cannot be reached or ctx has ended.
func Prepare(ctx context.Context, p Provider, root *crypt.Key, generation int, now time.Time) (*Record, error) {
	r := &Record{Format: recordFormat, Type: p.Type(), Generation: generation, Created: now.UTC().Truncate(time.Second)}
	blob, err := p.Wrap(ctx, root, r.aad())
	if err != nil {
		return nil, fmt.Errorf("sealing with %s: %w", p.Type(), err)
	}
	r.Blob = blob
	if err := prove(ctx, p, r, root); err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetWait)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("trying the new seal: %w", err), forget(last, r, p))
	}
	return r, nil
}

// forget is Forget with an error that says what it means.
func forget(ctx context.Context, r *Record, p Provider) error {
	if err := Forget(ctx, r, SetOf(p)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotForgotten, err)
	}
	return nil
}

// forgetWait is how long Prepare gives a provider to remove what is of no use, also when ctx has ended.
const forgetWait = 10 * time.Second

// prove opens a record and compares.
func prove(ctx context.Context, p Provider, r *Record, root *crypt.Key) error {
	proof, err := p.Unwrap(ctx, r.Blob, r.aad())
	if err != nil {
		return err
	}
	defer proof.Destroy()
	if !same(root, proof) {
		return ErrWrongKey
	}
	return nil
}

// same compares two keys by what they make of a purpose.
func same(a, b *crypt.Key) bool {
	return a.MAC("seal: compare", nil) == b.MAC("seal: compare", nil)
}

// Open gives the root key that a record holds.
func Open(ctx context.Context, r *Record, providers Set) (*crypt.Key, error) {
	p, ok := providers[r.Type]
	if !ok {
		return nil, fmt.Errorf("a seal of kind %q: %w", r.Type, ErrUnknown)
	}
	return p.Unwrap(ctx, r.Blob, r.aad())
}

// Forget removes what the provider of a record keeps outside of it.
func Forget(ctx context.Context, r *Record, providers Set) error {
	f, ok := providers[r.Type].(Forgetter)
	if !ok {
		return nil
	}
	return f.Forget(ctx, r.Blob)
}

// WrapWith seals root with a key-encryption key; for providers.
func WrapWith(kek, root *crypt.Key, aad []byte) ([]byte, error) { return kek.Wrap(root, aad) }

// UnwrapWith opens what WrapWith sealed; a key that does not fit is ErrWrongKey.
func UnwrapWith(kek *crypt.Key, wrapped, aad []byte) (*crypt.Key, error) {
	root, err := kek.Unwrap(wrapped, aad)
	switch {
	case errors.Is(err, crypt.ErrOpen):
		return nil, ErrWrongKey
	case err != nil:
		return nil, fmt.Errorf("reading the wrapped key: %w", ErrDamaged)
	}
	return root, nil
}
