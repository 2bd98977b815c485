package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Staged scans what the next commit of a git repository would add or change, as it is in the index.
func (s *Scanner) Staged(ctx context.Context, dir string) ([]Finding, error) {
	// Outside of a repository git diff compares folders, and complains of something else.
	if _, err := git(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return nil, err
	}
	list, err := git(ctx, dir, "diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--diff-filter=ACMT", "--relative")
	if err != nil {
		return nil, err
	}
	return s.blobs(ctx, dir, parseRaw(list))
}

// History scans every version of every file in all commits that the repository's branches and tags reach, the oldest first.
// A content that is there more than once is scanned once, under its first name.
func (s *Scanner) History(ctx context.Context, dir string) ([]Finding, error) {
	list, err := git(ctx, dir, "-c", "log.showSignature=false", "log", "--all", "--reverse", "--date-order", "--raw", "-z", "-m", "--root",
		"--no-renames", "--no-abbrev", "--no-ext-diff", "--no-notes", "--diff-filter=ACMT", "--format=%H")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var first []blob
	for _, b := range parseRaw(list) {
		if !seen[b.id] {
			seen[b.id] = true
			first = append(first, b)
		}
	}
	return s.blobs(ctx, dir, first)
}

// Repository scans the files of a git repository as they are on disk: those that git tracks and those that it would not ignore.
func (s *Scanner) Repository(ctx context.Context, dir string) ([]Finding, error) {
	list, err := git(ctx, dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, name := range fields(list) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if regular, err := isRegular(path); err != nil {
			return nil, err
		} else if regular {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return s.files(ctx, dir, paths, nil)
}

// Commit returns when a commit was made, and by whom.
func Commit(ctx context.Context, dir, id string) (at time.Time, author string, err error) {
	out, err := git(ctx, dir, "-c", "log.showSignature=false", "show", "-s", "--no-notes", "--format=%cI%x00%an <%ae>", id, "--")
	if err != nil {
		return time.Time{}, "", err
	}
	stamp, author, _ := strings.Cut(strings.TrimSpace(string(out)), "\x00")
	at, err = time.Parse(time.RFC3339, stamp)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("reading the time of commit %s: %w", id, err)
	}
	return at.UTC(), author, nil
}

// Tracked lists the files that a git repository has of those named.
func Tracked(ctx context.Context, dir string, names ...string) ([]string, error) {
	out, err := git(ctx, dir, append([]string{"ls-files", "-z", "--"}, names...)...)
	if err != nil {
		return nil, err
	}
	return fields(out), nil
}

// fields splits what git ends with NUL.
func fields(list []byte) []string {
	return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
}

// blob is a version of a file in git.
type blob struct {
	id, path, commit string
}

// parseRaw reads what git's --raw -z prints: before each path a line of modes, ids and status that begins with a colon, in a
// log also the ids of commits. It takes regular files only: no links, no submodules.
func parseRaw(list []byte) []blob {
	var all []blob
	commit := ""
	tokens := strings.Split(string(list), "\x00")
	for i := 0; i < len(tokens); i++ {
		token := strings.TrimPrefix(tokens[i], "\n")
		if !strings.HasPrefix(token, ":") {
			commit = token
			continue
		}
		i++ // the path
		meta := strings.Fields(token)
		if i < len(tokens) && len(meta) == 5 && strings.HasPrefix(meta[1], "100") {
			all = append(all, blob{id: meta[3], path: tokens[i], commit: commit})
		}
	}
	return all
}

// ErrNoRepository is returned where there is no git, or no repository.
var ErrNoRepository = errors.New("not in a git repository")

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are this package's, and names behind --
	cmd.Dir = dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	return out, gitError(err, complaint.Bytes())
}

func gitError(err error, complaint []byte) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound) || bytes.Contains(complaint, []byte("not a git repository")):
		return fmt.Errorf("asking git: %w", ErrNoRepository)
	}
	return fmt.Errorf("asking git: %w: %s", err, bytes.TrimSpace(complaint))
}
