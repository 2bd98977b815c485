package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ignoreFiles list findings that are known, one fingerprint a line; # begins a comment. gitleaks' file has the same form.
var ignoreFiles = [...]string{".zvaultignore", ".gitleaksignore"}

// ignored is the set of fingerprints of known findings.
type ignored map[string]bool

// readIgnored reads the ignore files of a folder.
func readIgnored(folder string) (ignored, error) {
	all := ignored{}
	for _, name := range ignoreFiles {
		content, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // a fixed name in the folder that is scanned
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		for line := range bytes.Lines(content) {
			line, _, _ = bytes.Cut(line, []byte(" #"))
			if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
				all[string(line)] = true
			}
		}
	}
	return all, nil
}

// drop leaves out the findings that are known, in the commit where they were found or in any.
func (i ignored) drop(found []Finding) []Finding {
	return slices.DeleteFunc(found, func(f Finding) bool {
		return i[f.Fingerprint] || i[fmt.Sprintf("%s:%s:%d", f.File, f.Rule, f.Line)]
	})
}
