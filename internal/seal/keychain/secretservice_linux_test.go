package keychain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
)

// The tests below run in a session bus of their own, with a GNOME Keyring of their own or none: the test binary starts itself
// within dbus-run-session. Without these programs (packages dbus and gnome-keyring) they fail.
const inSession = "ZVAULT_TEST_IN_SESSION"

// busConfig is a session bus that starts no services by itself: no keyring and nobody to ask for passwords.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// session runs a test again, within a session bus, and reports true there.
func session(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inSession) == t.Name() {
		return true
	}
	home := t.TempDir()
	config := filepath.Join(home, "bus.conf")
	check(t, os.WriteFile(config, []byte(busConfig), 0o600))
	binary, err := os.Executable()
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "dbus-run-session", "--config-file="+config, "--", binary, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = []string{inSession + "=" + t.Name(), "PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
	for variable, dir := range map[string]string{"XDG_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache"} {
		dir = filepath.Join(home, dir)
		check(t, os.Mkdir(dir, 0o700))
		cmd.Env = append(cmd.Env, variable+"="+dir)
	}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in a session bus (packages dbus and gnome-keyring are needed): %v\n%s", err, out)
	}
	return false
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startKeyring runs GNOME Keyring, with its login keyring opened by a password, in place of the one that ran before. It returns
// when it serves; it ends with the session bus.
func startKeyring(t *testing.T, password string) {
	t.Helper()
	before := owner(t)
	cmd := exec.CommandContext(t.Context(), "gnome-keyring-daemon", "--replace", "--unlock", "--components=secrets", "--daemonize")
	cmd.Stdin = strings.NewReader(password)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("starting gnome-keyring-daemon: %v: %s", err, out)
	}
	for deadline := time.Now().Add(20 * time.Second); ; { // it takes the name a moment after it has detached itself
		if now := owner(t); now != "" && now != before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("gnome-keyring-daemon does not serve")
		}
	}
}

// owner is the connection that serves secrets, or empty.
func owner(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.secrets").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "NameHasNoOwner") {
		t.Fatalf("asking the session bus who serves secrets: %v: %s", err, out)
	}
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// lockKeyring locks the collection that entries go to.
func lockKeyring(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets",
		"org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "collection/login") {
		t.Fatalf("locking the keyring: %v: %s", err, out)
	}
}

func newRoot(t *testing.T) *crypt.Key {
	t.Helper()
	root, err := crypt.GenerateKey(1)
	check(t, err)
	t.Cleanup(root.Destroy)
	return root
}

func prepare(t *testing.T, root *crypt.Key) *seal.Record {
	t.Helper()
	r, err := seal.Prepare(t.Context(), keychain.Provider{}, root, 1, time.Now())
	check(t, err)
	return r
}

// opens requires that a record gives the root key back.
func opens(t *testing.T, r *seal.Record, root *crypt.Key) {
	t.Helper()
	got, err := seal.Open(t.Context(), r, seal.SetOf(keychain.Provider{}))
	check(t, err)
	defer got.Destroy()
	if got.MAC("test", nil) != root.MAC("test", nil) {
		t.Error("another root key came back")
	}
}

// refuses requires that a record does not open, for a reason that is said on one line without what is stored.
func refuses(t *testing.T, r *seal.Record, want error) {
	t.Helper()
	_, err := seal.Open(t.Context(), r, seal.SetOf(keychain.Provider{}))
	clear(t, err, want)
}

func clear(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want one that is %q", err, want)
	} else if text := err.Error(); !strings.Contains(text, "keychain") && want != seal.ErrWrongKey || strings.Contains(text, "\n") {
		t.Errorf("error %q, want one line that says that it is the keychain", text)
	}
}

func account(t *testing.T, r *seal.Record) string {
	t.Helper()
	var c struct{ Account string }
	check(t, json.Unmarshal(r.Config, &c))
	return c.Account
}

