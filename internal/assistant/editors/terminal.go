package editors

import (
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// codex: developers.openai.com/codex: config, mcp, hooks. A project's files count once the project is trusted.
func codex(p Places, user bool) []Target {
	dir := p.project(".codex")
	if user {
		dir = p.variable("CODEX_HOME", ".codex")
	}
	return []Target{
		{Path: filepath.Join(dir, "config.toml"), Purpose: Server, Edits: []patch.Edit{
			patch.Section{Path: []string{"mcp_servers", name}, Body: "command = \"" + command + "\"\nargs = " + argJSON + "\n"},
		}},
		hooks(filepath.Join(dir, "hooks.json"), func(string) string {
			return `{"hooks":[{"type":"command","command":` + bare(hookCommand("codex")) + `,"timeout":10}]}`
		}, "PreToolUse", "UserPromptSubmit", "PostToolUse"),
	}
}

// gemini: geminicli.com/docs: mcp-server, hooks, gemini-ignore. Its timeouts are milliseconds. Gemini in other editors reads .aiexclude.
func gemini(p Places, user bool) []Target {
	path := p.either(user, ".gemini/settings.json")
	all := []Target{
		serverIn(path, "mcpServers", ""),
		hooks(path, func(event string) string {
			matcher := `"matcher":".*",`
			if event == "BeforeAgent" {
				matcher = ""
			}
			return `{` + matcher + `"hooks":[{"name":"zvault","type":"command","command":` + bare(hookCommand("gemini")) + `,"timeout":10000}]}`
		}, "BeforeTool", "BeforeAgent", "AfterTool"),
	}
	if !user {
		all = append(all, ignore(p.project(".geminiignore")), ignore(p.project(".aiexclude")))
	}
	return all
}
