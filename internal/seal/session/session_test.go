package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal/session"
)

// Where the system keeps keys, a session gives the key back until it is dropped; where it does not, it says so.
func TestSession(t *testing.T) {
	id := "test-" + t.Name() + time.Now().String()
	root, err := crypt.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Get(id); !errors.Is(err, session.ErrNone) && !errors.Is(err, session.ErrUnavailable) {
		t.Fatalf("before: %v", err)
	}
	if err := session.Put(id, root, 0); err == nil {
		t.Error("a session of no time was taken")
	}
	err = session.Put(id, root, time.Minute)
	if errors.Is(err, session.ErrUnavailable) {
		if err := session.Drop(id); err != nil {
			t.Errorf("dropping where there is nothing: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := session.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	if got.MAC("x", nil) != root.MAC("x", nil) {
		t.Error("another key came back")
	}
	if err := session.Drop(id); err != nil {
		t.Fatal(err)
	}
	if _, err := session.Get(id); !errors.Is(err, session.ErrNone) {
		t.Errorf("after: %v", err)
	}
}