func TestSecretService(t *testing.T) {
	t.Parallel()
	if !session(t) {
		return
	}
	startKeyring(t, "a password")
	roots := []*crypt.Key{newRoot(t), newRoot(t)}
	first, second := prepare(t, roots[0]), prepare(t, roots[1])
	opens(t, first, roots[0])
	opens(t, second, roots[1])

	// The keyring keeps it over its own end.
	startKeyring(t, "a password")
	opens(t, first, roots[0])

	// Somebody overwrites the entry.
	stored, err := keyring.Get("zvault", account(t, first))
	check(t, err)
	for other, want := range map[string]error{
		base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, crypt.KeySize)): seal.ErrWrongKey,
		"":               seal.ErrDamaged,
		"not base64":     seal.ErrDamaged,
		"c2hvcnQ=":       seal.ErrDamaged,
		stored + stored:  seal.ErrDamaged,
		stored[:40]:      seal.ErrDamaged,
		" " + stored[1:]: seal.ErrDamaged,
	} {
		check(t, keyring.Set("zvault", account(t, first), other))
		refuses(t, first, want)
	}
	check(t, keyring.Set("zvault", account(t, first), stored))
	opens(t, first, roots[0])

	// Forgetting removes that entry, once and for all, and no other.
	for range 2 {
		check(t, seal.Forget(t.Context(), first, seal.SetOf(keychain.Provider{})))
		refuses(t, first, seal.ErrUnavailable)
	}
	if _, err := keyring.Get("zvault", account(t, first)); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the entry after it was removed: %v", err)
	}
	opens(t, second, roots[1])
}

// A keyring that is locked, with nobody there who could be asked for its password.
func TestSecretService_Locked(t *testing.T) {
	t.Parallel()
	if !session(t) {
		return
	}
	startKeyring(t, "a password")
	root := newRoot(t)
	r := prepare(t, root)
	for name, lock := range map[string]func(){
		"locked":         func() { lockKeyring(t) },
		"wrong password": func() { startKeyring(t, "another password") },
	} {
		lock()
		t.Log(name)
		refuses(t, r, seal.ErrUnavailable)
		_, err := seal.Prepare(t.Context(), keychain.Provider{}, root, 1, time.Now())
		clear(t, err, seal.ErrUnavailable)
		startKeyring(t, "a password")
		opens(t, r, root)
	}
}

// A keyring that never answers is given up when the context ends, and serves again when it does.
func TestSecretService_Hanging(t *testing.T) {
	t.Parallel()
	if !session(t) {
		return
	}
	startKeyring(t, "a password")
	root := newRoot(t)
	r := prepare(t, root)
	daemon := serverProcess(t)
	check(t, daemon.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { check(t, daemon.Signal(syscall.SIGCONT)) }) // a stopped one would outlive its bus
	for name, act := range map[string]func(context.Context) error{
		"open": func(ctx context.Context) error {
			_, err := seal.Open(ctx, r, seal.SetOf(keychain.Provider{}))
			return err
		},
		"wrap": func(ctx context.Context) error { _, err := keychain.Provider{}.Wrap(ctx, root, nil); return err },
		"forget": func(ctx context.Context) error {
			return seal.Forget(ctx, &seal.Record{Type: keychain.Type, Blob: seal.Blob{Config: []byte(`{"account":"vault-1"}`)}}, seal.SetOf(keychain.Provider{}))
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- act(ctx) }()
		var err error
		select {
		case err = <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s goes on waiting", name)
		}
		cancel()
		t.Log(name)
		clear(t, err, seal.ErrUnavailable)
		clear(t, err, context.DeadlineExceeded)
	}
	check(t, daemon.Signal(syscall.SIGCONT))
	opens(t, r, root)
}

// serverProcess is the process that serves secrets.
func serverProcess(t *testing.T) *os.Process {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.secrets").Output()
	check(t, err)
	var id int
	if _, err := fmt.Sscanf(string(out), " uint32 %d", &id); err != nil {
		t.Fatalf("the session bus names the process %q: %v", out, err)
	}
	p, err := os.FindProcess(id)
	check(t, err)
	return p
}

// A session bus on which no keyring is to be had, and no session bus.
func TestSecretService_Absent(t *testing.T) {
	t.Parallel()
	if !session(t) {
		return
	}
	r := &seal.Record{Format: 1, Type: keychain.Type, Generation: 1, Blob: seal.Blob{Config: []byte(`{"account":"vault-1"}`), Wrapped: []byte("x")}}
	for range 2 {
		refuses(t, r, seal.ErrUnavailable)
		_, err := seal.Prepare(t.Context(), keychain.Provider{}, newRoot(t), 1, time.Now())
		clear(t, err, seal.ErrUnavailable)
		clear(t, seal.Forget(t.Context(), r, seal.SetOf(keychain.Provider{})), seal.ErrUnavailable)
		check(t, os.Unsetenv("DBUS_SESSION_BUS_ADDRESS"))
	}
}
