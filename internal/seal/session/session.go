// Package session keeps the root key of an unsealed vault for some hours, without writing it to a disk: in the keyring of
// the Linux kernel, or in the operating system's keychain elsewhere.
package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

var (
	// ErrNone is returned by Get when there is no session or it is over.
	ErrNone = errors.New("no unsealed session")
	// ErrUnavailable is returned where the system keeps no keys, as in many containers.
	ErrUnavailable = errors.New("this system keeps no keys for a session")
)

// Put keeps the root key of the vault with the given id until ttl is over, in the place of one kept before.
func Put(id string, root *crypt.Key, ttl time.Duration) error {
	if ttl < time.Second {
		return fmt.Errorf("a session of %v is too short", ttl)
	}
	return root.Export(func(material []byte) error { return put(name(id), material, ttl) })
}

// Get returns the root key that is kept for a vault.
func Get(id string) (*crypt.Key, error) {
	material, err := get(name(id))
	if err != nil {
		return nil, err
	}
	return crypt.NewKey(1, material)
}

// Drop ends the session of a vault. Without one it does nothing.
func Drop(id string) error { return drop(name(id)) }

func name(id string) string { return "zvault:" + id }
