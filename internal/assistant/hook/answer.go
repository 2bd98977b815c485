package hook

import (
	"encoding/json"
	"strings"
)

// Answer is what the hook prints and how it ends.
type Answer struct {
	Stdout string
	Stderr string
	Status int
}

// stopStatus is the exit status for a no.
const stopStatus = 2

// Allow lets the editor go on, by its own rules.
func (e Event) Allow() Answer {
	if e.Editor == cursor {
		if e.Kind == Prompt {
			return Answer{Stdout: `{"continue":true}`}
		}
		if e.Kind == Tool {
			return Answer{Stdout: `{"permission":"allow"}`}
		}
	}
	return Answer{}
}

// Stop says no, with a reason for the person and the model. mask, for a result, replaces the values in a text.
func (e Event) Stop(reason string, mask func(string) string) Answer {
	reason = "zvault: " + strings.TrimSuffix(reason, ".") + "."
	switch e.Editor {
	case cursor:
		return e.stopCursor(reason)
	case windsurf, kiro:
		return Answer{Stderr: reason, Status: stopStatus}
	case gemini:
		return Answer{Stdout: encode(map[string]any{"decision": "deny", "reason": reason}), Stderr: reason, Status: stopStatus}
	}
	return e.stopClaude(reason, mask)
}

// Unreadable says no to an event that could not be read, which is the same everywhere.
func (e Event) Unreadable(reason string) Answer {
	return Answer{Stderr: "zvault: " + reason + "; stopped, to be safe", Status: stopStatus}
}

// stopCursor answers in JSON alone: Cursor shows its messages to the person and to the model.
func (e Event) stopCursor(reason string) Answer {
	if e.Kind == Prompt {
		return Answer{Stdout: encode(map[string]any{"continue": false, "user_message": reason}), Stderr: reason}
	}
	return Answer{Stdout: encode(map[string]any{"permission": "deny", "user_message": reason, "agent_message": reason}), Stderr: reason}
}

// stopClaude answers as Claude Code, Codex and VS Code want it. Codex refuses fields that it does not know.
func (e Event) stopClaude(reason string, mask func(string) string) Answer {
	switch e.Kind {
	case Tool:
		out := map[string]any{"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason}
		return Answer{Stdout: encode(map[string]any{"hookSpecificOutput": out}), Stderr: reason, Status: stopStatus}
	case Result:
		all := map[string]any{"decision": "block", "reason": reason}
		if masked, ok := e.masked(mask); ok && e.Editor == claude {
			all["hookSpecificOutput"] = map[string]any{"hookEventName": "PostToolUse", "updatedToolOutput": masked}
		}
		// The tool has run: only what is printed with status 0 can still replace its output.
		return Answer{Stdout: encode(all), Stderr: reason}
	case Prompt, Other:
	}
	return Answer{Stdout: encode(map[string]any{"decision": "block", "reason": reason}), Stderr: reason, Status: stopStatus}
}

// masked is the result of the tool with its values replaced.
func (e Event) masked(mask func(string) string) (any, bool) {
	var v any
	if mask == nil || json.Unmarshal(e.response, &v) != nil {
		return nil, false
	}
	return each(v, mask), true
}

func encode(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // maps of strings always encode
	return strings.TrimSpace(b.String())
}
