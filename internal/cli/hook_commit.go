package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/guard"
	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// maxBlob is the largest version of a file that is looked at, in bytes.
const maxBlob = 64 << 20

// blob is a version of a file in git.
type blob struct{ id, path string }

// hookCommit stops a commit with a stored value in it.
func (a *app) hookCommit(ctx context.Context) error {
	list, err := a.git(ctx, nil, "diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--diff-filter=ACMT")
	if err != nil {
		return err
	}
	staged := stagedBlobs(list)
	find, err := a.hookFinder(ctx)
	if err != nil {
		a.warn("the vault's values were not looked for: %v", err)
	}
	bad := 0
	err = a.eachBlob(ctx, staged, func(b blob, text []byte) {
		seen := map[string]bool{}
		if find != nil {
			for _, h := range find.Find(text) {
				if !seen[h.Secret] {
					seen[h.Secret] = true
					bad++
					_, _ = fmt.Fprintf(a.err, "zvault: %s:%d holds the value of %s\n", b.path, 1+bytes.Count(text[:h.Start], []byte("\n")), h.Secret)
				}
			}
		}
		if len(seen) == 0 && guard.IsEnvFile(path.Base(b.path)) && plainEntries(text) > 0 {
			bad++
			_, _ = fmt.Fprintf(a.err, "zvault: %s is a file of secrets\n", b.path)
		}
	})
	if err != nil {
		return err
	}
	if bad > 0 {
		_, _ = fmt.Fprintln(a.err, "hint: put the address (zvault://...) in its place; `git restore --staged FILE` takes a file out of the commit")
		return &statusError{exitFailed}
	}
	return nil
}

// plainEntries counts the entries of a .env that are values.
func plainEntries(text []byte) int {
	file, _ := dotenv.Parse(text)
	n := 0
	for _, e := range file.Effective() {
		if e.Value.Len() > 0 && !ref.MayRefer(e.Value.Reveal()) {
			n++
		}
	}
	return n
}

// stagedBlobs reads what `git diff --raw -z` prints.
func stagedBlobs(list []byte) []blob {
	var all []blob
	parts := strings.Split(string(list), "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		if meta := strings.Fields(parts[i]); len(meta) == 5 && strings.HasPrefix(meta[1], "100") {
			all = append(all, blob{id: meta[3], path: parts[i+1]})
		}
	}
	return all
}

func (a *app) git(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are this file's
	cmd.Dir, cmd.Stdin = a.dir, in
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("asking git: %w: %s", err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}

// eachBlob reads versions of files, one process for all of them.
func (a *app) eachBlob(ctx context.Context, all []blob, look func(blob, []byte)) error {
	if len(all) == 0 {
		return nil
	}
	var ids strings.Builder
	for _, b := range all {
		ids.WriteString(b.id + "\n")
	}
	cmd := exec.CommandContext(ctx, "git", "cat-file", "--batch")
	cmd.Dir, cmd.Stdin = a.dir, strings.NewReader(ids.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("asking git: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("asking git: %w", err)
	}
	err = readBatch(bufio.NewReaderSize(out, 1<<16), all, look)
	if err != nil {
		_, _ = io.Copy(io.Discard, out) // so that git can end
	}
	if waited := cmd.Wait(); waited != nil {
		err = errors.Join(err, waited)
	}
	if err != nil {
		return fmt.Errorf("reading versions of files from git: %w", err)
	}
	return nil
}

// readBatch reads what git cat-file --batch prints: for each, a line with id, type and size, the content, and a newline.
func readBatch(r *bufio.Reader, all []blob, look func(blob, []byte)) error {
	for _, b := range all {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		meta := strings.Fields(line)
		if len(meta) != 3 {
			continue // missing: not fetched
		}
		size, err := strconv.Atoi(meta[2])
		if err != nil {
			return err
		}
		if size > maxBlob {
			if _, err := io.CopyN(io.Discard, r, int64(size)+1); err != nil {
				return err
			}
			continue
		}
		text := make([]byte, size+1)
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		look(b, text[:size])
	}
	return nil
}
