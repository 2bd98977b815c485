package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
)

// faulty is a provider that does something else than to prove a new seal.
type faulty struct {
	seal.Forgetter
	prove func() error
}

func (f faulty) Plan() (seal.Provider, seal.Blob, error) {
	p, b, err := f.Forgetter.Plan()
	if err != nil {
		return nil, b, err
	}
	return faulty{p.(seal.Forgetter), f.prove}, b, nil
}

func (f faulty) Unwrap(context.Context, seal.Blob, []byte) (*crypt.Key, error) { return nil, f.prove() }

var errDied = errors.New("died")

// dying ends in the middle, without any cleaning up, as a killed process does.
func dying(p seal.Forgetter) seal.Provider {
	return faulty{p, func() error { panic(errDied) }}
}

// died calls something that dies.
func died(t *testing.T, fn func() error) {
	t.Helper()
	defer func() {
		if p := recover(); p != errDied {
			t.Fatalf("it did not die but gave %v", p)
		}
	}()
	t.Errorf("it lived: %v", fn())
}

func keyFiles(t *testing.T, home string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "seal-*"))
	check(t, err)
	return files
}

// opened gives an open vault that the test closes.
func opened(t *testing.T, home string) *local.Vault {
	t.Helper()
	v, err := local.Open(t.Context(), home, local.Options{Caller: root})
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	return v
}

func wantLeftovers(t *testing.T, v *local.Vault, noted, unknown []string) {
	t.Helper()
	gotNoted, gotUnknown, err := v.Leftovers(t.Context())
	check(t, err)
	if diff := cmp.Diff([][]string{noted, unknown}, [][]string{gotNoted, gotUnknown}); diff != "" {
		t.Errorf("leftovers (-want +got):\n%s", diff)
	}
}

// What a Create or Rekey has left that died is told, and removed by the next one. A key file that nobody has noted may belong to a
// copy of the vault: it is told and stays.
func TestLeftovers_KeyFiles(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	died(t, func() error {
		return local.Create(t.Context(), home, dying(keyfile.Provider{Dir: home}), local.Options{Caller: root})
	})
	if n := len(keyFiles(t, home)); n != 1 {
		t.Fatalf("%d key files are left of making the vault", n)
	}
	check(t, local.Create(t.Context(), home, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	inForce := keyFiles(t, home)
	if len(inForce) != 1 {
		t.Fatalf("key files %q, want one", inForce)
	}
	v := opened(t, home)
	wantLeftovers(t, v, nil, nil)

	died(t, func() error { return v.Rekey(t.Context(), dying(keyfile.Provider{Dir: home})) })
	stray := slices.DeleteFunc(keyFiles(t, home), func(f string) bool { return f == inForce[0] })
	if len(stray) != 1 {
		t.Fatalf("left are %q, want one", stray)
	}
	foreign := filepath.Join(home, "seal-of-a-copy.key")
	check(t, os.WriteFile(foreign, []byte("x"), 0o600))
	wantLeftovers(t, v, []string{"the key file " + stray[0]}, []string{"the key file " + foreign})

	check(t, v.Rekey(t.Context(), keyfile.Provider{Dir: home}))
	wantLeftovers(t, v, nil, []string{"the key file " + foreign})
	if files := keyFiles(t, home); len(files) != 2 || slices.Contains(files, stray[0]) || slices.Contains(files, inForce[0]) {
		t.Errorf("left are %q", files)
	}
	opened(t, home)
}

// A new seal that cannot be proved leaves nothing, and the vault as it was.
func TestRekey_NotProved(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	check(t, local.Create(t.Context(), home, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	before := keyFiles(t, home)
	v := opened(t, home)
	p := faulty{keyfile.Provider{Dir: home}, func() error { return seal.ErrWrongKey }}
	if err := v.Rekey(t.Context(), p); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("Rekey = %v, want ErrWrongKey", err)
	}
	if diff := cmp.Diff(before, keyFiles(t, home)); diff != "" {
		t.Errorf("key files (-before +after):\n%s", diff)
	}
	wantLeftovers(t, v, nil, nil)
	opened(t, home)
}

// The same for entries of a keychain, which cannot be listed.
func TestLeftovers_Keychain(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere") // the keyring is a mock
	keyring.MockInit()
	home := filepath.Join(t.TempDir(), "home")
	check(t, local.Create(t.Context(), home, keychain.Provider{}, local.Options{Caller: root}))
	v := opened(t, home)
	died(t, func() error { return v.Rekey(t.Context(), dying(keychain.Provider{})) })
	noted, unknown, err := v.Leftovers(t.Context())
	check(t, err)
	if len(noted) != 1 || len(unknown) != 0 {
		t.Fatalf("left are %q and %q", noted, unknown)
	}
	account := strings.Fields(noted[0])[3] // "the keychain's entry ACCOUNT of zvault"
	if _, err := keyring.Get("zvault", account); err != nil {
		t.Fatalf("reading what is left: %v", err)
	}

	// While the keychain cannot be reached, the seal can be changed all the same; what it keeps stays noted.
	keyring.MockInitWithError(errors.New("nobody is there"))
	if err := v.Rekey(t.Context(), keyfile.Provider{Dir: home}); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("Rekey = %v, want that old keys cannot be removed", err)
	}
	if v.Seal.Type != keyfile.Type {
		t.Errorf("the vault is sealed by %s", v.Seal.Type)
	}
	if noted, _, err := v.Leftovers(t.Context()); err != nil || len(noted) != 2 {
		t.Errorf("left are %q: %v", noted, err)
	}
	keyring.MockInit()
	check(t, v.Rekey(t.Context(), keyfile.Provider{Dir: home}))
	wantLeftovers(t, v, nil, nil)
}

// A copy of a vault whose notes are of another directory leaves the original's keys alone.
func TestLeftovers_Copy(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere") // the keyring is a mock
	keyring.MockInit()
	dir := t.TempDir()
	home, other := filepath.Join(dir, "home"), filepath.Join(dir, "other")
	check(t, local.Create(t.Context(), home, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	v := opened(t, home)
	died(t, func() error { return v.Rekey(t.Context(), dying(keychain.Provider{})) })
	noted, _, err := v.Leftovers(t.Context())
	check(t, err)
	copyTree(t, home, other)
	c := opened(t, other)
	wantLeftovers(t, c, nil, nil)
	check(t, c.Rekey(t.Context(), keyfile.Provider{Dir: other}))
	if _, err := keyring.Get("zvault", strings.Fields(noted[0])[3]); err != nil {
		t.Errorf("the original's entry: %v", err)
	}
	wantLeftovers(t, v, noted, nil)
}
