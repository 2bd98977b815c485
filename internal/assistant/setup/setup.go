// Package setup brings files of editors to hold what zvault needs of them, says what is missing, and takes it out again. A file is
// written whole or not at all, and only where the one change was worked out for all of its edits.
//
// What was added is noted in a [Record], so that undoing it gives the very bytes there were before. Where the file has changed since, or
// the record is on another machine, what is still there as it was added is removed and the rest left.
package setup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// Change is what is to be done to one file.
type Change struct {
	// Path is the file as it is named, Real where it lies if links lead elsewhere.
	Path, Real string
	Purpose    editors.Purpose
	// Created and Deleted say that there is no file before or after.
	Created, Deleted bool
	Splices          []patch.Splice
	// Names say what is added or removed.
	Names []string
	// Kept says what is left alone, because somebody has changed it.
	Kept []error

	before, after []byte
	mode          fs.FileMode
	made          []string
}

// Nothing reports whether the file stays as it is.
func (c *Change) Nothing() bool { return len(c.Splices) == 0 && !c.Deleted }

// load reads the file behind a name. A name that leads nowhere is an error: a link to write through must lead somewhere.
func load(t editors.Target) (*Change, error) {
	c := &Change{Path: t.Path, Purpose: t.Purpose, mode: t.Mode}
	real, err := filepath.EvalSymlinks(t.Path)
	switch {
	case err == nil:
		c.Real = real
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(t.Path); err == nil {
			return nil, fmt.Errorf("%s: a link that leads nowhere", t.Path)
		}
		c.Created = true
		c.Real = filepath.Join(realFolder(filepath.Dir(t.Path)), filepath.Base(t.Path))
		return c, nil
	default:
		return nil, fmt.Errorf("finding %s: %w", t.Path, err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", t.Path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a file", t.Path)
	}
	c.mode = info.Mode().Perm()
	if c.before, err = os.ReadFile(real); err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.Path, err)
	}
	return c, nil
}

// realFolder follows links as far as the folder exists.
func realFolder(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	if parent := filepath.Dir(dir); parent != dir {
		return filepath.Join(realFolder(parent), filepath.Base(dir))
	}
	return dir
}

// Plan works out what a file lacks. Nothing is written. An error of patch says why it cannot be added.
func Plan(t editors.Target) (*Change, error) {
	c, err := load(t)
	if err != nil {
		return nil, err
	}
	text := c.before
	for _, e := range t.Edits {
		splices, made, err := e.Add(text)
		if err == nil && len(splices) > 0 {
			c.Names = append(c.Names, e.Name())
			c.made = append(c.made, made...)
			c.Splices = append(c.Splices, splices...)
			text, err = patch.Apply(text, splices)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Path, err)
		}
	}
	if t.Purpose == editors.Commit {
		c.mode |= 0o111 & (c.mode>>2 | 0o100)
	}
	c.after = text
	return c, nil
}

// Undo works out how to take out what was added, with what the record says about it.
func Undo(t editors.Target, r *Record) (*Change, error) {
	c, err := load(t)
	if err != nil {
		return nil, err
	}
	c.after = c.before
	if c.Created {
		c.Created = false
		return c, nil
	}
	noted, known := r.Files[c.Real]
	if known && noted.Hash == hash(c.before) {
		c.Splices = patch.Revert(noted.Splices)
		if c.after, err = patch.Apply(c.before, c.Splices); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Path, err)
		}
		c.Names = noted.Names
		c.Deleted = noted.Created
		return c, nil
	}
	if err := c.remove(t, noted, known); err != nil {
		return nil, err
	}
	c.Deleted = len(c.Splices) > 0 && (noted.Created || !known) && gone(c.after)
	return c, nil
}

// remove takes the edits out of a file that has changed since.
func (c *Change) remove(t editors.Target, noted File, known bool) error {
	empty := func(container string) bool {
		for _, made := range noted.Made {
			if made == container {
				return true
			}
		}
		return !known
	}
	for i := len(t.Edits) - 1; i >= 0; i-- {
		splices, err := t.Edits[i].Remove(c.after, empty)
		if errors.Is(err, patch.ErrChanged) {
			c.Kept = append(c.Kept, fmt.Errorf("%s: %w", t.Path, err))
			continue
		}
		if err != nil && !errors.Is(err, patch.ErrTaken) {
			return fmt.Errorf("%s: %w", t.Path, err)
		}
		if len(splices) == 0 || err != nil {
			continue
		}
		c.Names = append(c.Names, t.Edits[i].Name())
		c.Splices = append(c.Splices, splices...)
		if c.after, err = patch.Apply(c.after, splices); err != nil {
			return fmt.Errorf("%s: %w", t.Path, err)
		}
	}
	return nil
}

// gone reports whether a file is left with nothing in it.
func gone(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 || patch.Empty(text) }

// Outside reports whether the file lies, behind links, in none of the folders.
func (c *Change) Outside(folders ...string) bool {
	for _, dir := range folders {
		rel, err := filepath.Rel(realFolder(dir), c.Real)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return false
		}
	}
	return true
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Write does it: a file beside the old one takes its place. Fails if the file has changed since it was read.
func (c *Change) Write() error {
	if c.Nothing() {
		return nil
	}
	now, err := os.ReadFile(c.Real)
	if err != nil && !(c.Created && errors.Is(err, fs.ErrNotExist)) {
		return fmt.Errorf("writing %s: %w", c.Path, err)
	}
	if !bytes.Equal(now, c.before) {
		return fmt.Errorf("writing %s: it has changed in the meantime", c.Path)
	}
	if c.Deleted {
		if err := os.Remove(c.Real); err != nil {
			return fmt.Errorf("removing %s: %w", c.Path, err)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Real), 0o755); err != nil { //nolint:gosec // folders of settings in a project are everybody's
		return fmt.Errorf("writing %s: %w", c.Path, err)
	}
	return replace(c.Real, c.after, c.mode)
}

// replace writes beside the file and renames.
func replace(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
