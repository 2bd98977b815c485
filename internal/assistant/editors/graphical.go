package editors

import (
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

// cursor: cursor.com/docs: mcp, hooks, ignore files.
func cursor(p Places, user bool) []Target {
	asked := hooks(p.either(user, ".cursor/hooks.json"), func(string) string {
		return `{"command":` + bare(hookCommand("cursor")) + `,"failClosed":true}`
	}, "beforeShellExecution", "beforeMCPExecution", "beforeReadFile", "beforeTabFileRead", "beforeSubmitPrompt")
	asked.Edits = append([]patch.Edit{patch.Member{Key: "version", Value: "1", Any: true}}, asked.Edits...)
	all := []Target{serverIn(p.either(user, ".cursor/mcp.json"), "mcpServers", ""), asked}
	if !user {
		all = append(all, ignore(p.project(".cursorignore")))
	}
	return all
}

// kiro: kiro.dev/docs: mcp configuration, hooks (files of version v1), kiroignore.
func kiro(p Places, user bool) []Target {
	all := []Target{
		serverIn(p.either(user, ".kiro/settings/mcp.json"), "mcpServers", ""),
		{Path: p.either(user, ".kiro/hooks/zvault.json"), Purpose: Hooks, Edits: []patch.Edit{patch.Whole{Title: "hooks of zvault", Content: kiroHooks}}},
	}
	if !user {
		all = append(all, ignore(p.project(".kiroignore")))
	}
	return all
}

const kiroHooks = `{
  "version": "v1",
  "hooks": [
    {
      "name": "zvault-tools",
      "trigger": "PreToolUse",
      "action": { "type": "command", "command": "zvault hook kiro PreToolUse" },
      "timeout": 10
    },
    {
      "name": "zvault-prompts",
      "trigger": "UserPromptSubmit",
      "action": { "type": "command", "command": "zvault hook kiro UserPromptSubmit" },
      "timeout": 10
    }
  ]
}
`

// continueDev: docs.continue.dev: a block file for each server, in YAML; .continueignore.
func continueDev(p Places, user bool) []Target {
	all := []Target{{Path: p.either(user, ".continue/mcpServers/zvault.yaml"), Purpose: Server, Edits: []patch.Edit{
		patch.Whole{Title: "server zvault", Content: "name: ZVault\nversion: 0.0.1\nschema: v1\nmcpServers:\n  - name: zvault\n    command: zvault\n    args:\n      - mcp-server\n"},
	}}}
	if !user {
		all = append(all, ignore(p.project(".continueignore")))
	}
	return all
}

// vscode: code.visualstudio.com/docs: MCP configuration, agent hooks. It has no ignore file of its own.
func vscode(p Places, user bool) []Target {
	servers := serverIn(p.project(".vscode/mcp.json"), "servers", `"type":"stdio",`)
	asked := p.project(".github/hooks/zvault.json")
	if user {
		servers.Path = filepath.Join(p.config(), "Code", "User", "mcp.json")
		asked = p.home(".copilot/hooks/zvault.json")
	}
	return []Target{servers, {Path: asked, Purpose: Hooks, Edits: []patch.Edit{patch.Whole{Title: "hooks of zvault", Content: vscodeHooks}}}}
}

const vscodeHooks = `{
  "version": 1,
  "hooks": {
    "PreToolUse": [{ "type": "command", "command": "zvault hook vscode PreToolUse", "timeout": 10 }],
    "UserPromptSubmit": [{ "type": "command", "command": "zvault hook vscode UserPromptSubmit", "timeout": 10 }],
    "PostToolUse": [{ "type": "command", "command": "zvault hook vscode PostToolUse", "timeout": 10 }]
  }
}
`

// windsurf: docs.windsurf.com: Cascade's mcp, hooks, ignore. Its servers are the person's alone.
func windsurf(p Places, user bool) []Target {
	path := p.project(".windsurf/hooks.json")
	if user {
		path = p.home(".codeium/windsurf/hooks.json")
	}
	all := []Target{
		serverIn(p.home(".codeium/windsurf/mcp_config.json"), "mcpServers", ""),
		hooks(path, func(string) string { return `{"command":` + bare(hookCommand("windsurf")) + `,"show_output":true}` },
			"pre_read_code", "pre_write_code", "pre_run_command", "pre_mcp_tool_use", "pre_user_prompt"),
	}
	if !user {
		all = append(all, ignore(p.project(".codeiumignore")))
	}
	return all
}

// zed: zed.dev/docs: ai/mcp, configuring. It reads no file that its setting private_files names, .env among them.
func zed(p Places, user bool) []Target {
	path := p.project(".zed/settings.json")
	if user {
		path = filepath.Join(p.xdg(), "zed", "settings.json")
		switch p.GOOS {
		case "windows":
			path = filepath.Join(p.config(), "Zed", "settings.json")
		case "darwin":
			path = p.home(".config/zed/settings.json")
		}
	}
	return []Target{serverIn(path, "context_servers", "")}
}
