package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

const whole = `# which secrets
[project]
name = "shop"
default_env = "staging"

[[path]]
path = "services/billing/"
project = "billing"

[[path]]
path = "services/mail"
project = "mail"
default_env = "prod"

[cloud]
org = "acme"
project = "shop"
default_env = "development"
`

func TestParse(t *testing.T) {
	t.Parallel()
	want := workspace.Config{
		Project: workspace.Project{Name: "shop", DefaultEnv: "staging"},
		Paths:   []workspace.Path{{Path: "services/billing/", Project: "billing"}, {Path: "services/mail", Project: "mail", DefaultEnv: "prod"}},
		Cloud:   workspace.Cloud{Org: "acme", Project: "shop", DefaultEnv: "development"},
	}
	for name, text := range map[string]string{
		"as it is": whole, "CR LF": strings.ReplaceAll(whole, "\n", "\r\n"), "byte order mark": "\ufeff" + whole, "no newline at the end": strings.TrimSuffix(whole, "\n"),
	} {
		got, err := workspace.Parse([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v: %s", name, err, diff)
		}
	}
	if got, err := workspace.Parse(nil); err != nil || !cmp.Equal(got, workspace.Config{}) {
		t.Errorf("an empty file: %+v, %v", got, err)
	}
}

// What is wrong is told with its line, and with the key that was probably meant.
func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"key in a table":     {"[project]\nname = \"a\"\ndefualt_env = \"dev\"\n", []string{"line 3", `"project.defualt_env"`, `did you mean "project.default_env"?`}},
		"key in a path":      {"[[path]]\npath = \"a\"\nprojekt = \"b\"\n", []string{"line 3", `"path.projekt"`, `did you mean "path.project"?`}},
		"table":              {"[projct]\nname = \"a\"\n", []string{"line 1", `"projct`, "did you mean"}},
		"key of no table":    {"name = \"a\"\n", []string{"line 1", `unknown key "name"`}},
		"nothing near":       {"[project]\nname = \"a\"\nzzzzzzzzzzzzzzzzzzzzzzz = 1\n", []string{"line 3", `unknown key "project.zzzzzzzzzzzzzzzzzzzzzzz"`}},
		"no TOML":            {"[project]\nname = shop\n", []string{"line 2, column"}},
		"unclosed":           {"\n\n[project\n", []string{"line 3, column"}},
		"twice":              {"[project]\nname = \"a\"\nname = \"b\"\n", []string{"line 3"}},
		"another kind":       {"[project]\nname = 7\n", []string{"line 2"}},
		"bad UTF-8":          {"[project]\nname = \"\xff\"\n", []string{"line 2"}},
		"project":            {"[project]\nname = \"My Shop\"\n", []string{"[project] name", `"My Shop"`}},
		"environment":        {"[project]\nname = \"a\"\ndefault_env = \"Dev!\"\n", []string{"default_env", `"Dev!"`}},
		"cloud environment":  {"[cloud]\nproject = \"a\"\ndefault_env = \"Dev!\"\n", []string{"default_env", `"Dev!"`}},
		"path environment":   {"[[path]]\npath = \"a\"\nproject = \"b\"\ndefault_env = \"Dev!\"\n", []string{"default_env", `"Dev!"`}},
		"path upwards":       {"[[path]]\npath = \"../x\"\nproject = \"b\"\n", []string{`"../x"`, "below this file"}},
		"path up and down":   {"[[path]]\npath = \"a/../../x\"\nproject = \"b\"\n", []string{`"a/../../x"`, "below this file"}},
		"path with dot":      {"[[path]]\npath = \"./a\"\nproject = \"b\"\n", []string{`"./a"`, "below this file"}},
		"path with a gap":    {"[[path]]\npath = \"a//b\"\nproject = \"b\"\n", []string{`"a//b"`, "below this file"}},
		"path here":          {"[[path]]\npath = \".\"\nproject = \"b\"\n", []string{`"."`, "below this file"}},
		"path nowhere":       {"[[path]]\nproject = \"b\"\n", []string{`""`, "below this file"}},
		"absolute path":      {"[[path]]\npath = \"/etc\"\nproject = \"b\"\n", []string{`"/etc"`, "below this file"}},
		"path with \\":       {"[[path]]\npath = 'a\\b'\nproject = \"b\"\n", []string{"below this file"}},
		"path twice":         {"[[path]]\npath = \"a\"\nproject = \"b\"\n[[path]]\npath = \"a/\"\nproject = \"c\"\n", []string{`"a/" stands twice`}},
		"path of no project": {"[[path]]\npath = \"a\"\n", []string{`[[path]] "a"`, "project"}},
	} {
		_, err := workspace.Parse([]byte(c.text))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %q", name, err)
		}
	}
	// A name that starts with two dots is a name.
	if _, err := workspace.Parse([]byte("[[path]]\npath = \"..config\"\nproject = \"b\"\n")); err != nil {
		t.Errorf("a directory ..config: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	got, err := workspace.Parse(workspace.New("shop", "staging"))
	want := workspace.Config{Project: workspace.Project{Name: "shop", DefaultEnv: "staging"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

// Whatever the file holds, it is read or refused in one line.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("[project]\nnam = 1")
	f.Add("\ufeff[[path]]\npath='..'")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := workspace.Parse([]byte(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		for _, p := range c.Paths {
			for part := range strings.SplitSeq(strings.Trim(p.Path, "/"), "/") {
				if part == ".." || part == "" {
					t.Errorf("path %q was taken", p.Path)
				}
			}
		}
	})
}
