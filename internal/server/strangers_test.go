package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

// Clients that others wrote, unmodified, in the versions that the tests were last run with.
const (
	hvac      = "hvac==2.4.0"
	nodeVault = "node-vault@0.12.0"
)

// drive runs a client's script against a server of its own.
func drive(t *testing.T, env []string, command ...string) {
	t.Helper()
	s := servertest.Start(t)
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...) //nolint:gosec // commands of this file
	cmd.Env = append(append(os.Environ(), "VAULT_ADDR="+s.URL, "VAULT_TOKEN="+s.Token), env...)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestHvac(t *testing.T) {
	t.Parallel()
	drive(t, nil, testinstall.Pip(t, "hvac-2.4.0", hvac), filepath.Join("testdata", "wire", "hvac_client.py"))
}

func TestNodeVault(t *testing.T) {
	t.Parallel()
	dir := testinstall.NPM(t, "node-vault-0.12.0", nodeVault)
	script, err := filepath.Abs(filepath.Join("testdata", "wire", "node_client.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	drive(t, []string{"NODE_PATH=" + filepath.Join(dir, "node_modules")}, "node", script)
}
