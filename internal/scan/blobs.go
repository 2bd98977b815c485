package scan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// blobs scans versions of files. One git process hands out their contents.
func (s *Scanner) blobs(ctx context.Context, dir string, all []blob) ([]Finding, error) {
	ignored, err := readIgnored(dir)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, err := startCat(ctx, dir, all)
	if err != nil {
		return nil, err
	}
	found := make([][]Finding, len(all))
	var reading sync.Mutex
	next, failed := 0, error(nil)
	each(ctx, len(all), func(int) {
		reading.Lock()
		i := next
		next++
		var content []byte
		whole := false
		if failed == nil {
			content, found[i], failed = s.blob(ctx, reader, all[i])
			whole = failed == nil && content != nil
		}
		reading.Unlock()
		if whole {
			found[i] = s.Bytes(all[i].path, content)
		}
		found[i] = ignored.drop(inCommit(all[i].commit, found[i]))
	})
	if failed != nil || ctx.Err() != nil {
		cancel()
	}
	err = reader.close()
	if failed = errors.Join(ctx.Err(), failed); failed != nil {
		return nil, fmt.Errorf("reading from git: %w", failed)
	}
	return slices.Concat(found...), err
}

// blob reads the next blob: its content, or, of one that is too large to be held as a whole, the findings in it.
func (s *Scanner) blob(ctx context.Context, reader *catFile, b blob) ([]byte, []Finding, error) {
	size, err := reader.next(b.id)
	if err != nil {
		return nil, nil, err
	}
	if size <= int64(s.piece) {
		content, err := reader.content(size)
		return content, nil, err
	}
	rest := &io.LimitedReader{R: reader.out, N: size}
	found, err := s.file(ctx, b.path, rest)
	if err != nil {
		return nil, nil, err
	}
	_, err = io.CopyN(io.Discard, reader.out, rest.N+1) // what was not looked at, and a line end
	return nil, found, err
}

// inCommit notes where findings are from.
func inCommit(commit string, found []Finding) []Finding {
	if commit != "" {
		for i := range found {
			found[i].Commit = commit
			found[i].Fingerprint = commit + ":" + found[i].Fingerprint
		}
	}
	return found
}

// catFile is a git cat-file --batch that was asked for blobs.
type catFile struct {
	cmd       *exec.Cmd
	out       *bufio.Reader
	complaint bytes.Buffer
}

func startCat(ctx context.Context, dir string, all []blob) (*catFile, error) {
	c := &catFile{cmd: exec.CommandContext(ctx, "git", "cat-file", "--batch")}
	c.cmd.Dir = dir
	c.cmd.Stderr = &c.complaint
	var ids strings.Builder
	for _, b := range all {
		ids.WriteString(b.id + "\n")
	}
	c.cmd.Stdin = strings.NewReader(ids.String())
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting git: %w", err)
	}
	c.out = bufio.NewReaderSize(out, 64<<10)
	if err := c.cmd.Start(); err != nil {
		return nil, gitError(err, nil)
	}
	return c, nil
}

var errBlob = errors.New("an answer of git that is none")

// next returns the size of the next blob, whose content and a line end follow.
func (c *catFile) next(id string) (int64, error) {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	head := strings.Fields(line)
	if len(head) != 3 || head[0] != id || head[1] != "blob" {
		return 0, fmt.Errorf("%w: %q", errBlob, line)
	}
	size, err := strconv.ParseInt(head[2], 10, 64)
	if err != nil || size < 0 {
		return 0, fmt.Errorf("%w: %q", errBlob, line)
	}
	return size, nil
}

// content reads a blob of a size.
func (c *catFile) content(size int64) ([]byte, error) {
	content := make([]byte, size+1) // and a line end
	if _, err := io.ReadFull(c.out, content); err != nil {
		return nil, err
	}
	return content[:size], nil
}

func (c *catFile) close() error { return gitError(c.cmd.Wait(), c.complaint.Bytes()) }

// isRegular reports whether there is a regular file; not an error if there is none.
func isRegular(path string) (bool, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	return err == nil && info.Mode().IsRegular(), err
}
