package transit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func periodic(t *testing.T, m *logicaltest.Mount) error {
	t.Helper()
	return m.Backend.Periodic(t.Context(), &logical.Request{Mount: m.Path, Storage: m.Storage, Header: m.Headers.Get, Time: m.Now})
}

func latest(t *testing.T, m *logicaltest.Mount, name string) any {
	t.Helper()
	return object(t, m, logical.Read, "keys/"+name, "")["latest_version"]
}

func TestPeriodic(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "keys/hourly", `{"auto_rotate_period":"1h"}`)
	m.Must(t, logical.Update, "keys/daily", `{"auto_rotate_period":"24h","type":"ed25519"}`)
	m.Must(t, logical.Update, "keys/never", `{}`)
	m.Must(t, logical.Update, "keys/deleted", `{"auto_rotate_period":"1h"}`)
	m.Must(t, logical.Delete, "keys/deleted/soft-delete", "")
	steps := []struct {
		after                time.Duration
		hourly, daily, never float64
	}{
		{0, 1, 1, 1}, {time.Hour, 1, 1, 1}, {time.Second, 2, 1, 1}, {0, 2, 1, 1}, {30 * time.Minute, 2, 1, 1},
		{31 * time.Minute, 3, 1, 1}, {23 * time.Hour, 4, 2, 1},
	}
	for i, step := range steps {
		m.Now = m.Now.Add(step.after)
		if err := periodic(t, m); err != nil {
			t.Fatal(err)
		}
		if a, b, c := latest(t, m, "hourly"), latest(t, m, "daily"), latest(t, m, "never"); a != step.hourly || b != step.daily || c != step.never {
			t.Errorf("step %d: versions %v, %v, %v", i, a, b, c)
		}
	}
	if n := latest(t, m, "deleted"); n != 1.0 {
		t.Errorf("a soft-deleted key has version %v", n)
	}
	m.Must(t, logical.Update, "keys/hourly/config", `{"auto_rotate_period":0}`)
	m.Now = m.Now.Add(100 * time.Hour)
	if err := periodic(t, m); err != nil {
		t.Fatal(err)
	}
	if n := latest(t, m, "hourly"); n != 4.0 {
		t.Errorf("a key without period has version %v", n)
	}
}

// TestPeriodic_NotDue leaves alone what only looks due: an imported key that may not be rotated, and an entry left over.
func TestPeriodic_NotDue(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	public := object(t, m, logical.Update, "keys/p", `{"type":"ecdsa-p256"}`)["keys"].(map[string]any)["1"].(map[string]any)["public_key"]
	m.Must(t, logical.Update, "keys/imported/import", fmt.Sprintf(`{"type":"ecdsa-p256","public_key":%q}`, public))
	m.Must(t, logical.Update, "keys/imported/config", `{"auto_rotate_period":"1h"}`)
	m.Must(t, logical.Update, "keys/plain", "")
	err := m.Storage.Update(t.Context(), func(tx storage.Tx) error {
		for _, name := range []string{"plain", "gone"} {
			if err := tx.Put(t.Context(), "rotation/"+name, []byte(`{"time":"2020-01-01T00:00:00Z"}`)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Now = m.Now.Add(2 * time.Hour)
	if err := periodic(t, m); err != nil {
		t.Error(err)
	}
	if a, b := latest(t, m, "imported"), latest(t, m, "plain"); a != 1.0 || b != 1.0 {
		t.Errorf("versions %v and %v", a, b)
	}
}

// TestPeriodic_Failure spoils the entry of one key; the others are rotated all the same.
func TestPeriodic_Failure(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "keys/a", `{"auto_rotate_period":"1h"}`)
	m.Must(t, logical.Update, "keys/b", `{"auto_rotate_period":"1h"}`)
	if err := m.Storage.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), "rotation/a", []byte("{")) }); err != nil {
		t.Fatal(err)
	}
	m.Now = m.Now.Add(2 * time.Hour)
	if err := periodic(t, m); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	if a, b := latest(t, m, "a"), latest(t, m, "b"); a != 1.0 || b != 2.0 {
		t.Errorf("versions %v and %v", a, b)
	}
}

// entries are the names of all that a mount has stored.
func entries(t *testing.T, m *logicaltest.Mount) string {
	t.Helper()
	all, err := m.Storage.Scan(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Key
	}
	return strings.Join(names, " ")
}

// TestEntries follows where versions are kept.
func TestEntries(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	expect := func(want string) {
		t.Helper()
		if got := entries(t, m); got != want {
			t.Errorf("entries %q, want %q", got, want)
		}
	}
	m.Must(t, logical.Update, "keys/a", `{"auto_rotate_period":"1h"}`)
	for range 3 {
		m.Must(t, logical.Update, "keys/a/rotate", "")
	}
	expect("policy/a rotation/a")
	m.Must(t, logical.Update, "keys/a/config", `{"min_decryption_version":4,"min_encryption_version":4,"auto_rotate_period":0}`)
	expect("archive/a/1 archive/a/2 archive/a/3 policy/a")
	m.Must(t, logical.Update, "keys/a/config", `{"min_decryption_version":2}`)
	expect("archive/a/1 policy/a")
	m.Must(t, logical.Update, "keys/a/config", `{"min_decryption_version":4}`)
	m.Must(t, logical.Update, "keys/a/trim", `{"min_available_version":3}`)
	expect("archive/a/3 policy/a")
	m.Must(t, logical.Update, "keys/a/config", `{"deletion_allowed":true}`)
	m.Must(t, logical.Update, "keys/ab", `{}`)
	m.Must(t, logical.Delete, "keys/a", "")
	expect("policy/ab")
}

// TestAllVersions encrypts with each of many versions and opens all of it after every move to and from the archive.
func TestAllVersions(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "keys/a", `{"type":"xchacha20-poly1305"}`)
	var texts []any
	for range 12 {
		texts = append(texts, object(t, m, logical.Update, "encrypt/a", `{"plaintext":"aGk="}`)["ciphertext"])
		m.Must(t, logical.Update, "keys/a/rotate", "")
	}
	for _, oldest := range []int{5, 13, 1, 12, 2} {
		m.Must(t, logical.Update, "keys/a/config", fmt.Sprintf(`{"min_decryption_version":%d}`, oldest))
		for i, text := range texts {
			body := fmt.Sprintf(`{"ciphertext":%q}`, text)
			if i+1 < oldest {
				m.Refused(t, logical.Update, "decrypt/a", body, 400, "too old")
			} else if got := object(t, m, logical.Update, "decrypt/a", body)["plaintext"]; got != "aGk=" {
				t.Errorf("version %d, oldest %d: %v", i+1, oldest, got)
			}
		}
	}
}
