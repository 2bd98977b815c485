package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// ReferencesFile holds references in the place of values, beside the .env that it came from.
const ReferencesFile = ".env.zvault"

// layers are what lies above the vault: the entries of a file (.env.zvault of the project's root if path is empty) and the
// process environment.
func (a *app) layers(path string) ([]resolve.Layer, error) {
	file, err := a.fileLayer(path)
	if err != nil {
		return nil, err
	}
	return append(file, processLayer(inherited())), nil
}

func (a *app) fileLayer(path string) ([]resolve.Layer, error) {
	given := path != ""
	if !given {
		if path = a.referencesFile(); path == "" {
			return nil, nil
		}
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	file, problems := dotenv.Parse(data)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s, line %d: %s", path, problems[0].Line, problems[0].Reason)
	}
	items := map[string]resolve.Item{}
	for _, e := range file.Effective() {
		items[e.Name] = resolve.Item{Value: e.Value}
	}
	return []resolve.Layer{{Kind: resolve.File, Label: filepath.Base(path), Items: items}}, nil
}

func processLayer(environ []string) resolve.Layer {
	items := map[string]resolve.Item{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			items[name] = resolve.Item{Value: secret.Of(value)}
		}
	}
	return resolve.Layer{Kind: resolve.Process, Label: "the process environment", Items: items}
}

// referencesFile is the .env.zvault of the project's root; empty where there is no project.
func (a *app) referencesFile() string {
	w, err := workspace.Find(a.dir)
	if err != nil { // scope has told of a bad one
		return ""
	}
	return filepath.Join(w.Root, ReferencesFile)
}
