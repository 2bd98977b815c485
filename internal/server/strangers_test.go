package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// Clients that others wrote, unmodified, in the versions that the tests were last run with.
const (
	hvac      = "hvac==2.4.0"
	nodeVault = "node-vault@0.12.0"
)

// cached makes a folder of the user's cache once, with commands that run in it.
func cached(t *testing.T, name string, commands ...[]string) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "zvault-test", name)
	marker := filepath.Join(dir, ".complete")
	if _, err := os.Stat(marker); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), c[0], c[1:]...) //nolint:gosec // commands of this file
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("installing %s: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

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
	dir := cached(t, "hvac-2.4.0", []string{"python3", "-m", "venv", "venv"}, []string{"venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", hvac})
	drive(t, nil, filepath.Join(dir, "venv", "bin", "python"), filepath.Join("testdata", "wire", "hvac_client.py"))
}

func TestNodeVault(t *testing.T) {
	t.Parallel()
	dir := cached(t, "node-vault-0.12.0", []string{"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", nodeVault})
	script, err := filepath.Abs(filepath.Join("testdata", "wire", "node_client.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	drive(t, []string{"NODE_PATH=" + filepath.Join(dir, "node_modules")}, "node", script)
}
