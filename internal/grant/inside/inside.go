// Package inside tells whether this process was started by an AI assistant, or under the shield: whoever was may not approve
// what it wants itself.
//
// It looks at the marks that assistants leave in the environment, in that of this process and, on Linux, of all it descends
// from, and at what those are called. A program that means to hide can: it has the same rights as the person's own. What
// stands against that is a passphrase, or the shield's sandbox.
package inside

import (
	"path"
	"slices"
	"strings"
)

// Process is one process that this one descends from.
type Process struct {
	PID  int
	Name string   // as the system has it
	Args []string // the program and its arguments
	Env  []string // NAME=VALUE, as it was when the process began; nil if it cannot be read
}

// Detect says by what this process was started, in a few words, or "" if nothing speaks for an assistant. environ is that of
// this process, chain what Ancestors returned.
func Detect(environ []string, chain []Process) string {
	if mark := marked(environ); mark != "" {
		return "the variable " + mark + " is set"
	}
	for _, p := range chain {
		if name := assistant(p); name != "" {
			return "it runs below " + name
		}
		if mark := marked(p.Env); mark != "" {
			return "it runs below a process in which the variable " + mark + " is set"
		}
	}
	return ""
}

// marks are variables that assistants set for the programs they start, and ours. One that ends in _ stands for all that begin so.
func marks() []string {
	return []string{
		"ZVAULT_SHIELD", "ZVAULT_SANDBOX", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CURSOR_", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED",
		"GEMINI_CLI", "OPENCODE", "GOOSE_TERMINAL", "CLINE_ACTIVE", "AUGMENT_AGENT", "QWEN_CODE",
	}
}

// marked returns the name of a mark in an environment.
func marked(environ []string) string {
	all := marks()
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if value == "" {
			continue
		}
		if slices.ContainsFunc(all, func(m string) bool { return name == m || strings.HasSuffix(m, "_") && strings.HasPrefix(name, m) }) {
			return name
		}
	}
	return ""
}

// assistants are programs by the name of their file.
func assistants() []string {
	return []string{"claude", "codex", "cursor", "cursor-agent", "gemini", "goose", "aider", "opencode", "copilot", "kiro-cli", "qwen", "windsurf", "cline"}
}

// interpreters run a program that their first argument names.
func interpreters() []string { return []string{"node", "bun", "deno", "python", "python3", "env"} }

// assistant returns what a process is called, if it is an assistant's.
func assistant(p Process) string {
	names := []string{base(p.Name)}
	for i, a := range p.Args {
		if i == 0 || i == 1 && slices.Contains(interpreters(), base(p.Args[0])) {
			names = append(names, base(a))
		}
	}
	for _, n := range names {
		if slices.Contains(assistants(), n) {
			return n
		}
		if n == "zvault" && len(p.Args) > 1 {
			for _, face := range []string{"mcp-server", "shield"} {
				if slices.Contains(p.Args[1:], face) {
					return "zvault " + face
				}
			}
		}
	}
	return ""
}

// base is the name of a file without its folder and the ending of a program, in lower case.
func base(file string) string {
	name := strings.ToLower(path.Base(strings.ReplaceAll(file, `\`, "/")))
	for _, ending := range []string{".exe", ".js", ".mjs", ".cjs", ".py"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}
