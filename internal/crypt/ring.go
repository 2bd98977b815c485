package crypt

import (
	"fmt"
	"slices"
	"sync"
)

// Ring holds the generations of the key of one scope: it seals with the active one and opens with the one that the
// envelope names. It owns its keys. It is safe for concurrent use.
type Ring struct {
	mu     sync.RWMutex
	keys   map[KeyID]*Key
	active KeyID
}

// NewRing returns an empty ring.
func NewRing() *Ring { return &Ring{keys: map[KeyID]*Key{}} }

// Add adds a key, which the ring owns from then on. A generation that is there already is an error.
func (r *Ring) Add(k *Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.keys[k.id]; ok {
		return fmt.Errorf("adding key %d: it is in the ring already", k.id)
	}
	r.keys[k.id] = k
	return nil
}

// Has reports whether the ring holds a generation.
func (r *Ring) Has(id KeyID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.keys[id]
	return ok
}

// IDs lists the generations, oldest first.
func (r *Ring) IDs() []KeyID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make([]KeyID, 0, len(r.keys))
	for id := range r.keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// SetActive chooses the generation that seals from now on.
func (r *Ring) SetActive(id KeyID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.keys[id]; !ok {
		return fmt.Errorf("activating key %d: %w", id, ErrUnknownKey)
	}
	r.active = id
	return nil
}

// ActiveID returns the generation that seals, 0 if none was chosen.
func (r *Ring) ActiveID() KeyID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.active
}

// Active returns the key that seals, or ErrUnknownKey if none was chosen. It stays the ring's.
func (r *Ring) Active() (*Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.key(r.active)
}

// Key returns one generation, or ErrUnknownKey. It stays the ring's.
func (r *Ring) Key(id KeyID) (*Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.key(id)
}

func (r *Ring) key(id KeyID) (*Key, error) {
	k, ok := r.keys[id]
	if !ok {
		return nil, fmt.Errorf("key %d: %w", id, ErrUnknownKey)
	}
	return k, nil
}

func (r *Ring) keyOf(envelope []byte) (*Key, error) {
	id, err := EnvelopeKeyID(envelope)
	if err != nil {
		return nil, err
	}
	return r.Key(id)
}

// Seal is Key.Seal with the active key.
func (r *Ring) Seal(plaintext, aad []byte) ([]byte, error) {
	k, err := r.Active()
	if err != nil {
		return nil, err
	}
	return k.Seal(plaintext, aad)
}

// Open is Key.Open with the key that the envelope names.
func (r *Ring) Open(envelope, aad []byte) ([]byte, error) {
	k, err := r.keyOf(envelope)
	if err != nil {
		return nil, err
	}
	return k.Open(envelope, aad)
}

// Wrap is Key.Wrap with the active key.
func (r *Ring) Wrap(inner *Key, aad []byte) ([]byte, error) {
	k, err := r.Active()
	if err != nil {
		return nil, err
	}
	return k.Wrap(inner, aad)
}

// Unwrap is Key.Unwrap with the key that the envelope names.
func (r *Ring) Unwrap(envelope, aad []byte) (*Key, error) {
	k, err := r.keyOf(envelope)
	if err != nil {
		return nil, err
	}
	return k.Unwrap(envelope, aad)
}

// Remove destroys one generation. The active one stays, and one that is not there is no error.
func (r *Ring) Remove(id KeyID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.keys[id]; ok && id != r.active {
		k.Destroy()
		delete(r.keys, id)
	}
}

// Destroy wipes all keys and empties the ring.
func (r *Ring) Destroy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, k := range r.keys {
		k.Destroy()
		delete(r.keys, id)
	}
	r.active = 0
}
