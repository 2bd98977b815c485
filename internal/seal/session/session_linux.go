package session

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

// The key is of type "user" in the keyring of the user (not of the session, so that other terminals find it), readable by
// this user alone.
const (
	ring        = unix.KEY_SPEC_USER_KEYRING
	permissions = 0x3f3f0000 // all for the possessor and the user, none for group and others
)

func put(name string, material []byte, ttl time.Duration) error {
	id, err := unix.AddKey("user", name, material, ring)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	if err := unix.KeyctlSetperm(id, permissions); err != nil {
		return errors.Join(fmt.Errorf("restricting the session key: %w", err), drop(name))
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, int(ttl/time.Second), 0, 0); err != nil {
		return errors.Join(fmt.Errorf("limiting the session: %w", err), drop(name))
	}
	return nil
}

func find(name string) (int, error) {
	id, err := unix.KeyctlSearch(ring, "user", name, 0)
	switch {
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYEXPIRED), errors.Is(err, unix.EKEYREVOKED):
		return 0, ErrNone
	case err != nil:
		return 0, fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return id, nil
}

func get(name string) ([]byte, error) {
	id, err := find(name)
	if err != nil {
		return nil, err
	}
	material := make([]byte, crypt.KeySize)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, material, 0)
	if err != nil || n != crypt.KeySize {
		return nil, ErrNone
	}
	return material, nil
}

func drop(name string) error {
	id, err := find(name)
	if errors.Is(err, ErrNone) || errors.Is(err, ErrUnavailable) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0); err != nil {
		return fmt.Errorf("ending the session: %w", err)
	}
	return nil
}
