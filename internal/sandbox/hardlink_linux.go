package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// inode identifies a file whatever its name.
type inode struct{ device, number uint64 }

// inodeOf returns the inode behind a regular file's description and how many names it has; 0 for what is no regular file.
func inodeOf(info fs.FileInfo) (inode, uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return inode{}, 0
	}
	return inode{st.Dev, st.Ino}, uint64(st.Nlink)
}

// addHardLinks hides the further names in the tree of files that are hidden. The tree is walked only if one of them has
// several names, which is rare.
func (s *ruleSet) addHardLinks(tree string) error {
	several := map[inode]bool{}
	for p, k := range s.kinds {
		info, err := lstat(p)
		if err != nil {
			return err
		}
		if info == nil || k != hidden {
			continue
		}
		if node, names := inodeOf(info); names > 1 {
			several[node] = true
		}
	}
	if len(several) == 0 {
		return nil
	}
	return filepath.WalkDir(tree, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return passable(err)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return passable(err)
		}
		if node, _ := inodeOf(info); several[node] {
			return s.add(p, hidden)
		}
		return nil
	})
}

// lstat describes a path; nil for one that is not there or not to be seen.
func lstat(p string) (fs.FileInfo, error) {
	info, err := os.Lstat(p)
	if err != nil {
		return nil, passable(err)
	}
	return info, nil
}

// passable drops the errors of files that the program cannot read either.
func passable(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
