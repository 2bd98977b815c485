package local_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// root is who made the golden vaults.
var root = platform.Caller{Actor: audit.Actor{Kind: audit.Person, ID: "root", Name: "root"}, Client: audit.Client{Kind: audit.CLI, Name: "test"}, Owner: true}

// Every vault that a released format has left behind is opened by this build, with its values, its past and its log. A folder
// below testdata/golden is one, named after the format; none is ever changed or removed.
func TestGolden(t *testing.T) {
	t.Parallel()
	formats, err := filepath.Glob("testdata/golden/*")
	check(t, err)
	if len(formats) == 0 {
		t.Fatal("there is no golden vault")
	}
	for _, format := range formats {
		t.Run(filepath.Base(format), func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "home")
			copyTree(t, format, home)
			v, err := local.Open(t.Context(), home, local.Options{Caller: root})
			check(t, err)
			defer func() { check(t, v.Close()) }()
			dev := platform.Env{Project: "app", Slug: "development"}
			all, err := v.Platform.Reveal(t.Context(), root, dev, platform.Selection{NoPersonal: true})
			check(t, err)
			var got []string
			for _, x := range all {
				got = append(got, x.Name+"="+string(x.Value.Reveal()))
			}
			if want := "KEY=the second value|REF=xthe second valuey"; strings.Join(got, "|") != want {
				t.Errorf("it holds %q; want %q", got, want)
			}
			first, err := v.Platform.Value(t.Context(), root, dev, "KEY", 1)
			check(t, err)
			described, err := v.Platform.Describe(t.Context(), root, dev, "KEY")
			check(t, err)
			if string(first.Reveal()) != "the first value" || described.Comment != "about KEY" || described.Tags["team"] != "core" {
				t.Errorf("its past or its notes are others: %+v", described)
			}
			report, err := v.Audit.Verify(t.Context())
			check(t, err)
			if report.Entries < 10 {
				t.Errorf("its log has %d entries", report.Entries)
			}
			check(t, v.Rotate(t.Context(), func(string, int, int) {}))
		})
	}
}

// copyTree copies files with the modes that a vault has; git keeps none.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	}))
}

func TestOpen_None(t *testing.T) {
	t.Parallel()
	if _, err := local.Open(t.Context(), t.TempDir(), local.Options{}); err == nil || !strings.Contains(err.Error(), "no vault") {
		t.Errorf("an empty directory: %v", err)
	}
}
