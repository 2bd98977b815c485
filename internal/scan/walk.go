package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// skipped are folders that hold no source of this project.
var skipped = [...]string{".git", "node_modules", ".terraform", "__pycache__", ".venv"}

// Dir scans a file, or the files below a folder. If some cannot be read, it returns the findings in the others and an error that
// names those.
func (s *Scanner) Dir(ctx context.Context, root string) ([]Finding, error) {
	root, err := filepath.EvalSymlinks(root) // the one link that is followed
	if err != nil {
		return nil, fmt.Errorf("looking for files: %w", err)
	}
	var paths []string
	var unread []error
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			unread = append(unread, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && path != root && slices.Contains(skipped[:], d.Name()):
			return filepath.SkipDir
		case d.Type().IsRegular():
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for files: %w", err)
	}
	return s.files(ctx, root, paths, unread)
}

// files scans files below root, or root itself.
func (s *Scanner) files(ctx context.Context, root string, paths []string, unread []error) ([]Finding, error) {
	folder := root
	if slices.Equal(paths, []string{root}) {
		folder = filepath.Dir(root)
	}
	ignored, err := readIgnored(folder)
	if err != nil {
		return nil, err
	}
	found, errs := make([][]Finding, len(paths)), make([]error, len(paths))
	each(ctx, len(paths), func(i int) {
		name, err := filepath.Rel(folder, paths[i])
		if err != nil {
			name = paths[i]
		}
		all, err := s.open(ctx, filepath.ToSlash(name), paths[i])
		if err != nil {
			errs[i] = fmt.Errorf("reading %q: %w", paths[i], err)
		}
		found[i] = ignored.drop(all)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), errors.Join(append(unread, errs...)...)
}

// open scans a file on disk; one that has gone since it was seen holds nothing.
func (s *Scanner) open(ctx context.Context, name, path string) ([]Finding, error) {
	f, err := os.Open(path) //nolint:gosec // to read the files it is told to is what a scanner does
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := s.file(ctx, name, f)
	return found, errors.Join(err, f.Close())
}

// each calls do with 0 to n-1, some at a time, until the context ends.
func each(ctx context.Context, n int, do func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
}
