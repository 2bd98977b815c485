package file

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// First is the name of a log's first file.
const First = "audit.log"

// Part is one file of a log.
type Part struct {
	Name string // without the folder
	Seq  uint64 // sequence number of its first line
	Size int64  // bytes that may be read; only Snapshot fills it in
}

// Name returns the name of the file whose first line has the sequence number seq.
func Name(seq uint64) string {
	if seq == 1 {
		return First
	}
	return fmt.Sprintf("audit-%012d.log", seq)
}

// parseName returns the sequence number in name if name is a log's.
func parseName(name string) (seq uint64, ok bool) {
	if name == First {
		return 1, true
	}
	digits, found := strings.CutPrefix(strings.TrimSuffix(name, ".log"), "audit-")
	if !found {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && Name(seq) == name
}

// Parts returns the files of the log in dir in order; none if the folder is not there.
func Parts(dir string) ([]Part, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("listing the audit log: %w", err)
	}
	var parts []Part
	for _, n := range names {
		if seq, ok := parseName(n.Name()); ok {
			parts = append(parts, Part{Name: n.Name(), Seq: seq})
		}
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Seq, b.Seq) })
	return parts, nil
}

// Snapshot returns the files of the log in dir in order with their sizes, the last one's at a moment at which nobody
// is writing to it.
func Snapshot(dir string) ([]Part, error) {
	parts, err := Parts(dir)
	if err != nil {
		return nil, err
	}
	for i := range parts {
		path := filepath.Join(dir, parts[i].Name)
		if parts[i].Size, err = quietSize(path, i == len(parts)-1); err != nil {
			return nil, fmt.Errorf("measuring the audit log: %w", err)
		}
	}
	return parts, nil
}

func quietSize(path string, quiet bool) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if quiet {
		if err := lockShared(f); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, unlock(f)) }()
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
