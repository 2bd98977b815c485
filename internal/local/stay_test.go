package local_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
)

// Changes record inside of a transaction. In a process that lives on, the audit log's head is stored meanwhile in the same
// database, and neither may wait for the other.
func TestVault_RecordsInsideTransaction(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	check(t, local.Create(t.Context(), home, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	v, err := local.Open(t.Context(), home, local.Options{Caller: root})
	check(t, err)
	// The head is stored a second after an entry.
	check(t, v.HoldingDatabase(t.Context(), func() error {
		for start := time.Now(); time.Since(start) < 1500*time.Millisecond; {
			if err := v.Audit.Record(t.Context(), audit.Entry{Actor: root.Actor, Client: root.Client, Action: "secret.change", Outcome: audit.OK}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = v.Audit.Verify(t.Context())
	check(t, err)
	check(t, v.Close())
}
