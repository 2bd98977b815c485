package snapshot_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/vault/snapshot"
)

// FuzzCheck: whatever is read either is refused or is all that it says it is.
func FuzzCheck(f *testing.F) {
	key, err := crypt.GenerateKey(1)
	if err != nil {
		f.Fatal(err)
	}
	store := memory.New()
	err = store.Update(f.Context(), func(tx storage.Tx) error {
		return errors.Join(tx.Put(f.Context(), "a", nil), tx.Put(f.Context(), "b/c", []byte("value")))
	})
	if err != nil {
		f.Fatal(err)
	}
	var whole bytes.Buffer
	if err := snapshot.Write(f.Context(), &whole, store, key, snapshot.Meta{Created: time.Unix(1, 0), Version: "1"}); err != nil {
		f.Fatal(err)
	}
	if m, err := snapshot.Check(bytes.NewReader(whole.Bytes()), key); err != nil || m.Entries != 2 {
		f.Fatalf("a good one: %+v, %v", m, err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := snapshot.Check(bytes.NewReader(raw), nil)
		if err != nil {
			if !errors.Is(err, snapshot.ErrInvalid) {
				t.Fatalf("%v does not match ErrInvalid", err)
			}
			return
		}
		count := 0
		err = snapshot.Each(bytes.NewReader(raw), func(storage.Entry) error { count++; return nil })
		if err != nil || count != m.Entries {
			t.Fatalf("found sound with %d entries, then %d and %v", m.Entries, count, err)
		}
	})
}
