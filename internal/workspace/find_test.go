package workspace_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// lay writes files below a new directory and returns it.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := lay(t, map[string]string{
		".zvault.toml":                         whole,
		"services/billing/deep/main.go":        "",
		"services/billing2/main.go":            "",
		"services/mail/main.go":                "",
		"services/mail/inner/.zvault.toml":     "[project]\nname = \"inner\"\n",
		"services/mail/inner/src/x/.gitignore": "",
		"linked/.zvault.toml":                  "[cloud]\nproject = \"far\"\n",
	})
	for dir, want := range map[string][3]string{
		"":                            {"", "shop", "staging"},
		"services":                    {"", "shop", "staging"},
		"services/billing":            {"", "billing", "staging"},
		"services/billing/deep":       {"", "billing", "staging"},
		"services/billing2":           {"", "shop", "staging"},
		"services/mail":               {"", "mail", "production"},
		"services/mail/inner":         {"services/mail/inner", "inner", "development"},
		"services/mail/inner/src/x":   {"services/mail/inner", "inner", "development"},
		"linked":                      {"linked", "", "development"},
		"services/not/there/yet":      {"", "shop", "staging"},
		"services/billing/../mail/./": {"", "mail", "production"},
	} {
		w, err := workspace.Find(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil {
			t.Errorf("%q: %v", dir, err)
			continue
		}
		if got := [3]string{w.Root, w.Project, w.Env}; got != [3]string{filepath.Join(root, filepath.FromSlash(want[0])), want[1], want[2]} {
			t.Errorf("%q: %q; want %q", dir, got, want)
		}
		if w.File() != filepath.Join(w.Root, ".zvault.toml") {
			t.Errorf("%q: the file is %q", dir, w.File())
		}
	}
}

// Of several paths that a directory lies below the longest counts, whatever their order.
func TestFind_LongestPath(t *testing.T) {
	t.Parallel()
	const a, b = "[[path]]\npath = \"x\"\nproject = \"short\"\ndefault_env = \"staging\"\n", "[[path]]\npath = \"x/y\"\nproject = \"long\"\n"
	for _, text := range []string{a + b, b + a} {
		root := lay(t, map[string]string{".zvault.toml": text, "x/y/z/f": ""})
		w, err := workspace.Find(filepath.Join(root, "x", "y", "z"))
		must(t, err)
		if w.Project != "long" || w.Env != workspace.DefaultEnv {
			t.Errorf("project %q, environment %q", w.Project, w.Env)
		}
	}
}

func TestFind_None(t *testing.T) {
	t.Parallel()
	if _, err := workspace.Find(t.TempDir()); !errors.Is(err, workspace.ErrNone) {
		t.Errorf("no file: %v", err)
	}
	// The search ends at the root, for a directory that there is not just as well.
	for _, dir := range []string{string(filepath.Separator), filepath.Join(t.TempDir(), "none", "at", "all")} {
		if _, err := workspace.Find(dir); !errors.Is(err, workspace.ErrNone) {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

// A bad file ends the search: a good one above it must not be taken for it.
func TestFind_BadFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown key": {"[project]\nname = \"a\"\nevn = \"x\"\n", "line 3"}, "no TOML": {"\n???\n", "line 2"}, "no project": {"", "names no project"},
		"only of others": {"[[path]]\npath = \"other\"\nproject = \"other\"\n", "names no project for this directory"},
	} {
		root := lay(t, map[string]string{".zvault.toml": whole, "below/.zvault.toml": c.text})
		_, err := workspace.Find(filepath.Join(root, "below"))
		file := filepath.Join(root, "below", ".zvault.toml")
		if err == nil || errors.Is(err, workspace.ErrNone) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := lay(t, map[string]string{".zvault.toml": whole, "below/.zvault.toml/f": ""})
	if _, err := workspace.Find(filepath.Join(root, "below")); err == nil || errors.Is(err, workspace.ErrNone) {
		t.Errorf("a directory of that name: %v", err)
	}
}
