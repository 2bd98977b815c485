package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// RecordFile is the name of the record in the vault's folder.
const RecordFile = "setup.json"

// recordVersion is that of the format.
const recordVersion = 1

// Record says what was added to which files. It holds nothing of what else is in them.
type Record struct {
	Version int             `json:"version"`
	Files   map[string]File `json:"files"`

	path string
}

// File is what was added to one.
type File struct {
	// Created says that there was none before.
	Created bool `json:"created,omitempty"`
	// Users are the editors that it was set up for.
	Users []string `json:"users,omitempty"`
	// Made are containers that were added, Names what was.
	Made  []string `json:"made,omitempty"`
	Names []string `json:"names,omitempty"`
	// Hash is the SHA-256 of the file as Splices left it.
	Hash    string         `json:"hash"`
	Splices []patch.Splice `json:"splices"`
}

// OpenRecord reads the record in a folder; an empty one if there is none.
func OpenRecord(folder string) (*Record, error) {
	r := &Record{Version: recordVersion, Files: map[string]File{}, path: filepath.Join(folder, RecordFile)}
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.path, err)
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.path, err)
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("reading %s: it is of version %d, which is none of this zvault's", r.path, r.Version)
	}
	if r.Files == nil {
		r.Files = map[string]File{}
	}
	return r, nil
}

// edited is the hash of a file whose bytes before cannot be had back, because somebody has edited it between two changes.
const edited = "edited"

// Added notes a change that was written for an editor, or that there was nothing to change.
func (r *Record) Added(c *Change, editor string) {
	f, known := r.Files[c.Real]
	if c.Nothing() && !known {
		return // somebody else's doing
	}
	if !slices.Contains(f.Users, editor) {
		f.Users = append(f.Users, editor)
	}
	if !c.Nothing() {
		f.Created = f.Created || c.Created
		f.Made = append(f.Made, c.made...)
		f.Names = append(f.Names, c.Names...)
		if known && f.Hash != hash(c.before) {
			f.Hash, f.Splices = edited, nil
		} else {
			f.Hash, f.Splices = hash(c.after), append(f.Splices, c.Splices...)
		}
	}
	r.Files[c.Real] = f
}

// Others lists the editors besides one that a file was set up for.
func (r *Record) Others(c *Change, editor string) []string {
	return slices.DeleteFunc(slices.Clone(r.Files[c.Real].Users), func(u string) bool { return u == editor })
}

// Removed forgets that a file was set up for an editor, and the file with the last one.
func (r *Record) Removed(c *Change, editor string) {
	f := r.Files[c.Real]
	if f.Users = r.Others(c, editor); len(f.Users) == 0 {
		delete(r.Files, c.Real)
		return
	}
	r.Files[c.Real] = f
}

// Save writes the record; one that notes nothing is removed.
func (r *Record) Save() error {
	if len(r.Files) == 0 {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing %s: %w", r.path, err)
		}
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the record of what was set up: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o700); err != nil {
		return fmt.Errorf("writing %s: %w", r.path, err)
	}
	return replace(r.path, append(text, '\n'), 0o600)
}
