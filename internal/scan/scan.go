// Package scan finds secrets in files and in what git is about to commit: by the rules of gitleaks, and by keyed fingerprints
// of the values that the vault itself holds, for which no value has to be opened.
//
// Start with [New] and [Scanner.Dir] or [Scanner.Staged]. A [Finding] never holds the secret.
//
// A line with the words zvault:allow or gitleaks:allow in it is passed over by the rules, not by the fingerprints: a value of
// the vault in a file is a leak whatever the line says.
package scan

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Finding is a secret in a file.
type Finding struct {
	// Rule is the id of the rule of gitleaks, or OwnRule for a value of the vault.
	Rule        string `json:"rule"`
	Description string `json:"description"`
	File        string `json:"file"` // relative to what was scanned, with forward slashes
	Line        int    `json:"line"`
	Column      int    `json:"column"` // in bytes, from 1
	// Secret is the address of the vault's secret, for OwnRule.
	Secret string `json:"secret,omitempty"`
	// Excerpt is the line with the secret masked.
	Excerpt string `json:"excerpt"`
}

// OwnRule is the rule of findings by fingerprint.
const OwnRule = "zvault-value"

// MaxFile is the size in bytes above which a file is not read.
const MaxFile = 10 << 20

// Scanner holds the rules and fingerprints. It is safe for concurrent use.
type Scanner struct {
	rules *ruleSet
	own   *Finder
}

// New makes a Scanner; own may be nil.
func New(own *Finder) (*Scanner, error) {
	rules, err := loadRules()
	if err != nil {
		return nil, fmt.Errorf("loading the rules: %w", err)
	}
	return &Scanner{rules: rules, own: own}, nil
}

// Bytes scans the content of one file.
func (s *Scanner) Bytes(name string, content []byte) []Finding {
	text := newText(name, content)
	all := s.rules.find(text)
	if s.own != nil {
		for _, h := range s.own.Find(content) {
			all = append(all, text.finding(OwnRule, "a value that the vault holds ("+h.Form+")", h.Start, h.End, h.Secret))
		}
	}
	slices.SortFunc(all, compare)
	all = slices.CompactFunc(all, func(a, b Finding) bool { return compare(a, b) == 0 })
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool {
		return f.Rule == genericRule && slices.ContainsFunc(all, func(o Finding) bool { return o.Rule != genericRule && o.Line == f.Line })
	})
}

// genericRule finds what looks like a key of any kind; a finding that says of which kind it is says more.
const genericRule = "generic-api-key"

func compare(a, b Finding) int {
	return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Rule, b.Rule), strings.Compare(a.Secret, b.Secret))
}

// skipped are folders that hold no source of this project.
var skipped = []string{".git", "node_modules", ".terraform", "__pycache__", ".venv"}

// Dir scans a file, or the files below a folder. Symbolic links are not followed; binary and huge files are passed over.
func (s *Scanner) Dir(ctx context.Context, root string) ([]Finding, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && path != root && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case d.Type().IsRegular():
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for files: %w", err)
	}
	return s.each(ctx, paths, func(path string) ([]Finding, error) {
		info, err := os.Stat(path)
		if err != nil || info.Size() > MaxFile {
			return nil, err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := path
		if rel, err := filepath.Rel(root, path); err == nil && rel != "." {
			name = rel
		}
		return s.content(filepath.ToSlash(name), content), nil
	})
}

// content scans what is no binary file.
func (s *Scanner) content(name string, content []byte) []Finding {
	if bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 {
		return nil
	}
	return s.Bytes(name, content)
}

// workers is how many files are scanned at once.
const workers = 4

// each scans paths side by side; the findings come in their order.
func (s *Scanner) each(ctx context.Context, paths []string, one func(string) ([]Finding, error)) ([]Finding, error) {
	found, errs := make([][]Finding, len(paths)), make([]error, len(paths))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				found[i], errs[i] = one(paths[i])
			}
		})
	}
	for i := range paths {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", paths[i], err)
		}
	}
	return slices.Concat(found...), nil
}
