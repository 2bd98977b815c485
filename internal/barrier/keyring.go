package barrier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// The keyring is stored under keyringKey as an envelope of the root key around this JSON; each key in it is wrapped by
// the root key once more, so that no key material passes through the JSON:
//
//	{"format":1, "active":2, "names":"…", "derive":"…",
//	 "keys":[{"id":1,"wrapped":"…","created":"…"},{"id":2,…}]}
const (
	keyringKey    = "core/keyring"
	keyringFormat = 1
)

type keyringRecord struct {
	Format int          `json:"format"`
	Active crypt.KeyID  `json:"active"`
	Names  []byte       `json:"names"`
	Derive []byte       `json:"derive"`
	Keys   []wrappedKey `json:"keys"`
}

type wrappedKey struct {
	ID      crypt.KeyID `json:"id"`
	Wrapped []byte      `json:"wrapped"`
	Created time.Time   `json:"created"`
}

// keyring is the record opened. names and derive never change, so that names and derived keys survive rotation.
type keyring struct {
	values  *crypt.Ring
	created map[crypt.KeyID]time.Time
	names   *nameSealer
	derive  *crypt.Key
	nameKey *crypt.Key
}

func newKeyring(now time.Time) (*keyring, error) {
	names, err := crypt.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	derive, err := crypt.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	k := &keyring{values: crypt.NewRing(), created: map[crypt.KeyID]time.Time{}, derive: derive}
	if err := k.setNames(names); err != nil {
		return nil, err
	}
	return k, k.add(1, now)
}

func (k *keyring) setNames(key *crypt.Key) (err error) {
	k.nameKey = key
	k.names, err = newNameSealer(key)
	return err
}

// add makes a new generation and activates it.
func (k *keyring) add(id crypt.KeyID, now time.Time) error {
	key, err := crypt.GenerateKey(id)
	if err != nil {
		return err
	}
	if err := k.values.Add(key); err != nil {
		return err
	}
	k.created[id] = now.UTC().Truncate(time.Second)
	return k.values.SetActive(id)
}

func (k *keyring) destroy() {
	k.values.Destroy()
	k.nameKey.Destroy()
	k.derive.Destroy()
}

func keyringAAD() []byte { return crypt.AAD("barrier", "keyring") }

func memberAAD(name string) []byte { return crypt.AAD("barrier", "keyring", name) }

// put stores the keyring under a root key.
func (k *keyring) put(ctx context.Context, tx storage.Tx, root *crypt.Key) (err error) {
	r := keyringRecord{Format: keyringFormat, Active: k.values.ActiveID()}
	if r.Names, err = root.Wrap(k.nameKey, memberAAD("names")); err != nil {
		return err
	}
	if r.Derive, err = root.Wrap(k.derive, memberAAD("derive")); err != nil {
		return err
	}
	for _, id := range k.values.IDs() {
		key, err := k.values.Key(id)
		if err != nil {
			return err
		}
		wrapped, err := root.Wrap(key, memberAAD("value"))
		if err != nil {
			return err
		}
		r.Keys = append(r.Keys, wrappedKey{ID: id, Wrapped: wrapped, Created: k.created[id]})
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	sealed, err := root.Seal(body, keyringAAD())
	if err != nil {
		return err
	}
	return tx.Put(ctx, keyringKey, sealed)
}

func loadKeyring(ctx context.Context, store storage.Reader, root *crypt.Key) (*keyring, error) {
	sealed, err := store.Get(ctx, keyringKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNotInitialized
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keyring: %w", err)
	}
	body, err := root.Open(sealed, keyringAAD())
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrWrongKey, err)
	}
	var r keyringRecord
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("reading the keyring: %w", err)
	}
	if r.Format != keyringFormat {
		return nil, fmt.Errorf("keyring of format %d: %w", r.Format, ErrNewer)
	}
	return r.open(root)
}

func (r keyringRecord) open(root *crypt.Key) (*keyring, error) {
	k := &keyring{values: crypt.NewRing(), created: map[crypt.KeyID]time.Time{}}
	names, err := root.Unwrap(r.Names, memberAAD("names"))
	if err != nil {
		return nil, fmt.Errorf("opening the keyring: %w", err)
	}
	if err := k.setNames(names); err != nil {
		return nil, err
	}
	if k.derive, err = root.Unwrap(r.Derive, memberAAD("derive")); err != nil {
		return nil, fmt.Errorf("opening the keyring: %w", err)
	}
	for _, w := range r.Keys {
		key, err := root.Unwrap(w.Wrapped, memberAAD("value"))
		if err != nil {
			return nil, fmt.Errorf("opening key %d of the keyring: %w", w.ID, err)
		}
		if err := k.values.Add(key); err != nil {
			return nil, err
		}
		k.created[w.ID] = w.Created
	}
	return k, k.values.SetActive(r.Active)
}
