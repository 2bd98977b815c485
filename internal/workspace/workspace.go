// Package workspace finds and reads .zvault.toml, the file that says which project a directory belongs to.
//
// The nearest file wins, looking upwards from the directory. A monorepo can name several projects in one file:
//
//	[project]
//	name = "shop"                  # needed unless every directory has a [[path]]
//	default_env = "development"
//
//	[[path]]                       # directories below this file, relative, with forward slashes
//	path = "services/billing"
//	project = "billing"
//
//	[cloud]
//	org = "acme"
//	project = "shop"
//	default_env = "development"
//
// Unknown keys are refused, with the nearest known one named.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// FileName is the name of the file.
const FileName = ".zvault.toml"

// DefaultEnv is the environment where nothing names another.
const DefaultEnv = "development"

// ErrNone is returned by Find where no directory upwards has the file.
var ErrNone = errors.New("no " + FileName + " here or in a directory above")

// Config is what the file says.
type Config struct {
	Project Project `toml:"project"`
	Paths   []Path  `toml:"path"`
	Cloud   Cloud   `toml:"cloud"`
}

// Project is the local project. An empty DefaultEnv means DefaultEnv.
type Project struct {
	Name       string `toml:"name"`
	DefaultEnv string `toml:"default_env,omitempty"`
}

// Path gives a directory below the file another project.
type Path struct {
	Path       string `toml:"path"`
	Project    string `toml:"project"`
	DefaultEnv string `toml:"default_env,omitempty"`
}

// Cloud is the project in the cloud that the directory is linked to.
type Cloud struct {
	Org        string `toml:"org,omitempty"`
	Project    string `toml:"project,omitempty"`
	DefaultEnv string `toml:"default_env,omitempty"`
}

// Workspace is a directory with its project.
type Workspace struct {
	// Root is the directory of the file, absolute.
	Root string
	// Project and Env are the ones in force for the directory that Find was asked about.
	Project, Env string
	Config       Config
}

// File returns the path of the file.
func (w Workspace) File() string { return filepath.Join(w.Root, FileName) }

// Find reads the nearest file at or above dir.
func Find(dir string) (Workspace, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Workspace{}, fmt.Errorf("finding %s: %w", FileName, err)
	}
	for root := dir; ; root = filepath.Dir(root) {
		data, err := os.ReadFile(filepath.Join(root, FileName))
		if errors.Is(err, fs.ErrNotExist) {
			if root == filepath.Dir(root) {
				return Workspace{}, ErrNone
			}
			continue
		}
		if err != nil {
			return Workspace{}, fmt.Errorf("reading %s: %w", filepath.Join(root, FileName), err)
		}
		return read(root, dir, data)
	}
}

func read(root, dir string, data []byte) (Workspace, error) {
	c, err := Parse(data)
	if err != nil {
		return Workspace{}, fmt.Errorf("%s: %w", filepath.Join(root, FileName), err)
	}
	w := Workspace{Root: root, Project: c.Project.Name, Env: c.Project.DefaultEnv, Config: c}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return Workspace{}, fmt.Errorf("finding %s below %s: %w", dir, root, err)
	}
	if p, ok := longestPath(c.Paths, filepath.ToSlash(below)); ok {
		w.Project = p.Project
		if p.DefaultEnv != "" {
			w.Env = p.DefaultEnv
		}
	}
	if w.Env == "" {
		w.Env = DefaultEnv
	}
	w.Env = ref.CanonicalEnvironment(w.Env)
	if w.Project == "" && c.Cloud.Project == "" {
		return Workspace{}, fmt.Errorf("%s: names no project for this directory; add [project] with a name", filepath.Join(root, FileName))
	}
	return w, nil
}

func longestPath(paths []Path, below string) (Path, bool) {
	var best Path
	found := false
	for _, p := range paths {
		clean := p.clean()
		if (below == clean || strings.HasPrefix(below, clean+"/")) && len(clean) >= len(best.clean()) {
			best, found = p, true
		}
	}
	return best, found
}
