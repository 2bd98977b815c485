package vault

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

type bulkImportIn struct {
	File string `json:"file" jsonschema:"a .env file below the project's directory"`
	Env  string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
}

type bulkImportOut struct {
	Project  string   `json:"project"`
	Env      string   `json:"env"`
	Created  bool     `json:"created" jsonschema:"whether the project was made"`
	Imported []string `json:"imported" jsonschema:"names that were stored"`
	Skipped  []string `json:"skipped" jsonschema:"names that were set already and left alone; a person replaces them with zvault import"`
	Next     string   `json:"next"`
}

func bulkImport() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "bulk_import", Title: "Import a .env file", Set: tool.Vault, Idempotent: true, Refused: refuseValues(),
		Text: "Puts the values of a .env file into the vault, from the file straight to the vault; the result has names only. Do not read the file yourself. " +
			"Secrets that are set already are left alone. Makes the project if it is not in the vault yet.",
	}, runBulkImport)
}

func runBulkImport(ctx context.Context, c *tool.Call, a bulkImportIn) (bulkImportOut, error) {
	e := in(c, a.Env)
	data, err := readFile(c, a.File)
	if err != nil {
		return bulkImportOut{}, err
	}
	vars, err := parse(a.File, data)
	if err != nil {
		return bulkImportOut{}, err
	}
	for _, v := range vars { // also those that are refused below are nobody's to see
		c.Session.Guard(v.Name, v.Value)
	}
	out := bulkImportOut{Project: e.Project, Env: e.Slug, Imported: []string{}, Skipped: []string{}}
	if out.Created, err = ensureProject(ctx, c, e.Project); err != nil {
		return out, err
	}
	now, err := states(ctx, c, e, platform.Moment{})
	if err != nil {
		return out, err
	}
	raw := platform.TypeRaw // a file that a model may have written must not pull other secrets in
	var changes []platform.Change
	for _, v := range vars {
		if _, set := now[v.Name]; set {
			out.Skipped = append(out.Skipped, v.Name)
			continue
		}
		change := platform.Change{Name: v.Name, Value: &v.Value, Type: &raw}
		if comment := harmless(v.Comment); comment != "" {
			change.Comment = &comment
		}
		changes = append(changes, change)
		out.Imported = append(out.Imported, v.Name)
	}
	if len(changes) > 0 {
		if _, err := c.Platform.Apply(ctx, c.Caller, e, platform.Batch{Changes: changes, Message: "imported by an assistant from " + a.File}); err != nil {
			return bulkImportOut{}, err
		}
	}
	out.Next = "zvault_generate_env_template with file .env.zvault writes the addresses; then the person may delete " + a.File + " and run programs by `zvault run -- COMMAND`"
	return out, link(c, e)
}

// parse reads a .env file. Errors name lines, never what stands there.
func parse(path string, data []byte) ([]dotenv.Entry, error) {
	file, problems := dotenv.Parse(data)
	if len(problems) > 0 {
		return nil, tool.Invalid("%s, line %d: %s; a person can import the rest with `zvault import --skip-invalid`", path, problems[0].Line, problems[0].Reason)
	}
	vars := file.Effective()
	for _, v := range vars {
		if err := ref.ValidKey(v.Name); err != nil {
			return nil, tool.Invalid("%s, line %d: the name is none that a secret can have: %v", path, v.Line, err)
		}
		if bytes.IndexByte(v.Value.Reveal(), 0) >= 0 {
			return nil, tool.Invalid("%s, line %d: %s has a NUL in its value", path, v.Line, v.Name)
		}
		if strings.HasPrefix(string(v.Value.Reveal()), "zvault://") {
			return nil, tool.Invalid("%s, line %d: %s is a reference already; import the file with the values", path, v.Line, v.Name)
		}
	}
	if len(vars) == 0 {
		return nil, tool.Invalid("%s holds no variables", path)
	}
	return vars, nil
}

// ensureProject makes the project if it is not there.
func ensureProject(ctx context.Context, c *tool.Call, project string) (created bool, err error) {
	_, err = c.Platform.Project(ctx, c.Caller, project)
	if platform.KindOf(err) != platform.NotFound {
		return false, err
	}
	_, err = c.Platform.CreateProject(ctx, c.Caller, project, "")
	return err == nil, err
}

// link writes .zvault.toml, by which commands in the directory find the project, unless there is one.
func link(c *tool.Call, e platform.Env) error {
	err := writeFile(c, workspace.FileName, workspace.New(e.Project, e.Slug), false)
	var ours *tool.Error
	if errors.As(err, &ours) && ours.Code == "exists" {
		return nil
	}
	return err
}

// harmless keeps the lines of a comment that cannot hold a value: comments are shown, and former keys often stand in them.
func harmless(comment string) string {
	var kept []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		if _, ok := dotenv.IsAssignment([]byte("# " + strings.TrimPrefix(line, "# "))); ok || slices.ContainsFunc(strings.Fields(line), suspicious) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// suspicious reports whether a word may be a key: it is long, or has letters and digits mixed.
func suspicious(word string) bool {
	return len(word) > 24 || (len(word) > 7 && strings.ContainsAny(word, "0123456789") && strings.ContainsFunc(word, unicode.IsLetter))
}
