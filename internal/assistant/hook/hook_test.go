package hook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/hook"
)

// Events as the editors document them.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		editor, input string
		kind          hook.Kind
		commands      []string
		files         []string
		texts         []string
	}{
		"claude bash": {"claude-code", `{"hook_event_name":"PreToolUse","cwd":"/p","tool_name":"Bash","tool_input":{"command":"env","description":"list"}}`,
			hook.Tool, []string{"env"}, nil, []string{"env", "list"}},
		"claude read": {"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input":{"file_path":"/p/.env","limit":3}}`, hook.Tool, nil, []string{"/p/.env"}, nil},
		"claude grep": {"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Grep","tool_input":{"pattern":"KEY","path":".env","glob":".env*"}}`,
			hook.Tool, nil, []string{".env", ".env*"}, []string{"KEY"}},
		"claude glob": {"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Glob","tool_input":{"pattern":".env*","path":"."}}`, hook.Tool, nil, nil, []string{".", ".env*"}},
		"claude write": {"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":".env","content":"A=b"}}`,
			hook.Tool, nil, nil, []string{".env", "A=b"}},
		"claude edit": {"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Edit","tool_input":{"file_path":".env","old_string":"a","new_string":"b"}}`,
			hook.Tool, nil, []string{".env"}, []string{"a", "b"}},
		"claude prompt": {"claude-code", `{"hook_event_name":"UserPromptSubmit","prompt":"use x"}`, hook.Prompt, nil, nil, []string{"use x"}},
		"claude result": {"claude-code", `{"hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{"command":"x"},"tool_response":{"stdout":"out","n":1,"l":["a"]}}`,
			hook.Result, nil, nil, []string{"a", "out"}},
		"claude other":  {"claude-code", `{"hook_event_name":"SessionStart","source":"startup"}`, hook.Other, nil, nil, nil},
		"codex list":    {"codex", `{"hook_event_name":"PreToolUse","tool_name":"shell","tool_input":{"command":["bash","-lc","env"]}}`, hook.Tool, nil, nil, []string{"bash -lc env"}},
		"gemini":        {"gemini", `{"hook_event_name":"BeforeTool","tool_name":"read_file","tool_input":{"absolute_path":"/p/.env"}}`, hook.Tool, nil, []string{"/p/.env"}, nil},
		"gemini prompt": {"gemini", `{"hook_event_name":"BeforeAgent","prompt":"p"}`, hook.Prompt, nil, nil, []string{"p"}},
		"vscode":        {"vscode", `{"hookEventName":"PreToolUse","tool_name":"read_file","tool_input":{"filePath":"/p/.env"}}`, hook.Tool, nil, []string{"/p/.env"}, nil},
		"cursor shell":  {"cursor", `{"hook_event_name":"beforeShellExecution","workspace_roots":["/p"],"command":"env"}`, hook.Tool, []string{"env"}, nil, []string{"env"}},
		"cursor read":   {"cursor", `{"hook_event_name":"beforeReadFile","file_path":"/p/a","content":"text"}`, hook.Tool, nil, []string{"/p/a"}, []string{"text"}},
		"cursor mcp": {"cursor", `{"hook_event_name":"beforeMCPExecution","tool_name":"x","tool_input":"{\"path\":\"/p/.env\"}","command":"npx env"}`,
			hook.Tool, nil, []string{"/p/.env"}, nil},
		"cursor prompt":   {"cursor", `{"hook_event_name":"beforeSubmitPrompt","prompt":"p","attachments":[{"type":"file","file_path":"/p/a"}]}`, hook.Prompt, nil, nil, []string{"/p/a", "file", "p"}},
		"windsurf run":    {"windsurf", `{"agent_action_name":"pre_run_command","tool_info":{"command_line":"env","cwd":"/p"}}`, hook.Tool, []string{"env"}, nil, []string{"/p", "env"}},
		"windsurf read":   {"windsurf", `{"agent_action_name":"pre_read_code","tool_info":{"file_path":"/p/.env"}}`, hook.Tool, nil, []string{"/p/.env"}, nil},
		"windsurf prompt": {"windsurf", `{"agent_action_name":"pre_user_prompt","tool_info":{"user_prompt":"p"}}`, hook.Prompt, nil, nil, []string{"", "p"}},
		"kiro": {"kiro", `{"hook_event_name":"preToolUse","cwd":"/p","tool_name":"fs_read","tool_input":{"operations":[{"mode":"Line","path":"/p/.env"}]}}`,
			hook.Tool, nil, []string{"/p/.env"}, []string{"Line"}},
	} {
		e, err := hook.Read(c.editor, "", []byte(c.input))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		slices.Sort(e.Texts)
		slices.Sort(e.Files)
		if e.Kind != c.kind {
			t.Errorf("%s: kind %d", name, e.Kind)
		}
		if diff := cmp.Diff([][]string{c.commands, c.files, c.texts}, [][]string{e.Commands, e.Files, e.Texts}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRead_Malformed(t *testing.T) {
	t.Parallel()
	if _, err := hook.Read("emacs", "", []byte("{}")); !errors.Is(err, hook.ErrEditor) {
		t.Error(err)
	}
	for _, input := range []string{"", "x", "[]", "{}", `{"hook_event_name":"PreToolUse","tool_input":`, `{"hook_event_name":3}`, `{"prompt":"hush-hush-hush"}`} {
		e, err := hook.Read("claude-code", "", []byte(input))
		if !errors.Is(err, hook.ErrEvent) {
			t.Errorf("%q: %v", input, err)
			continue
		}
		if strings.Contains(err.Error(), "hush") {
			t.Error("the error quotes the input")
		}
		if a := e.Unreadable(err.Error()); a.Status != 2 || a.Stderr == "" || a.Stdout != "" {
			t.Errorf("%q: %+v", input, a)
		}
	}
}

func TestEvent_Stop(t *testing.T) {
	t.Parallel()
	mask := func(s string) string { return strings.ReplaceAll(s, "value", "***") }
	for _, c := range []struct {
		editor, input, stdout string
		status                int
	}{
		{"claude-code", `{"hook_event_name":"PreToolUse"}`,
			`{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"zvault: no."}}`, 2},
		{"claude-code", `{"hook_event_name":"UserPromptSubmit"}`, `{"decision":"block","reason":"zvault: no."}`, 2},
		{"claude-code", `{"hook_event_name":"PostToolUse","tool_response":{"stdout":"a value","code":3}}`,
			`{"decision":"block","hookSpecificOutput":{"hookEventName":"PostToolUse","updatedToolOutput":{"code":3,"stdout":"a ***"}},"reason":"zvault: no."}`, 0},
		{"codex", `{"hook_event_name":"PostToolUse","tool_response":"a value"}`, `{"decision":"block","reason":"zvault: no."}`, 0},
		{"gemini", `{"hook_event_name":"AfterTool","tool_response":{"llmContent":"a value"}}`, `{"decision":"deny","reason":"zvault: no."}`, 2},
		{"cursor", `{"hook_event_name":"beforeShellExecution"}`, `{"agent_message":"zvault: no.","permission":"deny","user_message":"zvault: no."}`, 0},
		{"cursor", `{"hook_event_name":"beforeSubmitPrompt"}`, `{"continue":false,"user_message":"zvault: no."}`, 0},
		{"windsurf", `{"agent_action_name":"pre_run_command"}`, ``, 2},
		{"kiro", `{"hook_event_name":"preToolUse"}`, ``, 2},
		{"vscode", `{"hook_event_name":"PreToolUse"}`,
			`{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"zvault: no."}}`, 2},
	} {
		e, err := hook.Read(c.editor, "", []byte(c.input))
		if err != nil {
			t.Fatal(err)
		}
		a := e.Stop("no", mask)
		if a.Stdout != c.stdout || a.Status != c.status || !strings.Contains(a.Stderr, "no") {
			t.Errorf("%s %s: %+v", c.editor, e.Name, a)
		}
		if yes := e.Allow(); yes.Status != 0 || yes.Stderr != "" || c.editor != "cursor" && yes.Stdout != "" {
			t.Errorf("%s %s: %+v", c.editor, e.Name, yes)
		}
	}
}

// Whatever comes in, what goes out is nothing or one JSON document.
func FuzzRead(f *testing.F) {
	f.Add("claude-code", `{"hook_event_name":"PreToolUse","tool_input":{"command":["a"],"x":[{"path":"y"}]}}`)
	f.Add("cursor", `{"hook_event_name":"beforeMCPExecution","tool_input":"{}"}`)
	f.Fuzz(func(t *testing.T, editor, input string) {
		e, err := hook.Read(editor, "", []byte(input))
		if err != nil && e.Unreadable("x").Status != 2 {
			t.Fatal("let through")
		}
		for _, a := range []hook.Answer{e.Stop("x", strings.ToUpper), e.Allow()} {
			if a.Stdout != "" && !json.Valid([]byte(a.Stdout)) {
				t.Fatalf("%q", a.Stdout)
			}
		}
	})
}
