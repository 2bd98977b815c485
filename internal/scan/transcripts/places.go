// Package transcripts looks for the vault's own values in what assistants, shells and other programs have written down of their
// conversations: the places that nobody thinks of when a value has leaked, and that are never cleaned up.
//
// Start with [Places] and [Search.Run]. Values are found by keyed fingerprints, in all encodings that package redact knows;
// none is opened for it, and none is in a [Sighting].
package transcripts

import (
	"path/filepath"
	"runtime"
)

// Place is where a program keeps its history.
type Place struct {
	Program string // "Claude Code"
	Path    string // absolute: a file, or a folder with all below it
}

// Folders are where a person's programs keep things on this system.
type Folders struct {
	Home   string
	Config string // $XDG_CONFIG_HOME, ~/Library/Application Support, %APPDATA%
	Data   string // $XDG_DATA_HOME, ~/Library/Application Support, %LOCALAPPDATA%
}

// FoldersOf works them out from the environment.
func FoldersOf(home string, getenv func(string) string) Folders {
	f := Folders{Home: home}
	or := func(v, otherwise string) string {
		if v != "" && filepath.IsAbs(v) {
			return v
		}
		return otherwise
	}
	switch runtime.GOOS {
	case "darwin":
		f.Config = filepath.Join(home, "Library", "Application Support")
		f.Data = f.Config
	case "windows":
		f.Config = or(getenv("APPDATA"), filepath.Join(home, "AppData", "Roaming"))
		f.Data = or(getenv("LOCALAPPDATA"), filepath.Join(home, "AppData", "Local"))
	default:
		f.Config = or(getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config"))
		f.Data = or(getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share"))
	}
	return f
}

// place is one line of the tables below: paths are relative to the folder that the table is of.
type place struct{ program, path string }

func inHome() []place {
	return []place{
		{"Claude Code", ".claude/projects"}, {"Claude Code", ".claude/history.jsonl"}, {"Claude Code", ".claude/todos"},
		{"Claude Code", ".claude/shell-snapshots"}, {"Claude Code", ".claude/file-history"}, {"Claude Code", ".claude/debug"},
		{"Claude Code", ".claude/paste-cache"}, {"Claude Code", ".claude.json"},
		{"Codex", ".codex/sessions"}, {"Codex", ".codex/archived_sessions"}, {"Codex", ".codex/history.jsonl"}, {"Codex", ".codex/log"},
		{"Codex", ".codex/shell_snapshots"},
		{"Cursor", ".cursor/projects"}, {"Cursor", ".cursor/chats"}, {"Cursor", ".cursor/mcp.json"},
		{"Kiro", ".kiro/sessions"}, {"Kiro", ".kiro/history"}, {"Kiro", ".aws/amazonq/history"},
		{"Continue", ".continue/sessions"}, {"Continue", ".continue/dev_data"}, {"Continue", ".continue/logs"},
		{"Gemini", ".gemini/tmp"}, {"Gemini", ".gemini/history"}, {"Gemini", ".gemini/antigravity"},
		{"Windsurf", ".codeium/windsurf"},
		{"OpenCode", ".local/share/opencode/storage"},
		{"Aider", ".aider.chat.history.md"}, {"Aider", ".aider.input.history"},
		{"bash", ".bash_history"}, {"zsh", ".zsh_history"}, {"zsh", ".zsh_sessions"}, {"sh", ".sh_history"}, {"ksh", ".ksh_history"},
		{"Python", ".python_history"}, {"Node", ".node_repl_history"}, {"psql", ".psql_history"}, {"mysql", ".mysql_history"},
		{"MariaDB", ".mariadb_history"}, {"redis-cli", ".rediscli_history"}, {"sqlite3", ".sqlite_history"}, {"mongosh", ".mongodb/mongosh"},
		{"irb", ".irb_history"}, {"less", ".lesshst"}, {"wget", ".wget-hsts"}, {"Vim", ".viminfo"},
	}
}

func inData() []place {
	return []place{
		{"fish", "fish/fish_history"}, {"Zed", "zed/conversations"}, {"Zed", "zed/threads"}, {"Zed", "zed/db"},
		{"Kiro", "kiro-cli"}, {"Neovim", "nvim/shada"}, {"less", "lesshst"}, {"Goose", "goose/sessions"},
	}
}

func inConfig() []place {
	all := []place{
		{"PowerShell", "powershell/PSReadLine/ConsoleHost_history.txt"},
		{"PowerShell", "Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"},
		{"Claude Desktop", "Claude/claude_desktop_config.json"}, {"Claude Desktop", "Claude/logs"}, {"Claude Desktop", "Claude/local-agent-mode-sessions"},
	}
	for _, editor := range []place{ // all are built on one editor, and keep things alike
		{"VS Code", "Code"}, {"VS Code", "Code - Insiders"}, {"Cursor", "Cursor"}, {"Kiro", "Kiro"}, {"Windsurf", "Windsurf"}, {"VSCodium", "VSCodium"},
	} {
		for _, folder := range []string{"User/globalStorage", "User/workspaceStorage", "User/History", "logs"} {
			all = append(all, place{editor.program, editor.path + "/" + folder})
		}
	}
	return all
}

// inProject are histories that programs keep beside the code.
func inProject() []place {
	return []place{
		{"Aider", ".aider.chat.history.md"}, {"Aider", ".aider.input.history"}, {"Claude Code", ".claude"}, {"Cursor", ".cursor"}, {"Kiro", ".kiro"},
		{"SpecStory", ".specstory"},
	}
}

// Places lists where histories are kept on this machine and, if project is not empty, in that folder, whether there is anything or
// not.
func Places(f Folders, project string) []Place {
	var all []Place
	add := func(base string, places []place) {
		for _, p := range places {
			all = append(all, Place{p.program, filepath.Join(base, filepath.FromSlash(p.path))})
		}
	}
	add(f.Home, inHome())
	add(f.Data, inData())
	add(f.Config, inConfig())
	if project != "" && project != f.Home {
		add(project, inProject())
	}
	return all
}
