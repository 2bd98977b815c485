package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Check returns what in the packages is against the rules, one line each, in the order of the packages.
func Check(packages []Package) []string {
	var broken []string
	for _, p := range packages {
		broken = append(broken, checkName(p)...)
		at, placed := layerOf(p.Path)
		if !placed && !within(p.Path, tools) && !within(p.Path, helpers) {
			broken = append(broken, p.Path+": is in no layer; give it one in internal/archtest/rules.go")
			continue
		}
		for _, i := range p.Imports {
			if why := checkImport(p, at, i.Path); why != "" {
				broken = append(broken, fmt.Sprintf("%s: imports %s: %s", i.File, i.Path, why))
			}
		}
	}
	return broken
}

func checkName(p Package) []string {
	var broken []string
	for _, name := range append([]string{path.Base(p.Path)}, p.Names...) {
		if slices.Contains(vagueNames, name) {
			broken = append(broken, fmt.Sprintf("%s: a package named %q says nothing of what is in it", p.Path, name))
			break
		}
	}
	if len(p.Names) > 1 {
		broken = append(broken, fmt.Sprintf("%s: holds several packages: %s", p.Path, strings.Join(p.Names, ", ")))
	}
	return broken
}

// checkImport says why p, of the layer with index at, may not import imported; "" if it may.
func checkImport(p Package, at int, imported string) string {
	helper, tool := within(p.Path, helpers), within(p.Path, tools)
	if within(imported, testOnly) && !helper && !tool {
		return "only tests may"
	}
	target, ours := relative(imported)
	switch {
	case !ours && helper:
		return ""
	case !ours:
		return checkLibrary(p, at, imported)
	case tool:
		return "a tool beside the product uses nothing of it"
	case within(target, tools):
		return "it is a tool beside the product"
	case within(target, helpers) && !helper:
		return "only tests may"
	case helper:
		return ""
	}
	return checkDirection(p.Path, at, target)
}

// checkLibrary holds a package of the leaves to the standard library without I/O, and every package to Go without C.
func checkLibrary(p Package, at int, imported string) string {
	if imported == "C" {
		return "the binary is built without C"
	}
	pure := !within(p.Path, tools) && (Layers[at].Name == leaves || Layers[at].Name == ground)
	if !pure || within(p.Path, impure) {
		return ""
	}
	if within(imported, noIO) && !within(imported, harmless) {
		return "a leaf does no I/O"
	}
	standard := !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
	if !standard && !within(imported, []string{"golang.org/x/crypto"}) {
		return "a leaf uses only the standard library and x/crypto"
	}
	return ""
}

// checkDirection holds an import between two of our packages to the order of the layers.
func checkDirection(from string, at int, target string) string {
	below, placed := layerOf(target)
	switch {
	case !placed:
		return "it is in no layer"
	case below < at:
		return fmt.Sprintf("%s is above %s", Layers[below].Name, Layers[at].Name)
	case below > at || from == target:
		return ""
	case tree(from) != tree(target):
		return fmt.Sprintf("both are in the layer %q", Layers[at].Name)
	}
	return checkSiblings(from, target)
}

// checkSiblings keeps alternatives in one folder from knowing each other.
func checkSiblings(from, target string) string {
	for _, folder := range apart {
		a, inA := below(from, folder)
		b, inB := below(target, folder)
		if inA && inB && a != b && a != "internal" && b != "internal" {
			return "alternatives below " + folder + " know nothing of each other"
		}
	}
	return ""
}

// layerOf returns the index of the layer that a package is in.
func layerOf(pkg string) (index int, placed bool) {
	entry := tree(pkg)
	index = slices.IndexFunc(Layers, func(l Layer) bool { return slices.Contains(l.Packages, entry) })
	return index, index >= 0
}

// tree returns the entry of Layers that a package belongs to, "" if none; of two that match, the longer one.
func tree(pkg string) string {
	best := ""
	for _, layer := range Layers {
		for _, p := range layer.Packages {
			if within(pkg, []string{p}) && len(p) > len(best) {
				best = p
			}
		}
	}
	return best
}

// within reports whether pkg is one of the paths or below one. The path "." is only itself.
func within(pkg string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

// below returns the first element of pkg's path below folder.
func below(pkg, folder string) (string, bool) {
	rest, ok := strings.CutPrefix(pkg, folder+"/")
	first, _, _ := strings.Cut(rest, "/")
	return first, ok
}

// relative returns a package's folder below the module's root, if it is of the module.
func relative(imported string) (string, bool) {
	if imported == Module {
		return ".", true
	}
	return strings.CutPrefix(imported, Module+"/")
}
