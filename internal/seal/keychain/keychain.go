// Package keychain keeps a vault's key in the keychain of the operating system: macOS Keychain, Windows Credential
// Manager, or a Secret Service such as GNOME Keyring or KWallet on Linux.
package keychain

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/zalando/go-keyring"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
)

// Type is the provider's name in records.
const Type = "keychain"

// service is what the entries are filed under.
const service = "zvault"

// Provider keeps keys in the keychain. Every Wrap makes a new entry.
type Provider struct {
	account string // what Plan has settled
}

var _ seal.Forgetter = Provider{}

type config struct {
	Account string `json:"account"`
}

// Type implements seal.Provider.
func (Provider) Type() string { return Type }

// Available reports whether there is likely a keychain, without waking it: on Linux that needs a session bus.
func Available() bool {
	return runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != ""
}

// Plan implements seal.Forgetter: it chooses the account of the next entry.
func (p Provider) Plan() (seal.Provider, seal.Blob, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, seal.Blob{}, err
	}
	p.account = "vault-" + hex.EncodeToString(id)
	body, err := json.Marshal(config{Account: p.account})
	return p, seal.Blob{Config: body}, err
}

// Wrap implements seal.Provider.
func (p Provider) Wrap(ctx context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	if !Available() {
		return seal.Blob{}, fmt.Errorf("no session bus to reach a keychain: %w", seal.ErrUnavailable)
	}
	if p.account == "" {
		planned, _, err := p.Plan()
		if err != nil {
			return seal.Blob{}, err
		}
		return planned.Wrap(ctx, root, aad)
	}
	kek, err := crypt.GenerateKey(1)
	if err != nil {
		return seal.Blob{}, err
	}
	defer kek.Destroy()
	body, err := json.Marshal(config{Account: p.account})
	if err != nil {
		return seal.Blob{}, err
	}
	wrapped, err := seal.WrapWith(kek, root, aad)
	if err != nil {
		return seal.Blob{}, err
	}
	var text string
	if err := kek.Export(func(material []byte) error {
		text = base64.StdEncoding.EncodeToString(material)
		return nil
	}); err != nil {
		return seal.Blob{}, err
	}
	if err := await(ctx, func() error { return keyring.Set(service, p.account, text) }); err != nil {
		return seal.Blob{}, fmt.Errorf("storing in the keychain: %w: %w", seal.ErrUnavailable, err)
	}
	return seal.Blob{Config: body, Wrapped: wrapped}, nil
}

// Unwrap implements seal.Provider.
func (Provider) Unwrap(ctx context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	c, err := read(b)
	if err != nil {
		return nil, err
	}
	if !Available() {
		return nil, fmt.Errorf("no session bus to reach the keychain: %w", seal.ErrUnavailable)
	}
	var text string
	if err := await(ctx, func() (err error) {
		text, err = keyring.Get(service, c.Account)
		return err
	}); err != nil {
		return nil, fmt.Errorf("reading the keychain: %w: %w", seal.ErrUnavailable, err)
	}
	material, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the keychain's entry is %w", seal.ErrDamaged)
	}
	kek, err := crypt.NewKey(1, material)
	if err != nil {
		return nil, fmt.Errorf("the keychain's entry is %w", seal.ErrDamaged)
	}
	defer kek.Destroy()
	return seal.UnwrapWith(kek, b.Wrapped, aad)
}

// Forget implements seal.Forgetter: it removes the entry.
func (Provider) Forget(ctx context.Context, b seal.Blob) error {
	c, err := read(b)
	if err != nil {
		return err
	}
	if !Available() {
		return fmt.Errorf("no session bus to reach the keychain, and to remove the old key from it: %w", seal.ErrUnavailable)
	}
	err = await(ctx, func() error { return keyring.Delete(service, c.Account) })
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fmt.Errorf("removing the old key from the keychain: %w: %w", seal.ErrUnavailable, err)
	}
	return nil
}

// await calls the keychain, which knows no contexts and waits for as long as a person takes to answer it. A call that is given up
// goes on behind, and nobody may look at what it gives.
func await(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("it has not answered: %w", ctx.Err())
	}
}

// Describe implements seal.Forgetter.
func (Provider) Describe(b seal.Blob) (string, error) {
	c, err := read(b)
	return fmt.Sprintf("the keychain's entry %s of %s", c.Account, service), err
}

func read(b seal.Blob) (config, error) {
	var c config
	if err := json.Unmarshal(b.Config, &c); err != nil || c.Account == "" {
		return c, fmt.Errorf("reading which keychain entry it is: %w", seal.ErrDamaged)
	}
	return c, nil
}
