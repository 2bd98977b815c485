package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Staged scans what the next commit of a git repository would add or change, as it is in the index.
func (s *Scanner) Staged(ctx context.Context, dir string) ([]Finding, error) {
	if _, err := git(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return nil, err
	}
	list, err := git(ctx, dir, "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=ACMT", "-z", "--relative")
	if err != nil {
		return nil, err
	}
	var paths []string
	for p := range strings.SplitSeq(string(list), "\x00") {
		if p != "" {
			paths = append(paths, p)
		}
	}
	return s.each(ctx, paths, func(path string) ([]Finding, error) {
		content, err := git(ctx, dir, "show", ":./"+path)
		if err != nil || len(content) > MaxFile {
			return nil, err
		}
		return s.content(path, content), nil
	})
}

// Tracked lists the files that a git repository has of those named.
func Tracked(ctx context.Context, dir string, names ...string) ([]string, error) {
	out, err := git(ctx, dir, append([]string{"ls-files", "-z", "--"}, names...)...)
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
}

// ErrNoRepository is returned where there is no git, or no repository.
var ErrNoRepository = errors.New("not in a git repository")

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if errors.Is(err, exec.ErrNotFound) || strings.Contains(complaint.String(), "not a git repository") {
		return nil, fmt.Errorf("asking git: %w", ErrNoRepository)
	}
	return nil, fmt.Errorf("asking git: %w: %s", err, strings.TrimSpace(complaint.String()))
}
