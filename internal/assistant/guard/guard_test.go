package guard_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/guard"
)

func newGuard(t testing.TB) guard.Guard {
	t.Helper()
	dir := t.TempDir()
	g := guard.Guard{Home: filepath.Join(dir, "me"), Vault: filepath.Join(dir, "me", ".zvault"), Dir: filepath.Join(dir, "me", "app")}
	for _, d := range []string{g.Vault, g.Dir, filepath.Join(g.Dir, "clean")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(g.Dir, ".env"), []byte("A=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

// lines reads a list of testdata; what begins with # is about it.
func lines(t testing.TB, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read from
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "# ") {
			all = append(all, strings.ReplaceAll(line, `\n`, "\n"))
		}
	}
	if len(all) < 20 {
		t.Fatalf("%s has %d lines", name, len(all))
	}
	return all
}

func TestGuard_Command(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	for _, line := range lines(t, "stopped.txt") {
		if r := g.Command(line); !r.Stops() {
			t.Errorf("let through: %s", line)
		}
	}
	for _, line := range lines(t, "permitted.txt") {
		if r := g.Command(line); r.Stops() {
			t.Errorf("stopped: %s: %s", line, r.Reason)
		}
	}
}

func TestGuard_Arguments(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	for _, args := range [][]string{{"bash", "-lc", "env"}, {"env"}, {"cat", ".env"}, {"/usr/bin/printenv"}} {
		if !g.Arguments(args).Stops() {
			t.Errorf("let through: %q", args)
		}
	}
	if r := g.Arguments([]string{"bash", "-lc", "ls; go test ./..."}); r.Stops() {
		t.Error(r)
	}
}

func TestGuard_File(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	link := filepath.Join(g.Dir, "notes.txt")
	if err := os.Symlink(".env", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		".env", "./.env", "sub/../.env", "/x/.ENV", ".env.local", ".env.production", "config/prod.env", ".envrc", "~/.zvault/vault.db", g.Vault, "../.zvault/audit/audit.log",
		"/proc/self/environ", "/proc/1/environ", "/proc/self/task/1/environ", link, "file:///x/.env", `sub\.env`, "~/.ssh/id_ed25519", "~/.aws/credentials",
	} {
		if !g.File(name).Stops() {
			t.Errorf("let through: %s", name)
		}
	}
	for _, name := range []string{
		"", "main.go", ".env.zvault", ".env.example", ".env.sample", "env.go", "environment.md", "src/.envoy/x", "~/.zvaultx/y", "~/.ssh/id_ed25519.pub", "/proc/self/status",
	} {
		if r := g.File(name); r.Stops() {
			t.Errorf("stopped: %s: %s", name, r)
		}
	}
}

func TestSecretName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"STRIPE_KEY", "GITHUB_TOKEN", "PGPASSWORD", "DATABASE_URL", "my_secret", "AWS_SECRET_ACCESS_KEY"} {
		if !guard.SecretName(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range []string{"PATH", "HOME", "PWD", "SSH_AUTH_SOCK", "NODE_ENV", "MONKEY", "KEYBOARD_LAYOUT", "a b", ""} {
		if guard.SecretName(name) {
			t.Errorf("%s is a secret", name)
		}
	}
}

// A command that is stopped stays so whatever comes before and behind it.
func FuzzGuard_Command(f *testing.F) {
	for _, seed := range []string{"ls", "echo 'a'", "cd x", "true ||", "a | b", "x=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, other string) {
		g := guard.Guard{Home: "/h", Vault: "/h/.zvault", Dir: "/h/app"}
		for _, line := range []string{"env; " + other, "cat .env\n" + other} {
			if !g.Command(line).Stops() {
				t.Fatalf("let through: %q", line)
			}
		}
	})
}
