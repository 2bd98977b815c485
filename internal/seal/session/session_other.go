//go:build !linux

package session

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// The entry is the end of the session, in seconds since 1970, and the key in base64.
const service = "zvault session"

func put(name string, material []byte, ttl time.Duration) error {
	end := strconv.FormatInt(time.Now().Add(ttl).Unix(), 10)
	if err := keyring.Set(service, name, end+" "+base64.StdEncoding.EncodeToString(material)); err != nil {
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return nil
}

func get(name string) ([]byte, error) {
	text, err := keyring.Get(service, name)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	end, key, _ := strings.Cut(text, " ")
	seconds, err := strconv.ParseInt(end, 10, 64)
	if err != nil || time.Now().Unix() >= seconds {
		return nil, errors.Join(ErrNone, drop(name))
	}
	material, err := base64.StdEncoding.Strict().DecodeString(key)
	if err != nil {
		return nil, ErrNone
	}
	return material, nil
}

func drop(name string) error {
	if err := keyring.Delete(service, name); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fmt.Errorf("ending the session: %w", err)
	}
	return nil
}
