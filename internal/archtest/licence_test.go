package archtest_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/archtest"
)

var update = flag.Bool("update", false, "write docs/licences.md anew, from the module cache")

// licencesFile lists every module of go.mod with its licence.
const licencesFile = root + "/docs/licences.md"

const licencesHead = `# Licences of the libraries

ZVault is under MIT OR Apache-2.0. The table has every Go module that go.mod names, with the licence found in its files:
those that the code imports itself, and those that they need. All of them may be part of a binary under ZVault's terms; what a
release must carry is their notices. Modules under MPL-2.0 are used as they are: were one of their files changed, that
file would have to be published under MPL-2.0. A test compares the table with go.mod and with the licence files;
` + "`make licences`" + ` writes it anew.

| module | licence | used by |
|---|---|---|
`

func TestLicences(t *testing.T) {
	t.Parallel()
	required, err := archtest.Requirements(root)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := archtest.ModuleCache(root)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeLicences(t, required, cache)
	}
	listed := readLicences(t)
	checked := 0
	for _, r := range required {
		stated, ok := listed[r.Path]
		if !ok {
			t.Errorf("%s is not in docs/licences.md; run make licences", r.Path)
			continue
		}
		delete(listed, r.Path)
		for part := range strings.SplitSeq(stated, " AND ") {
			if !slices.Contains(archtest.Compatible, part) {
				t.Errorf("%s: licence %s is not one that we may link", r.Path, part)
			}
		}
		found, err := archtest.LicenceOf(r.Folder(cache))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing of it was needed so far, so Go has not fetched it
		}
		if checked++; err != nil || found != stated {
			t.Errorf("%s: docs/licences.md says %s, its files say %q (%v); run make licences", r.Path, stated, found, err)
		}
	}
	for path := range listed {
		t.Errorf("%s is in docs/licences.md, but not in go.mod; run make licences", path)
	}
	if checked == 0 {
		t.Error("no module's licence file was found")
	}
}

func writeLicences(t *testing.T, required []archtest.Requirement, cache string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(licencesHead)
	for _, r := range required {
		licence, err := archtest.LicenceOf(r.Folder(cache))
		if err != nil {
			t.Fatalf("%s (go mod download fetches what is missing): %v", r.Path, err)
		}
		by := "zvault"
		if r.Indirect {
			by = "a library"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Path, licence, by)
	}
	if err := os.WriteFile(licencesFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readLicences returns the table: module to licence.
func readLicences(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(licencesFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(text), -1) {
		listed[row[1]] = row[2]
	}
	return listed
}

// TestLicenceOf tells licences apart by texts that have their characteristic sentences.
func TestLicenceOf(t *testing.T) {
	t.Parallel()
	const (
		mit  = "Permission is hereby granted, free of charge,\n  to any person obtaining a copy of this software"
		bsd2 = "Redistribution and use in source and binary forms, with or without"
		bsd3 = bsd2 + "\n * may be used to endorse or\n * promote products"
	)
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"mit":         {map[string]string{"LICENSE": mit}, "MIT"},
		"bsd":         {map[string]string{"LICENSE.txt": bsd2}, "BSD-2-Clause"},
		"bsd clauses": {map[string]string{"COPYING": bsd3}, "BSD-3-Clause"},
		"apache":      {map[string]string{"LICENSE.md": "Apache License\n   Version 2.0, January 2004"}, "Apache-2.0"},
		"two files":   {map[string]string{"LICENSE": mit, "LICENSE-3RD": bsd3}, "BSD-3-Clause AND MIT"},
		"copyleft":    {map[string]string{"LICENSE": "GNU GENERAL PUBLIC LICENSE Version 3"}, "GPL"},
		"unknown":     {map[string]string{"LICENSE": "all rights reserved"}, ""},
		"none":        {map[string]string{"README": mit}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := archtest.LicenceOf(dir)
			if got != tt.want || (tt.want == "") != errors.Is(err, archtest.ErrNoLicence) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestRequirement_Folder(t *testing.T) {
	t.Parallel()
	r := archtest.Requirement{Path: "example.com/BigCo/x", Version: "v1.0.0-RC1"}
	want := filepath.Join("cache", "example.com", "!big!co", "x@v1.0.0-!r!c1")
	if got := r.Folder("cache"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
