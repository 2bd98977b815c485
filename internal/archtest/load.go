package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Package is one folder's Go files, those of every system and build tag.
type Package struct {
	Path    string   // folder below the module's root, with forward slashes; "." is the root
	Names   []string // what its files other than tests call the package; one name, unless something is wrong
	Imports []Import // of its files other than tests, sorted by file
}

// An Import is one line of an import declaration.
type Import struct {
	File string // below the module's root
	Path string
}

// Load reads the packages of the module in fsys. It parses only package and import clauses. Folders that Go leaves out
// (testdata, vendor, a leading dot or underscore) are left out, and so are node_modules and modules of their own.
func Load(fsys fs.FS) ([]Package, error) {
	found := map[string]*Package{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return add(found, fsys, name)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the module's packages: %w", err)
	}
	packages := make([]Package, 0, len(found))
	for _, p := range found {
		packages = append(packages, *p)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
	return packages, nil
}

// enter returns fs.SkipDir for a folder that is not of the module.
func enter(fsys fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if base[0] == '.' || base[0] == '_' || slices.Contains([]string{"testdata", "vendor", "node_modules"}, base) {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func add(found map[string]*Package, fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := found[dir]
	if p == nil {
		p = &Package{Path: dir}
		found[dir] = p
	}
	if !slices.Contains(p.Names, file.Name.Name) {
		p.Names = append(p.Names, file.Name.Name)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("reading %s: import %s: %w", name, spec.Path.Value, err)
		}
		p.Imports = append(p.Imports, Import{File: name, Path: imported})
	}
	return nil
}
