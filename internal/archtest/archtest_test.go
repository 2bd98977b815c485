package archtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ArcadeLabsInc/zvault/internal/archtest"
)

// root is the module's folder, seen from this package's.
const root = "../.."

func TestRepository(t *testing.T) {
	t.Parallel()
	packages, err := archtest.Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	known := func(path string) bool {
		return slices.ContainsFunc(packages, func(p archtest.Package) bool { return p.Path == path })
	}
	if !known("cmd/zvault") || !known("internal/secret") {
		t.Fatal("the module's packages were not found")
	}
	for _, line := range archtest.Check(packages) {
		t.Error(line)
	}
}

// TestCheck runs the rules over small made-up modules. The part "want" of each lists what is wrong with it.
func TestCheck(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			module, want := fixture(t, file)
			packages, err := archtest.Load(module)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, archtest.Check(packages)); diff != "" {
				t.Errorf("what is wrong (-want +got):\n%s", diff)
			}
		})
	}
}

// fixture reads a case: the files of a module, and the lines of the part "want".
func fixture(t *testing.T, file string) (fstest.MapFS, []string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	module, stated := fstest.MapFS{}, false
	var want []string
	for _, f := range archive.Files {
		if f.Name == "want" {
			stated = true
			want = slices.Collect(strings.Lines(string(f.Data)))
			continue
		}
		module[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	if !stated {
		t.Fatalf("%s has no part named want", file)
	}
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], "\n")
	}
	return module, want
}

func TestLoad_BrokenFile(t *testing.T) {
	t.Parallel()
	module := fstest.MapFS{"a/a.go": {Data: []byte("package a\nimport nonsense")}}
	if _, err := archtest.Load(module); err == nil {
		t.Error("a file that does not parse was accepted")
	}
}
