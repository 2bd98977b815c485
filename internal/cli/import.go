package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// importFlags are what `import` can be told.
type importFlags struct {
	remove, skipInvalid, expand, raw, noFiles bool
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Put the values of a .env file into the vault, and references in their place",
		Long: `Put the values of a .env file into the vault, and write .env.zvault beside it: the same file, comments and order kept, with a reference
in the place of each value. It is safe to commit and to show to an assistant. .zvault.toml is written too, and the file added to .gitignore.

The project is named after the directory, unless .zvault.toml or --project names it. Without a vault, one is made. Values are read as the
npm package dotenv reads them. What would change is shown first, by name.`,
		Example: `  zvault import .env
  zvault import .env.production --env production
  zvault import .env --remove          delete the .env once the vault has been read back`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importFile(cmd.Context(), f, args[0]) },
	}
	c.Flags().BoolVar(&f.remove, "remove", false, "delete the file once the vault has been read back and compared")
	c.Flags().BoolVar(&f.skipInvalid, "skip-invalid", false, "leave out lines that are no assignment")
	c.Flags().BoolVar(&f.expand, "expand", false, "expand $NAME and ${NAME} in values, as dotenv-expand does")
	c.Flags().BoolVar(&f.raw, "raw", false, "take values as they are, even if they hold zvault:// references")
	c.Flags().BoolVar(&f.noFiles, "vault-only", false, "write no files, only the vault")
	return c
}

// imported is a file on its way into the vault.
type imported struct {
	path string
	file *dotenv.File
	vars []dotenv.Entry
	env  platform.Env
	root string // the project's directory
}

