package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/seal/passphrase"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/seal/unsealenv"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
)

// quick are Argon2 parameters at the lower bound, for tests.
var quick = crypt.Argon2Params{Time: 1, Memory: 8 << 10, Threads: 1}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB) *crypt.Key {
	t.Helper()
	k, err := crypt.GenerateKey(1)
	check(t, err)
	return k
}

func phrase(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// providers makes one of each, for sealing and unsealing.
func providers(t *testing.T) map[string]seal.Provider {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere") // the keyring is a mock
	keyring.MockInit()
	var handed []shamir.Share
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, crypt.KeySize))
	return map[string]seal.Provider{
		keyfile.Type:    keyfile.Provider{Dir: t.TempDir()},
		keychain.Type:   keychain.Provider{},
		passphrase.Type: passphrase.Provider{Ask: phrase("correct horse"), Params: quick},
		unsealenv.Type:  unsealenv.Provider{Getenv: func(string) string { return key }},
		shares.Type: &shares.Provider{
			Shares: 5, Threshold: 3,
			Deliver: func(all []shamir.Share) error { handed = all; return nil },
			Collect: func(shares.Config) ([]shamir.Share, error) {
				return []shamir.Share{handed[4], handed[0], handed[2]}, nil
			},
		},
	}
}

// Every provider gives the root key back, from a record that went through the store, and no other record's.
func TestProviders_RoundTrip(t *testing.T) {
	all := providers(t)
	for name, p := range all {
		root := newKey(t)
		r, err := seal.Prepare(t.Context(), p, root, 1, time.Now())
		check(t, err)
		store := memory.New()
		check(t, store.Update(t.Context(), func(tx storage.Tx) error { return seal.Store(t.Context(), tx, r) }))
		loaded, err := seal.Load(t.Context(), store)
		check(t, err)
		got, err := seal.Open(t.Context(), loaded, seal.SetOf(p))
		check(t, err)
		if got.MAC("x", nil) != root.MAC("x", nil) {
			t.Errorf("%s gave another key", name)
		}
		loaded.Generation = 2
		if _, err := seal.Open(t.Context(), loaded, seal.SetOf(p)); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("%s opened a record of another generation: %v", name, err)
		}
		loaded.Generation = 1
		for i := range loaded.Wrapped {
			bad := *loaded
			bad.Wrapped = bytes.Clone(loaded.Wrapped)
			bad.Wrapped[i] ^= 1
			if name == passphrase.Type && i%16 != 0 { // each try costs a derivation
				continue
			}
			if _, err := seal.Open(t.Context(), &bad, seal.SetOf(p)); !errors.Is(err, seal.ErrWrongKey) && !errors.Is(err, seal.ErrDamaged) {
				t.Fatalf("%s with byte %d changed: %v", name, i, err)
			}
		}
		check(t, seal.Forget(t.Context(), loaded, seal.SetOf(p)))
		_, isForgetter := p.(seal.Forgetter)
		if _, err := seal.Open(t.Context(), loaded, seal.SetOf(p)); (err != nil) != isForgetter {
			t.Errorf("%s after forgetting: %v", name, err)
		}
	}
}

