package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// matches reports whether the name of a file is to be hidden: the last pattern that fits decides.
func matches(patterns []string, name string) bool {
	hidden := false
	for _, p := range patterns {
		bare, exception := strings.CutPrefix(p, "!")
		// The patterns have been checked; the only error is of a bad one.
		if ok, err := path.Match(bare, name); err == nil && ok {
			hidden = !exception
		}
	}
	return hidden
}

// passedBy names folders that are not looked into: they hold many files and none that a person wrote a secret to.
func passedBy(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".jj", "node_modules", "__pycache__", ".venv", ".tox", ".gradle":
		return true
	}
	return false
}

// findNames walks the tree at root and returns the files to hide and all folders that it looked into. Folders that cannot be
// read, or are gone meanwhile, are left out: the program cannot read them either.
func findNames(root string, patterns []string) (files, folders []string, err error) {
	if len(patterns) == 0 {
		return nil, nil, nil
	}
	pending := []string{root}
	for len(pending) > 0 {
		dir := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		entries, err := readDir(dir)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		folders = append(folders, dir)
		for _, e := range entries {
			switch {
			case e.IsDir() && !passedBy(e.Name()):
				pending = append(pending, filepath.Join(dir, e.Name()))
			case !e.IsDir() && matches(patterns, e.Name()):
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	return files, folders, nil
}

// readDir is os.ReadDir without the sorting.
func readDir(dir string) ([]fs.DirEntry, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return entries, err
}
