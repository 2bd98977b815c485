package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A rule says what the program sees at a path and below it, as far as no rule for a longer path says otherwise.
type rule struct {
	Path string
	Kind kind
}

type kind int

// In rising strength.
const (
	scratch   kind = iota // an empty writable folder of its own
	readOnly              // as outside, without writing
	readWrite             // as outside
	hidden                // empty
)

// ruleSet collects rules by real path. A stronger kind at the same path takes the place of a weaker one.
type ruleSet struct {
	kinds map[string]kind
	// absent are hidden paths where nothing is yet.
	absent []string
}

// add takes a path in. Both the path and what it leads to count; one that does not exist is noted if it is to be hidden.
func (s *ruleSet) add(p string, k kind) error {
	p = filepath.Clean(p)
	realPath, err := filepath.EvalSymlinks(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if k == hidden {
			s.absent = append(s.absent, realParent(p))
		}
		return nil
	case errors.Is(err, fs.ErrPermission):
		return nil // then the program cannot reach it either
	case err != nil:
		return fmt.Errorf("following %q: %w", p, err)
	}
	if realPath == "/" && k == hidden {
		return errors.New("hiding the root directory: nothing could be started")
	}
	if old, ok := s.kinds[realPath]; !ok || k > old {
		s.kinds[realPath] = k
	}
	return nil
}

// realParent follows the links of all but the last part of a path that does not exist.
func realParent(p string) string {
	parent, err := filepath.EvalSymlinks(filepath.Dir(p))
	if err != nil {
		return p
	}
	return filepath.Join(parent, filepath.Base(p))
}

// sorted returns the rules with outer paths before those in them.
func (s *ruleSet) sorted() []rule {
	rules := make([]rule, 0, len(s.kinds))
	for p, k := range s.kinds {
		rules = append(rules, rule{p, k})
	}
	slices.SortFunc(rules, func(a, b rule) int { return strings.Compare(a.Path, b.Path) })
	return rules
}

// within reports whether path is dir or lies in it.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// kindOf returns what applies to a path: the rule with the longest path, and readOnly without any.
func kindOf(rules []rule, path string) kind {
	k := readOnly
	longest := -1
	for _, r := range rules {
		if within(path, r.Path) && len(r.Path) > longest {
			k, longest = r.Kind, len(r.Path)
		}
	}
	return k
}
