package inside_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant/inside"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	process := func(name string, args ...string) inside.Process { return inside.Process{Name: name, Args: args} }
	for name, c := range map[string]struct {
		environ []string
		chain   []inside.Process
		want    string
	}{
		"a terminal":             {[]string{"PATH=/bin", "EDITOR=cursor", "X=CLAUDECODE=1"}, []inside.Process{process("zsh", "-zsh"), process("sshd", "sshd: alice")}, ""},
		"nothing known":          {nil, nil, ""},
		"a mark":                 {[]string{"CLAUDECODE=1"}, nil, "the variable CLAUDECODE is set"},
		"an empty mark":          {[]string{"CLAUDECODE="}, nil, ""},
		"a mark by prefix":       {[]string{"CURSOR_TRACE_ID=abc"}, nil, "the variable CURSOR_TRACE_ID is set"},
		"a prefix alone":         {[]string{"CURSOR=abc", "CLAUDECODEX=1"}, nil, ""},
		"the shield":             {[]string{"ZVAULT_SHIELD=1"}, nil, "the variable ZVAULT_SHIELD is set"},
		"taken off by env -u":    {nil, []inside.Process{{Name: "bash", Env: []string{"GEMINI_CLI=1"}}}, "it runs below a process in which the variable GEMINI_CLI is set"},
		"by name":                {nil, []inside.Process{process("bash", "bash"), process("claude", "claude")}, "it runs below claude"},
		"by file":                {nil, []inside.Process{process("MainThread", "/usr/local/bin/codex")}, "it runs below codex"},
		"by script":              {nil, []inside.Process{process("node", "/usr/bin/node", "/usr/lib/node_modules/x/gemini.js")}, "it runs below gemini"},
		"on Windows":             {nil, []inside.Process{process("", `C:\Programs\Cursor.exe`)}, "it runs below cursor"},
		"a file of that name":    {nil, []inside.Process{process("vim", "vim", "claude")}, ""},
		"our own server":         {nil, []inside.Process{process("zvault", "/usr/bin/zvault", "mcp-server")}, "it runs below zvault mcp-server"},
		"our own shield":         {nil, []inside.Process{process("zvault", "zvault", "--quiet", "shield", "--", "sh")}, "it runs below zvault shield"},
		"our own run":            {nil, []inside.Process{process("zvault", "zvault", "run", "--", "sh")}, ""},
		"a program named shield": {nil, []inside.Process{process("sh", "sh", "shield")}, ""},
	} {
		if got := inside.Detect(c.environ, c.chain); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
