package editors

import (
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// claudeCode: code.claude.com/docs: mcp, settings, hooks, permissions.
func claudeCode(p Places, user bool) []Target {
	servers := serverIn(p.project(".mcp.json"), "mcpServers", `"type":"stdio",`)
	settings := p.project(".claude/settings.json")
	if user {
		dir := p.variable("CLAUDE_CONFIG_DIR", ".claude")
		settings = filepath.Join(dir, "settings.json")
		servers.Path = p.home(".claude.json")
		if p.Getenv("CLAUDE_CONFIG_DIR") != "" {
			servers.Path = filepath.Join(dir, ".claude.json")
		}
		servers.Mode = 0o600
	}
	deny := Target{Path: settings, Purpose: Ignore}
	var rules []string
	for _, file := range envFiles() {
		rules = append(rules, "Read(./"+file+")", "Read(./**/"+file+")")
	}
	for _, rule := range append(rules, "Read(~/.zvault/**)") {
		deny.Edits = append(deny.Edits, patch.Element{Path: []string{"permissions", "deny"}, Value: bare(rule)})
	}
	return []Target{servers, deny, hooks(settings, func(event string) string { return claudeHook("claude-code", event) }, "PreToolUse", "UserPromptSubmit", "PostToolUse")}
}

// claudeHook is an entry in the form of Claude Code, which others have taken over. Its seconds are a ceiling: it takes milliseconds.
func claudeHook(editor, event string) string {
	matcher := `"matcher":"*",`
	if event == "UserPromptSubmit" {
		matcher = ""
	}
	return `{` + matcher + `"hooks":[{"type":"command","command":` + bare(hookCommand(editor)) + `,"timeout":10}]}`
}

// claudeDesktop: modelcontextprotocol.io, connect to local servers. It has settings of the person alone.
func claudeDesktop(p Places, _ bool) []Target {
	t := serverIn(filepath.Join(p.config(), "Claude", "claude_desktop_config.json"), "mcpServers", "")
	t.Mode = 0o600
	return []Target{t}
}

// generic is the portable file that several clients read, and the ignore files that more than one assistant honours.
func generic(p Places, user bool) []Target {
	if user {
		return nil
	}
	return []Target{serverIn(p.project(".mcp.json"), "mcpServers", ""), ignore(p.project(".aiignore")), ignore(p.project(".aiexclude"))}
}
