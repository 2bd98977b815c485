// Package hook speaks the languages in which editors ask a program whether their assistant may go on: an event as JSON on stdin, an
// answer on stdout, on stderr or as an exit status. [Read] takes an event apart, [Event.Answer] says no, or nothing.
//
// The formats are those that the editors document: Claude Code, Codex, Gemini CLI, VS Code, Cursor, Windsurf and Kiro. A no is given
// twice where that is possible, as JSON and as the exit status 2, which all but Cursor take for one whatever else changes.
package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Kind is what an event is about.
type Kind int

// The kinds of event.
const (
	Other  Kind = iota // nothing that this package knows: let it be
	Tool               // a tool is about to run
	Prompt             // a person has sent a prompt
	Result             // a tool has run, and its output is about to be seen
)

var (
	// ErrEditor is returned for an editor without a protocol here.
	ErrEditor = errors.New("unknown editor")
	// ErrEvent is returned for input that is no event.
	ErrEvent = errors.New("this is no event")
)

// Event is what an editor asks about.
type Event struct {
	Editor string
	// Name is the editor's name of the event.
	Name string
	Kind Kind
	// Dir is the working directory; empty if the editor does not say.
	Dir string
	// Tool is the name of the tool; empty for events of their own.
	Tool string
	// Commands are command lines, Arguments are commands as lists, Files are files to be read.
	Commands  []string
	Arguments [][]string
	Files     []string
	// Texts is all text in it that could hold a value: a prompt, the content of a file, an output.
	Texts []string

	response json.RawMessage
}

// dialects of the protocols.
const (
	claude   = "claude-code"
	codex    = "codex"
	gemini   = "gemini"
	vscode   = "vscode"
	cursor   = "cursor"
	windsurf = "windsurf"
	kiro     = "kiro"
)

// Editors lists those that have a protocol.
func Editors() []string { return []string{claude, codex, cursor, gemini, kiro, vscode, windsurf} }

// kinds maps the names of events, without regard to case and underscores.
func kinds(name string) Kind {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "pretooluse", "beforetool", "permissionrequest", // Claude Code, Codex, VS Code, Kiro; Gemini
		"beforeshellexecution", "beforemcpexecution", "beforereadfile", "beforetabfileread", // Cursor
		"prereadcode", "prewritecode", "preruncommand", "premcptooluse": // Windsurf
		return Tool
	case "userpromptsubmit", "userpromptsubmitted", "beforeagent", "beforesubmitprompt", "preuserprompt", "promptsubmit":
		return Prompt
	case "posttooluse", "aftertool":
		return Result
	}
	return Other
}

// wire is the union of what editors send.
type wire struct {
	HookEventName   string          `json:"hook_event_name"`
	HookEventCamel  string          `json:"hookEventName"`
	AgentActionName string          `json:"agent_action_name"`
	Cwd             string          `json:"cwd"`
	WorkspaceRoots  []string        `json:"workspace_roots"`
	Prompt          string          `json:"prompt"`
	ToolName        string          `json:"tool_name"`
	ToolNameCamel   string          `json:"toolName"`
	ToolInput       json.RawMessage `json:"tool_input"`
	ToolArgs        json.RawMessage `json:"toolArgs"`
	ToolInfo        json.RawMessage `json:"tool_info"`
	ToolResponse    json.RawMessage `json:"tool_response"`
	ToolResult      json.RawMessage `json:"toolResult"`
	Command         string          `json:"command"`
	FilePath        string          `json:"file_path"`
	Content         string          `json:"content"`
	Attachments     json.RawMessage `json:"attachments"`
}

// Read takes an event apart. name is for editors that do not send it; what they send goes before it. Input that cannot be read is
// ErrEvent, with an Event that can still be answered.
func Read(editor, name string, input []byte) (Event, error) {
	e := Event{Editor: editor, Name: name, Kind: kinds(name)}
	if !known(editor) {
		return e, fmt.Errorf("%w %q; there are %s", ErrEditor, editor, strings.Join(Editors(), ", "))
	}
	var w wire
	if err := json.Unmarshal(input, &w); err != nil {
		e.Kind = Tool // to be stopped
		return e, fmt.Errorf("%w: it is not the JSON that %s sends", ErrEvent, editor)
	}
	e.Name = first(w.HookEventName, w.HookEventCamel, w.AgentActionName, name)
	if e.Name == "" {
		e.Kind = Tool
		return e, fmt.Errorf("%w: it has no name", ErrEvent)
	}
	e.Kind = kinds(e.Name)
	e.Dir = w.Cwd
	if e.Dir == "" && len(w.WorkspaceRoots) > 0 {
		e.Dir = w.WorkspaceRoots[0]
	}
	return e, e.fill(w)
}

// fill takes out what the event is about.
func (e *Event) fill(w wire) error {
	e.Tool = first(w.ToolName, w.ToolNameCamel)
	switch e.Kind {
	case Prompt:
		e.Texts = append(e.Texts, w.Prompt)
		for _, raw := range []json.RawMessage{w.ToolInfo, w.Attachments} {
			if err := e.collect(raw, false); err != nil {
				return err
			}
		}
	case Result:
		e.response = w.ToolResponse
		if e.response == nil {
			e.response = w.ToolResult
		}
		e.Commands, e.Files = nil, nil
		return e.texts(e.response)
	case Tool:
		if w.Command != "" && !strings.Contains(strings.ToLower(e.Name), "mcp") { // of an MCP event it is the server's own
			e.Commands = append(e.Commands, w.Command)
			e.Texts = append(e.Texts, w.Command)
		}
		if w.FilePath != "" {
			e.Files = append(e.Files, w.FilePath)
		}
		if w.Content != "" {
			e.Texts = append(e.Texts, w.Content)
		}
		for _, raw := range []json.RawMessage{w.ToolInput, w.ToolArgs, w.ToolInfo} {
			if err := e.collect(raw, true); err != nil {
				return err
			}
		}
	case Other:
	}
	return nil
}

func known(editor string) bool {
	for _, e := range Editors() {
		if e == editor {
			return true
		}
	}
	return false
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
