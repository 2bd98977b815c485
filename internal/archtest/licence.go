package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A Requirement is a module that go.mod names.
type Requirement struct {
	Path     string
	Version  string
	Indirect bool // another module needs it, we do not import it
}

// Requirements returns what the go.mod in dir requires, sorted by path.
func Requirements(dir string) ([]Requirement, error) {
	out, err := goCommand(dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct{ Require []Requirement }
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, fmt.Errorf("reading go.mod: %w", err)
	}
	slices.SortFunc(mod.Require, func(a, b Requirement) int { return strings.Compare(a.Path, b.Path) })
	return mod.Require, nil
}

// ModuleCache returns the folder where Go keeps the modules it has downloaded.
func ModuleCache(dir string) (string, error) {
	out, err := goCommand(dir, "env", "GOMODCACHE")
	return strings.TrimSpace(string(out)), err
}

func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running go %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return out, nil
}

// Folder returns where the module's files are in the module cache. Capitals are written as ! and the small letter there.
func (r Requirement) Folder(cache string) string {
	var b strings.Builder
	for _, c := range r.Path + "@" + r.Version {
		if unicode.IsUpper(c) {
			b.WriteByte('!')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return filepath.Join(cache, filepath.FromSlash(b.String()))
}

// Compatible lists the licences of libraries that may be linked into a binary under MIT OR Apache-2.0. MPL-2.0 binds the
// library's own files: they stay under it, unchanged and with their notices.
var Compatible = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unlicense"}

// ErrNoLicence is returned for a module without a licence text that is known.
var ErrNoLicence = errors.New("no licence text that is known")

// LicenceOf names the licence of the module in the folder: the SPDX names of the texts in its licence files, joined by
// " AND ".
func LicenceOf(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !isLicenceFile(e.Name()) {
			continue
		}
		text, err := fs.ReadFile(os.DirFS(folder), e.Name())
		if err != nil {
			return "", err
		}
		names = append(names, licencesIn(string(text))...)
	}
	if len(names) == 0 {
		return "", fmt.Errorf("reading %s: %w", folder, ErrNoLicence)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " AND "), nil
}

func isLicenceFile(name string) bool {
	stem := strings.ToUpper(name)
	return strings.HasPrefix(stem, "LICENSE") || strings.HasPrefix(stem, "LICENCE") || strings.HasPrefix(stem, "COPYING") ||
		stem == "UNLICENSE"
}

// licencesIn names the licences whose text is in the text, by a sentence that only that licence has.
func licencesIn(text string) []string {
	text = strings.ToLower(regexp.MustCompile(`[\s*#>/]+`).ReplaceAllString(text, " "))
	has := func(s string) bool { return strings.Contains(text, s) }
	signs := []struct {
		name  string
		there bool
	}{
		{"Apache-2.0", has("apache license version 2.0") || has("licensed under the apache license, version 2.0")},
		{"BSD-3-Clause", has("redistribution and use in source and binary forms") && has("endorse or promote products")},
		{"BSD-2-Clause", has("redistribution and use in source and binary forms") && !has("endorse or promote products")},
		{"CC0-1.0", has("cc0 1.0 universal")},
		{"ISC", has("permission to use, copy, modify, and or distribute this software for any purpose") ||
			has("permission to use, copy, modify, and distribute this software for any purpose")},
		{"MIT", has("permission is hereby granted, free of charge, to any person obtaining a copy")},
		{"MPL-2.0", has("mozilla public license") && has("2.0")},
		{"Unlicense", has("this is free and unencumbered software released into the public domain")},
		{"GPL", has("gnu general public license") && !has("mozilla public license")},
		{"AGPL", has("gnu affero general public license") && !has("mozilla public license")},
	}
	var names []string
	for _, s := range signs {
		if s.there {
			names = append(names, s.name)
		}
	}
	return names
}
