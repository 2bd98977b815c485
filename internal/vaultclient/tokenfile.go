package vaultclient

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// TokenFile keeps the token of the last login: ~/.vault-token, which Vault's own command line reads and writes as well.
type TokenFile struct{ Path string }

// DefaultTokenFile is the one in the home folder.
func DefaultTokenFile() (TokenFile, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return TokenFile{}, fmt.Errorf("finding the token file: %w", err)
	}
	return TokenFile{Path: filepath.Join(home, ".vault-token")}, nil
}

// Load returns the token, without white space around it; "" if there is no file.
func (t TokenFile) Load() (string, error) {
	token, err := os.ReadFile(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the token file: %w", err)
	}
	return string(bytes.TrimSpace(token)), nil
}

// Store puts a token in the place of the last one, in one step: a file of mode 0600 is renamed over it.
func (t TokenFile) Store(token string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(t.Path), ".vault-token-*")
	if err != nil {
		return fmt.Errorf("writing the token file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error that led here is the one to tell
			err = fmt.Errorf("writing the token file: %w", err)
		}
	}()
	if _, err = f.WriteString(token); err != nil {
		_ = f.Close()
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), t.Path)
}
