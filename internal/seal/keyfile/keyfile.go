// Package keyfile keeps a vault's key in a file that only its owner may read.
package keyfile

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
)

// Type is the provider's name in records.
const Type = "keyfile"

// ErrPermissions is returned for a key file that others can read.
var ErrPermissions = errors.New("others can read the key file")

// Provider keeps key files in a directory. Every Wrap writes a new one, so that the one in force is never touched.
type Provider struct {
	Dir string

	file string // what Plan has settled
}

var _ seal.Forgetter = Provider{}

type config struct {
	File string `json:"file"`
}

// The name of a key file is 16 hexadecimal digits between these.
const (
	prefix = "seal-"
	suffix = ".key"
)

// Type implements seal.Provider.
func (Provider) Type() string { return Type }

// Plan implements seal.Forgetter: it chooses the name of the next key file.
func (p Provider) Plan() (seal.Provider, seal.Blob, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, seal.Blob{}, err
	}
	p.file = prefix + hex.EncodeToString(id) + suffix
	body, err := json.Marshal(config{File: p.file})
	return p, seal.Blob{Config: body}, err
}

// Wrap implements seal.Provider.
func (p Provider) Wrap(ctx context.Context, root *crypt.Key, aad []byte) (seal.Blob, error) {
	if p.file == "" {
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
	body, err := json.Marshal(config{File: p.file})
	if err != nil {
		return seal.Blob{}, err
	}
	wrapped, err := seal.WrapWith(kek, root, aad)
	if err != nil {
		return seal.Blob{}, err
	}
	err = kek.Export(func(material []byte) error { return write(filepath.Join(p.Dir, p.file), material) })
	return seal.Blob{Config: body, Wrapped: wrapped}, err
}

// Unwrap implements seal.Provider.
func (p Provider) Unwrap(_ context.Context, b seal.Blob, aad []byte) (*crypt.Key, error) {
	path, err := p.path(b)
	if err != nil {
		return nil, err
	}
	kek, err := read(path)
	if err != nil {
		return nil, err
	}
	defer kek.Destroy()
	return seal.UnwrapWith(kek, b.Wrapped, aad)
}

// Forget implements seal.Forgetter: it removes the key file.
func (p Provider) Forget(_ context.Context, b seal.Blob) error {
	path, err := p.path(b)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the old key file: %w", err)
	}
	return nil
}

// Describe implements seal.Forgetter.
func (p Provider) Describe(b seal.Blob) (string, error) {
	path, err := p.path(b)
	return "the key file " + path, err
}

// Files lists the key files in Dir, as blobs for Forget and Describe.
func (p Provider) Files() ([]seal.Blob, error) {
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return nil, fmt.Errorf("looking for key files: %w", err)
	}
	var all []seal.Blob
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		body, err := json.Marshal(config{File: e.Name()})
		if err != nil {
			return nil, err
		}
		all = append(all, seal.Blob{Config: body})
	}
	return all, nil
}

// path is where the key file of a blob lies. A record cannot point out of the directory.
func (p Provider) path(b seal.Blob) (string, error) {
	var c config
	if err := json.Unmarshal(b.Config, &c); err != nil || c.File == "" || c.File != filepath.Base(c.File) || strings.HasPrefix(c.File, ".") {
		return "", fmt.Errorf("reading which key file it is: %w", seal.ErrDamaged)
	}
	return filepath.Join(p.Dir, c.File), nil
}

// A key file is one line: the word below, the key in base64, and the first four bytes of its SHA-256-based MAC in hex.
const word = "zvault-key-1"

func line(material []byte) (string, error) {
	key, err := crypt.NewKey(1, append([]byte(nil), material...))
	if err != nil {
		return "", err
	}
	defer key.Destroy()
	sum := key.MAC("key file", nil)
	return word + " " + base64.StdEncoding.EncodeToString(material) + " " + hex.EncodeToString(sum[:4]) + "\n", nil
}

// write makes a new file with the key and has it on the disk before it returns.
func write(path string, material []byte) error {
	text, err := line(material)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing key file: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing key file %q: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}

func read(path string) (*crypt.Key, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key file %q is missing: %w", path, seal.ErrUnavailable)
	}
	if err != nil {
		return nil, fmt.Errorf("reading key file: %w", err)
	}
	defer clear(data)
	if err := checkMode(path); err != nil {
		return nil, err
	}
	return parse(path, data)
}

func parse(path string, data []byte) (*crypt.Key, error) {
	damaged := fmt.Errorf("the key file %q is %w", path, seal.ErrDamaged)
	fields := strings.Split(strings.TrimSuffix(string(data), "\n"), " ")
	if len(fields) != 3 || fields[0] != word {
		return nil, damaged
	}
	material, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil || len(material) != crypt.KeySize {
		return nil, damaged
	}
	want, err := line(material)
	if err != nil {
		return nil, err
	}
	if want != string(data) {
		clear(material)
		return nil, damaged
	}
	return crypt.NewKey(1, material)
}