func TestOpen_Unknown(t *testing.T) {
	t.Parallel()
	if _, err := seal.Open(t.Context(), &seal.Record{Type: "hsm"}, seal.Set{}); !errors.Is(err, seal.ErrUnknown) {
		t.Errorf("an unknown provider: %v", err)
	}
	if _, err := seal.Load(t.Context(), memory.New()); !errors.Is(err, seal.ErrNoSeal) {
		t.Errorf("no record: %v", err)
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	p := passphrase.Provider{Ask: phrase("correct horse"), Params: quick}
	r, err := seal.Prepare(t.Context(), p, newKey(t), 1, time.Now())
	check(t, err)
	for name, c := range map[string]struct {
		ask  func() ([]byte, error)
		want error
	}{"wrong": {phrase("battery"), seal.ErrWrongKey}, "nobody": {nil, seal.ErrNeedsInput}} {
		if _, err := seal.Open(t.Context(), r, seal.SetOf(passphrase.Provider{Ask: c.ask})); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A hostile record can neither exhaust the machine nor weaken the key.
	for _, change := range []func(*crypt.Argon2Params){
		func(p *crypt.Argon2Params) { p.Memory = 1 << 31 }, func(p *crypt.Argon2Params) { p.Time = 1 << 30 }, func(p *crypt.Argon2Params) { p.Memory = 8 },
		func(p *crypt.Argon2Params) { p.Threads = 0 }, func(p *crypt.Argon2Params) { p.Salt = nil },
	} {
		var params crypt.Argon2Params
		check(t, json.Unmarshal(r.Config, &params))
		change(&params)
		hostile := *r
		hostile.Config, err = json.Marshal(params)
		check(t, err)
		if _, err := seal.Open(t.Context(), &hostile, seal.SetOf(p)); !errors.Is(err, crypt.ErrParams) {
			t.Errorf("%+v: %v", params, err)
		}
	}
}

func TestKeyfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := keyfile.Provider{Dir: dir}
	r, err := seal.Prepare(t.Context(), p, newKey(t), 1, time.Now())
	check(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "*.key"))
	check(t, err)
	if len(files) != 1 {
		t.Fatalf("%d key files", len(files))
	}
	good, err := os.ReadFile(files[0])
	check(t, err)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		check(t, os.WriteFile(files[0], bad, 0o600))
		if _, err := seal.Open(t.Context(), r, seal.SetOf(p)); !errors.Is(err, seal.ErrDamaged) {
			t.Fatalf("a key file with byte %d changed: %v", i, err)
		}
	}
	for _, cut := range []int{0, 1, len(good) - 1} {
		check(t, os.WriteFile(files[0], good[:cut], 0o600))
		if _, err := seal.Open(t.Context(), r, seal.SetOf(p)); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("a key file cut to %d bytes: %v", cut, err)
		}
	}
	check(t, os.WriteFile(files[0], good, 0o600))
	if runtime.GOOS != "windows" {
		check(t, os.Chmod(files[0], 0o640))
		if _, err := seal.Open(t.Context(), r, seal.SetOf(p)); !errors.Is(err, keyfile.ErrPermissions) {
			t.Errorf("a key file that the group can read: %v", err)
		}
		check(t, os.Chmod(files[0], 0o600))
	}
	for _, name := range []string{"../outside.key", "", ".hidden", "a/b"} {
		evil := *r
		evil.Config = []byte(`{"file":"` + name + `"}`)
		if _, err := seal.Open(t.Context(), &evil, seal.SetOf(p)); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("a record that names %q: %v", name, err)
		}
	}
	check(t, os.Remove(files[0]))
	if _, err := seal.Open(t.Context(), r, seal.SetOf(p)); !errors.Is(err, seal.ErrUnavailable) {
		t.Errorf("a missing key file: %v", err)
	}
}

func TestUnsealenv(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]error{"": seal.ErrUnavailable, "short": seal.ErrDamaged, strings.Repeat("A", 44): seal.ErrDamaged} {
		p := unsealenv.Provider{Getenv: func(string) string { return value }}
		if _, err := seal.Prepare(t.Context(), p, newKey(t), 1, time.Now()); !errors.Is(err, want) || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("a variable of %d bytes: %v", len(value), err)
		}
	}
}

// Shares of an earlier split do not open the vault, and are named.
func TestShares_Foreign(t *testing.T) {
	t.Parallel()
	var first, second []shamir.Share
	make := func(to *[]shamir.Share) *seal.Record {
		p := &shares.Provider{Shares: 3, Threshold: 2, Deliver: func(all []shamir.Share) error { *to = all; return nil }}
		r, err := seal.Prepare(t.Context(), p, newKey(t), 1, time.Now())
		check(t, err)
		return r
	}
	make(&first)
	r := make(&second)
	for _, given := range [][]shamir.Share{first[:2], {first[0], second[1]}} {
		p := &shares.Provider{Collect: func(shares.Config) ([]shamir.Share, error) { return given, nil }}
		if _, err := seal.Open(t.Context(), r, seal.SetOf(p)); !errors.Is(err, shamir.ErrMixed) {
			t.Errorf("foreign shares: %v", err)
		}
	}
	if _, err := seal.Open(t.Context(), r, seal.SetOf(&shares.Provider{})); !errors.Is(err, seal.ErrNeedsInput) {
		t.Errorf("nobody asked: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"format":1,"type":"keyfile","generation":1,"created":"2026-11-23T10:00:00Z","config":{"file":"seal.key"},"wrapped":"AAAA"}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		store := memory.New()
		put := func(b []byte) error {
			return store.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), "core/seal", b) })
		}
		check(t, put(data))
		r, err := seal.Load(t.Context(), store)
		if err != nil {
			if !errors.Is(err, seal.ErrDamaged) && !errors.Is(err, seal.ErrNewer) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		check(t, store.Update(t.Context(), func(tx storage.Tx) error { return seal.Store(t.Context(), tx, r) }))
		again, err := seal.Load(t.Context(), store)
		if err != nil || again.Type != r.Type || again.Generation != r.Generation || !bytes.Equal(again.Wrapped, r.Wrapped) {
			t.Fatalf("a record does not come back: %v", err)
		}
	})
}
