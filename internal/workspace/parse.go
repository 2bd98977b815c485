package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// keys are all that the file may hold, for the hint in an error.
var keys = []string{"project", "project.name", "project.default_env", "path", "path.path", "path.project", "path.default_env",
	"cloud", "cloud.org", "cloud.project", "cloud.default_env"}

// Parse reads the text of the file; a byte order mark before it, as some editors write, is passed over. Errors name the line.
func Parse(data []byte) (Config, error) {
	var c Config
	d := toml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, describe(err)
	}
	return c, c.validate()
}

func describe(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		key := strings.Join(first.Key(), ".")
		line, _ := first.Position()
		if near, ok := nearest.Of(key, keys); ok {
			return fmt.Errorf("line %d: unknown key %q; did you mean %q?", line, key, near)
		}
		return fmt.Errorf("line %d: unknown key %q", line, key)
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		return fmt.Errorf("line %d, column %d: %s", line, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return err
}

func (c Config) validate() error {
	if c.Project.Name != "" {
		if err := ref.ValidProject(c.Project.Name); err != nil {
			return fmt.Errorf("[project] name %q: %w", c.Project.Name, err)
		}
	}
	for _, env := range []string{c.Project.DefaultEnv, c.Cloud.DefaultEnv} {
		if err := validDefault(env); err != nil {
			return err
		}
	}
	var seen []string
	for _, p := range c.Paths {
		if err := p.validate(); err != nil {
			return err
		}
		if slices.Contains(seen, p.clean()) {
			return fmt.Errorf("[[path]] %q stands twice", p.Path)
		}
		seen = append(seen, p.clean())
	}
	return nil
}

func (p Path) validate() error {
	// fs.ValidPath wants what io/fs calls a path: relative, without empty parts, "." and "..".
	if clean := p.clean(); clean == "." || !fs.ValidPath(clean) || strings.Contains(clean, `\`) {
		return fmt.Errorf("[[path]] path %q: name a directory below this file, with forward slashes", p.Path)
	}
	if err := ref.ValidProject(p.Project); err != nil {
		return fmt.Errorf("[[path]] %q: project %q: %w", p.Path, p.Project, err)
	}
	if err := validDefault(p.DefaultEnv); err != nil {
		return fmt.Errorf("[[path]] %q: %w", p.Path, err)
	}
	return nil
}

// clean is the path without the slash that may stand at its end.
func (p Path) clean() string { return strings.TrimSuffix(p.Path, "/") }

// validDefault checks a default_env, which may be left out.
func validDefault(env string) error {
	if env == "" {
		return nil
	}
	if err := ref.ValidEnvironment(ref.CanonicalEnvironment(env)); err != nil {
		return fmt.Errorf("default_env %q: %w", env, err)
	}
	return nil
}

// New returns the text of a file for a project.
func New(project, env string) []byte {
	return fmt.Appendf(nil, "# Which secrets this directory uses. Holds no values; commit it.\n[project]\nname = %q\ndefault_env = %q\n", project, env)
}
