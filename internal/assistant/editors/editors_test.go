package editors_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tailscale/hujson"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// paths lists the files of an editor.
func paths(e editors.Editor, p editors.Places, user bool) []string {
	var all []string
	for _, t := range e.Targets(p, user) {
		all = append(all, filepath.ToSlash(t.Path))
	}
	return all
}

func TestEditors_Paths(t *testing.T) {
	t.Parallel()
	env := func(set map[string]string) func(string) string { return func(k string) string { return set[k] } }
	for _, c := range []struct {
		id, goos string
		env      map[string]string
		user     bool
		want     []string
	}{
		{"cursor", "linux", nil, false, []string{"/p/.cursor/mcp.json", "/p/.cursor/hooks.json", "/p/.cursorignore"}},
		{"cursor", "windows", nil, true, []string{"/h/.cursor/mcp.json", "/h/.cursor/hooks.json"}},
		{"claude-code", "linux", nil, false, []string{"/p/.mcp.json", "/p/.claude/settings.json"}},
		{"claude-code", "linux", nil, true, []string{"/h/.claude.json", "/h/.claude/settings.json"}},
		{"claude-code", "linux", map[string]string{"CLAUDE_CONFIG_DIR": "/c"}, true, []string{"/c/.claude.json", "/c/settings.json"}},
		{"claude-desktop", "linux", nil, false, []string{"/h/.config/Claude/claude_desktop_config.json"}},
		{"claude-desktop", "darwin", nil, false, []string{"/h/Library/Application Support/Claude/claude_desktop_config.json"}},
		{"claude-desktop", "windows", map[string]string{"APPDATA": "/a"}, true, []string{"/a/Claude/claude_desktop_config.json"}},
		{"vscode", "linux", nil, false, []string{"/p/.vscode/mcp.json", "/p/.github/hooks/zvault.json"}},
		{"vscode", "darwin", nil, true, []string{"/h/Library/Application Support/Code/User/mcp.json", "/h/.copilot/hooks/zvault.json"}},
		{"windsurf", "linux", nil, false, []string{"/h/.codeium/windsurf/mcp_config.json", "/p/.windsurf/hooks.json", "/p/.codeiumignore"}},
		{"zed", "linux", map[string]string{"XDG_CONFIG_HOME": "/x"}, true, []string{"/x/zed/settings.json"}},
		{"zed", "windows", nil, true, []string{"/h/AppData/Roaming/Zed/settings.json"}},
		{"codex", "linux", map[string]string{"CODEX_HOME": "/c"}, true, []string{"/c/config.toml", "/c/hooks.json"}},
		{"codex", "linux", nil, false, []string{"/p/.codex/config.toml", "/p/.codex/hooks.json"}},
		{"gemini", "linux", nil, false, []string{"/p/.gemini/settings.json", "/p/.geminiignore", "/p/.aiexclude"}},
		{"kiro", "linux", nil, true, []string{"/h/.kiro/settings/mcp.json", "/h/.kiro/hooks/zvault.json"}},
		{"continue", "linux", nil, false, []string{"/p/.continue/mcpServers/zvault.yaml", "/p/.continueignore"}},
		{"generic", "linux", nil, false, []string{"/p/.mcp.json", "/p/.aiignore", "/p/.aiexclude"}},
	} {
		e, ok := editors.Find(c.id)
		if !ok {
			t.Fatalf("there is no %s", c.id)
		}
		p := editors.Places{GOOS: c.goos, Home: "/h", Project: "/p", Getenv: env(c.env)}
		if diff := cmp.Diff(c.want, paths(e, p, c.user)); diff != "" {
			t.Errorf("%s on %s: %s", c.id, c.goos, diff)
		}
	}
}

// What every editor gets can be added to an empty file, is what its format wants, and goes again without a trace.
func TestEditors_Edits(t *testing.T) {
	t.Parallel()
	p := editors.Places{GOOS: "linux", Home: "/h", Project: "/p", Getenv: func(string) string { return "" }}
	for _, e := range editors.All() {
		for _, target := range e.Targets(p, false) {
			var text []byte
			for _, edit := range target.Edits {
				splices, _, err := edit.Add(text)
				if err != nil {
					t.Fatalf("%s %s: %v", e.ID, target.Path, err)
				}
				if text, err = patch.Apply(text, splices); err != nil {
					t.Fatal(err)
				}
			}
			if filepath.Ext(target.Path) == ".json" {
				plain, err := hujson.Standardize(text)
				if err != nil || !json.Valid(plain) {
					t.Errorf("%s %s: %s", e.ID, target.Path, text)
				}
			}
			if target.Purpose == editors.Server && !strings.Contains(string(text), "mcp-server") {
				t.Errorf("%s %s starts nothing: %s", e.ID, target.Path, text)
			}
			if e.HasProtocol && strings.Contains(string(target.Purpose), string(editors.Hooks)) && !strings.Contains(string(text), "zvault hook "+e.ID) {
				t.Errorf("%s %s asks nobody: %s", e.ID, target.Path, text)
			}
			for i := len(target.Edits) - 1; i >= 0; i-- {
				splices, err := target.Edits[i].Remove(text, func(string) bool { return true })
				if err != nil {
					t.Fatal(err)
				}
				if text, err = patch.Apply(text, splices); err != nil {
					t.Fatal(err)
				}
			}
			if !patch.Empty(text) {
				t.Errorf("%s %s keeps %q", e.ID, target.Path, text)
			}
		}
	}
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

func TestPreCommit(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if target, err := editors.PreCommit(t.Context(), dir); err != nil || target != nil {
		t.Errorf("without a repository: %v, %v", target, err)
	}
	run(t, dir, "init", "-q", ".")
	want := func(path string) {
		t.Helper()
		target, err := editors.PreCommit(t.Context(), dir)
		if err != nil || target.Path != filepath.Join(dir, path) {
			t.Errorf("%+v, %v", target, err)
		}
	}
	want(".git/hooks/pre-commit")
	run(t, dir, "config", "core.hooksPath", "tools/hooks")
	want("tools/hooks/pre-commit")
	run(t, dir, "config", "core.hooksPath", ".husky/_")
	want(".husky/pre-commit")
	run(t, dir, "config", "core.hooksPath", t.TempDir())
	if _, err := editors.PreCommit(t.Context(), dir); !errors.Is(err, editors.ErrElsewhere) {
		t.Error(err)
	}
}
