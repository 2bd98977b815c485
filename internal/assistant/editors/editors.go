// Package editors knows where editors and assistants keep their settings, and in which form: servers of the Model Context Protocol, files
// to leave unread, and hooks. The formats and paths are those that each one documents, on Linux, macOS and Windows.
//
// An editor is one entry in [All] with a function that lists its [Target]s.
package editors

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// Places are the folders that settings lie in.
type Places struct {
	// GOOS is the system, as Go names it.
	GOOS string
	// Home is the person's folder, Project the one of the project; absolute.
	Home, Project string
	// Getenv reads the environment.
	Getenv func(string) string
}

// Purpose says what a file is for.
type Purpose string

// The purposes of files.
const (
	Server Purpose = "mcp server" // zvault's MCP server is started
	Ignore Purpose = "ignore"     // files that the assistant is not to read
	Hooks  Purpose = "hooks"      // zvault is asked before the assistant acts
	Commit Purpose = "pre-commit" // zvault is asked before git commits
)

// Target is a file with what it shall hold.
type Target struct {
	Path    string
	Purpose Purpose
	// Mode is that of a file that is made.
	Mode  fs.FileMode
	Edits []patch.Edit
}

// Editor is one that zvault can be set up for.
type Editor struct {
	ID, Title string
	// Traces are files or folders, in a project or below the person's folder, that show that it is in use.
	Traces []string
	// targets lists its files, for the project or for the person.
	targets func(p Places, user bool) []Target
	// HasProtocol says that it asks hooks.
	HasProtocol bool
}

// Targets lists the files to be set up, each once.
func (e Editor) Targets(p Places, user bool) []Target {
	var all []Target
	for _, t := range e.targets(p, user) {
		if t.Mode == 0 {
			t.Mode = 0o644
		}
		if i := slices.IndexFunc(all, func(o Target) bool { return o.Path == t.Path }); i >= 0 {
			all[i].Edits = append(all[i].Edits, t.Edits...)
			all[i].Purpose += ", " + t.Purpose
			continue
		}
		all = append(all, t)
	}
	return all
}

// All lists the editors.
func All() []Editor {
	return []Editor{
		{ID: "claude-code", Title: "Claude Code", Traces: []string{".claude", ".mcp.json", "CLAUDE.md", ".claude.json"}, targets: claudeCode, HasProtocol: true},
		{ID: "claude-desktop", Title: "Claude Desktop", targets: claudeDesktop},
		{ID: "codex", Title: "Codex", Traces: []string{".codex"}, targets: codex, HasProtocol: true},
		{ID: "continue", Title: "Continue", Traces: []string{".continue"}, targets: continueDev},
		{ID: "cursor", Title: "Cursor", Traces: []string{".cursor"}, targets: cursor, HasProtocol: true},
		{ID: "gemini", Title: "Gemini CLI", Traces: []string{".gemini"}, targets: gemini, HasProtocol: true},
		{ID: "generic", Title: "any client that reads .mcp.json", targets: generic},
		{ID: "kiro", Title: "Kiro", Traces: []string{".kiro"}, targets: kiro, HasProtocol: true},
		{ID: "vscode", Title: "VS Code", Traces: []string{".vscode"}, targets: vscode, HasProtocol: true},
		{ID: "windsurf", Title: "Windsurf", Traces: []string{".windsurf", ".codeium/windsurf"}, targets: windsurf, HasProtocol: true},
		{ID: "zed", Title: "Zed", Traces: []string{".zed", ".config/zed"}, targets: zed},
	}
}

// Find returns the editor of an id.
func Find(id string) (Editor, bool) {
	for _, e := range All() {
		if e.ID == id {
			return e, true
		}
	}
	return Editor{}, false
}

// IDs lists the ids of all editors.
func IDs() []string {
	var ids []string
	for _, e := range All() {
		ids = append(ids, e.ID)
	}
	return ids
}

// project and home join paths that are written with slashes.
func (p Places) project(path string) string {
	return filepath.Join(p.Project, filepath.FromSlash(path))
}

func (p Places) home(path string) string { return filepath.Join(p.Home, filepath.FromSlash(path)) }

// either is a path below the person's folder or the project's.
func (p Places) either(user bool, path string) string {
	if user {
		return p.home(path)
	}
	return p.project(path)
}

// config is the folder for settings of programs with windows: XDG's, Library's or AppData's.
func (p Places) config() string {
	switch p.GOOS {
	case "darwin":
		return p.home("Library/Application Support")
	case "windows":
		if dir := p.Getenv("APPDATA"); dir != "" {
			return dir
		}
		return p.home("AppData/Roaming")
	}
	return p.xdg()
}

func (p Places) xdg() string {
	if dir := p.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return p.home(".config")
}

// variable is a folder that a variable names, else one below the person's folder.
func (p Places) variable(name, otherwise string) string {
	if dir := p.Getenv(name); filepath.IsAbs(dir) {
		return dir
	}
	return p.home(otherwise)
}

// Names of the server and of the program.
const (
	name    = "zvault"
	command = "zvault"
	argJSON = `["mcp-server"]`
)

// server is the entry of most editors.
func server(extra string) string {
	return `{` + extra + `"command":"` + command + `","args":` + argJSON + `}`
}

// serverIn is a file whose object of that name lists servers.
func serverIn(path, object, extra string) Target {
	return Target{Path: path, Purpose: Server, Edits: []patch.Edit{patch.Member{Path: []string{object}, Key: name, Value: server(extra)}}}
}

// envFiles are names that files of secrets have. Some editors know no exceptions, so the names are listed where .env.* would hide
// .env.zvault and .env.example.
func envFiles() []string {
	return []string{".env", ".env.local", ".env.development", ".env.staging", ".env.production", ".env.test", ".env.*.local", ".envrc"}
}

// ignore is a file in the syntax of .gitignore.
func ignore(path string) Target {
	lines := append([]string{"# Files of secrets. zvault gives programs their values: zvault run -- COMMAND"}, envFiles()...)
	return Target{Path: path, Purpose: Ignore, Edits: []patch.Edit{patch.Block{Mark: "# zvault setup:", Lines: append(lines, ".zvault/")}}}
}

// hooks are elements of lists, one for each event.
func hooks(path string, value func(event string) string, events ...string) Target {
	t := Target{Path: path, Purpose: Hooks}
	for _, e := range events {
		t.Edits = append(t.Edits, patch.Element{Path: []string{"hooks", e}, Value: value(e)})
	}
	return t
}

// hookCommand is what an editor runs.
func hookCommand(editor string) string { return command + " hook " + editor }

// bare is text that stands in JSON as it is; the ones here have no quotes.
func bare(s string) string { return `"` + strings.ReplaceAll(s, `\`, `\\`) + `"` }