func (a *app) importFile(ctx context.Context, f importFlags, path string) error {
	in, err := a.readImport(f, path)
	if err != nil {
		return err
	}
	if err := a.ensureVault(ctx); err != nil {
		return err
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Project(ctx, a.caller(), in.env.Project); platform.KindOf(err) == platform.NotFound {
		_, err = s.CreateProject(ctx, a.caller(), in.env.Project, "")
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := a.confirmReplaced(ctx, s, in); err != nil {
		return err
	}
	var files []fileChange
	if !f.noFiles {
		if files, err = a.importFiles(in); err != nil {
			return err
		}
	}
	result, err := a.storeImport(ctx, s, f, in)
	if err != nil {
		return err
	}
	if err := a.readBack(ctx, s, in); err != nil {
		return err
	}
	for _, change := range files {
		if err := change.write(); err != nil {
			return err
		}
	}
	if f.remove {
		if err := shred(in.path); err != nil {
			return err
		}
	}
	return a.importDone(f, in, result, files)
}

// readImport reads and checks the file; nothing has been changed when it fails.
func (a *app) readImport(f importFlags, path string) (imported, error) {
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(a.dir, path)
	}
	in := imported{path: full}
	data, err := os.ReadFile(full)
	if errors.Is(err, fs.ErrNotExist) {
		return in, &platform.Error{Kind: platform.NotFound, Message: fmt.Sprintf("there is no file %s", path)}
	}
	if err != nil {
		return in, fmt.Errorf("reading %s: %w", path, err)
	}
	file, problems := dotenv.Parse(data)
	if len(problems) > 0 && !f.skipInvalid {
		return in, withHint(usage("%s, line %d: %s", path, problems[0].Line, problems[0].Reason),
			"%s; mend the file, or say --skip-invalid to import the rest", count(len(problems), "line")+" can not be read")
	}
	in.file, in.vars = file, file.Effective()
	if f.expand {
		in.vars = dotenv.Expand(in.vars, a.lookupEnv)
	}
	for _, e := range in.vars {
		if err := importable(e); err != nil {
			return in, usage("%s, line %d: %w", path, e.Line, err)
		}
	}
	return in, a.placeImport(&in, f)
}

func (a *app) lookupEnv(name string) (string, bool) {
	v := a.getenv(name)
	return v, v != ""
}

func importable(e dotenv.Entry) error {
	if err := ref.ValidKey(e.Name); err != nil {
		return fmt.Errorf("%q: %w", e.Name, err)
	}
	if bytes.IndexByte(e.Value.Reveal(), 0) >= 0 {
		return fmt.Errorf("%s has a NUL in its value, which no environment can hold", e.Name)
	}
	return nil
}

// placeImport works out project, environment and the project's directory, and refuses values that refer to themselves.
func (a *app) placeImport(in *imported, f importFlags) error {
	in.root = filepath.Dir(in.path)
	w, err := workspace.Find(in.root)
	switch {
	case err == nil:
		in.root = w.Root
	case !errors.Is(err, workspace.ErrNone):
		return &usageError{err}
	case a.project == "" && a.getenv("ZVAULT_PROJECT") == "":
		a.project = ref.Slug(filepath.Base(in.root))
	}
	if in.env, err = a.scope(); err != nil {
		return err
	}
	for _, e := range in.vars {
		if r, err := ref.Parse(string(e.Value.Reveal())); !f.raw && err == nil && r.Key == e.Name && (r.Project == "" || r.Project == in.env.Project) {
			return withHint(usage("%s, line %d: %s already is a reference to itself", in.path, e.Line, e.Name), "import the file with the values, not %s", ReferencesFile)
		}
	}
	return nil
}

// ensureVault makes the vault of a new user.
func (a *app) ensureVault(ctx context.Context) error {
	home, err := a.home()
	if err != nil || local.Exists(home) {
		return err
	}
	return a.create(ctx, home, sealFlags{})
}

// confirmReplaced shows which secrets would get another value, and asks.
func (a *app) confirmReplaced(ctx context.Context, s *platform.Service, in imported) error {
	now, err := s.Values(ctx, a.caller(), in.env)
	if err != nil {
		return err
	}
	var replaced []string
	for _, e := range in.vars {
		if old, set := now[e.Name]; set && !old.Equal(e.Value) {
			replaced = append(replaced, e.Name)
		}
	}
	if len(replaced) == 0 {
		return nil
	}
	_, _ = fmt.Fprintf(a.err, "these get another value in %s/%s:\n  ~ %s\n", in.env.Project, in.env.Slug, strings.Join(replaced, "\n  ~ "))
	ok, err := a.confirm("replace " + count(len(replaced), "value") + "?")
	if err == nil && !ok {
		err = errors.New("nothing was changed")
	}
	return err
}

// storeImport stores all values in one commit, and the schema if the comments hold one.
func (a *app) storeImport(ctx context.Context, s *platform.Service, f importFlags, in imported) (platform.Result, error) {
	var changes []platform.Change
	kind := platform.TypeText
	if f.raw {
		kind = platform.TypeRaw
	}
	for _, e := range in.vars {
		c := platform.Change{Name: e.Name, Value: &e.Value, Type: &kind}
		if e.Comment != "" {
			c.Comment = &e.Comment
		}
		changes = append(changes, c)
	}
	schema := schemaOf(in.vars)
	result, err := s.Apply(ctx, a.caller(), in.env, platform.Batch{Changes: changes, Message: "import " + filepath.Base(in.path)})
	if err != nil || len(schema) == 0 {
		return result, err
	}
	return result, s.SetSchema(ctx, a.caller(), in.env.Project, schema)
}

// readBack makes sure that the vault gives every value back as it was in the file.
func (a *app) readBack(ctx context.Context, s *platform.Service, in imported) error {
	stored, err := s.Values(ctx, a.caller(), in.env)
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	for _, e := range in.vars {
		if v, ok := stored[e.Name]; !ok || !v.Equal(e.Value) {
			return fmt.Errorf("reading back: %s is not what the file holds; the file was left as it is", e.Name)
		}
	}
	return nil
}

func (a *app) importDone(f importFlags, in imported, result platform.Result, files []fileChange) error {
	if a.json {
		var written []string
		for _, c := range files {
			written = append(written, c.path)
		}
		return a.document(map[string]any{
			"project": in.env.Project, "env": in.env.Slug, "imported": len(in.vars), "changed": nonNil(result.Changed), "revision": result.Revision,
			"files": nonNil(written), "removed": f.remove,
		})
	}
	a.say("%s of %s in the vault, %d of them new or changed", count(len(in.vars), "secret"), in.env.Project+"/"+in.env.Slug, len(result.Changed))
	for _, c := range files {
		a.say("wrote %s", a.shorten(c.path))
	}
	if f.remove {
		a.say("deleted %s", a.shorten(in.path))
		return nil
	}
	if !f.noFiles {
		a.say("%s still holds the values; `zvault import %s --remove` deletes it", a.shorten(in.path), a.shorten(in.path))
	}
	return nil
}

// shorten prints a path relative to the current directory where it lies below.
func (a *app) shorten(path string) string {
	if rel, err := filepath.Rel(a.dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// shred overwrites a file and deletes it. On disks that write elsewhere, as SSDs do, the old blocks may survive for a while.
func shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("deleting %s: %w", path, err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, info.Size()))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("deleting %s: %w", path, err)
	}
	return nil
}
