package local_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

var phrase = []byte("correct horse")

// backedUp makes a vault with a secret and returns its backup, and how many entries its log has.
func backedUp(t *testing.T) (backup []byte, entries uint64) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	check(t, local.Create(t.Context(), home, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	v, err := local.Open(t.Context(), home, local.Options{Caller: root})
	check(t, err)
	_, err = v.Platform.CreateProject(t.Context(), root, "app", "")
	check(t, err)
	value := secret.Of("the value")
	_, err = v.Platform.Apply(t.Context(), root, platform.Env{Project: "app", Slug: "development"}, platform.Batch{Changes: []platform.Change{{Name: "KEY", Value: &value}}})
	check(t, err)
	var out bytes.Buffer
	check(t, v.Backup(t.Context(), &out, phrase))
	report, err := v.Audit.Verify(t.Context())
	check(t, err)
	check(t, v.Close())
	return out.Bytes(), uint64(report.Entries) //nolint:gosec // few
}

// restored is a vault made of a backup, opened.
func restored(t *testing.T, backup []byte) *local.Vault {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	check(t, local.Restore(t.Context(), bytes.NewReader(backup), home, phrase, keyfile.Provider{Dir: home}, local.Options{Caller: root}))
	v, err := local.Open(t.Context(), home, local.Options{Caller: root})
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	all, err := v.Platform.Reveal(t.Context(), root, platform.Env{Project: "app", Slug: "development"}, platform.Selection{})
	check(t, err)
	if len(all) != 1 || string(all[0].Value.Reveal()) != "the value" {
		t.Errorf("it holds %d values, or another", len(all))
	}
	return v
}

// A backup with its log goes on with it: no line is lost, and the chain holds.
func TestRestore_WithLog(t *testing.T) {
	t.Parallel()
	backup, entries := backedUp(t)
	report, err := restored(t, backup).Audit.Verify(t.Context())
	check(t, err)
	if len(report.Gaps) != 0 || uint64(report.Entries) < entries+3 { //nolint:gosec // few
		t.Errorf("%d entries after %d, gaps %+v", report.Entries, entries, report.Gaps)
	}
}

// A backup that has lost its log makes a vault that works. Its log tells that there was another, how far the vault remembers it, and why it
// is not here; from then on it holds like any log.
func TestRestore_WithoutLog(t *testing.T) {
	t.Parallel()
	backup, _ := backedUp(t)
	bare, err := local.ChangedLog(backup, phrase, nil)
	check(t, err)
	v := restored(t, bare)
	report, err := v.Audit.Verify(t.Context())
	check(t, err)
	// Creation had anchored its entry and the checkpoint over it; what came later may not have been anchored yet.
	if len(report.Gaps) != 1 || report.Gaps[0].From != 1 || report.Gaps[0].To < 2 || !strings.Contains(report.Gaps[0].Reason, "backup") {
		t.Errorf("gaps %+v", report.Gaps)
	}
	var actions []string
	for e, err := range v.Audit.Query(t.Context(), audit.Filter{}) {
		check(t, err)
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); !strings.HasPrefix(got, "vault.restore vault.rekey") {
		t.Errorf("its log holds %s", got)
	}
}

// A log that was tampered with is not made good by a restore: it is refused, and nothing is left behind.
func TestRestore_TamperedLog(t *testing.T) {
	t.Parallel()
	backup, _ := backedUp(t)
	cut, err := local.ChangedLog(backup, phrase, func(content []byte) []byte {
		return content[:bytes.IndexByte(content, '\n')+1]
	})
	check(t, err)
	home := filepath.Join(t.TempDir(), "home")
	err = local.Restore(t.Context(), bytes.NewReader(cut), home, phrase, keyfile.Provider{Dir: home}, local.Options{Caller: root})
	if !errors.Is(err, audit.ErrTampered) || local.Exists(home) {
		t.Errorf("a log that was cut: %v", err)
	}
}
