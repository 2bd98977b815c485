package editors

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// ErrElsewhere is returned for hooks of git that lie outside of the repository.
var ErrElsewhere = errors.New("git's hooks are kept outside of the repository")

// PreCommit is the hook that git runs before a commit, where core.hooksPath says; none outside of a repository.
func PreCommit(ctx context.Context, dir string) (*Target, error) {
	out, err := gitLines(ctx, dir, "rev-parse", "--show-toplevel", "--git-common-dir", "--git-path", "hooks")
	if err != nil || len(out) != 3 {
		return nil, nil //nolint:nilerr // no git, or no repository: nothing to guard
	}
	top, common, hooks := absolute(dir, out[0]), absolute(dir, out[1]), absolute(dir, out[2])
	if !below(hooks, top) && !below(hooks, common) {
		return nil, fmt.Errorf("%w, in %s", ErrElsewhere, hooks)
	}
	// Husky's hooks lie one up from where it sends git.
	if filepath.Base(hooks) == "_" && filepath.Base(filepath.Dir(hooks)) == ".husky" {
		hooks = filepath.Dir(hooks)
	}
	call := patch.Call{Line: "zvault hook pre-commit || exit 1 # added by zvault setup"}
	return &Target{Path: filepath.Join(hooks, "pre-commit"), Purpose: Commit, Mode: 0o755, Edits: []patch.Edit{call}}, nil
}

func gitLines(ctx context.Context, dir string, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are this file's
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("asking git: %w", err)
	}
	return strings.Split(strings.TrimRight(strings.ReplaceAll(string(out), "\r\n", "\n"), "\n"), "\n"), nil
}

func absolute(dir, path string) string {
	if path = filepath.FromSlash(path); !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return filepath.Clean(path)
}

func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
