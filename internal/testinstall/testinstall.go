// Package testinstall installs programs of other people's registries for tests: once, in a folder of the user's cache.
package testinstall

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	tries = 3
	// patience bounds one try. A registry that stopped answering half way is asked again rather than waited for.
	patience = 2 * time.Minute
)

// one lets tests of a package that need the same programs wait for each other.
var one sync.Mutex

// NPM installs packages, given as name@version, and returns the folder that has node_modules.
func NPM(t testing.TB, name string, packages ...string) string {
	t.Helper()
	return Once(t, name, slices.Concat([]string{
		"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-timeout", "30000", "--fetch-retries", "4", "--prefix", ".",
	}, packages))
}

// Pip installs packages, given as name==version, and returns the path of a Python that has them.
func Pip(t testing.TB, name string, packages ...string) string {
	t.Helper()
	dir := Once(t, name, []string{"python3", "-m", "venv", "venv"},
		slices.Concat([]string{"venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "30"}, packages))
	return filepath.Join(dir, "venv", "bin", "python")
}

// Once runs commands in a folder of that name unless they have all succeeded there before. The test fails if one of them does
// not succeed in several tries.
func Once(t testing.TB, name string, commands ...[]string) string {
	t.Helper()
	one.Lock()
	defer one.Unlock()
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
		var out []byte
		for range tries {
			if out, err = run(t.Context(), dir, c); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatalf("installing %s: %q: %v\n%s", name, c, err, out)
		}
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(ctx context.Context, dir string, command []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // commands of tests
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	return cmd.CombinedOutput()
}
