//go:build unix

package network_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
)

func TestRunCommand(t *testing.T) {
	t.Parallel()
	c := tooltest.New(t, map[string]string{"API_KEY": key})
	c.Dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(c.Dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(args map[string]any) (map[string]any, error) {
		return tooltest.Run(t.Context(), t, tools(t), "run_command", c, args)
	}
	result, err := run(map[string]any{
		"command": []string{"sh", "-c", `test "$API_KEY" = "$COPY" && echo same in $(basename "$PWD"); echo "$API_KEY" >&2; exit 3`},
		"secrets": []string{"API_KEY"}, "environment": map[string]string{"COPY": "${zvault://API_KEY}"}, "directory": "sub",
	})
	if err != nil {
		t.Fatal(err)
	}
	if result["exit_code"] != float64(3) || result["stdout"] != "same in sub\n" {
		t.Errorf("result: %v", result)
	}
	if text := hidden(t, result); strings.Contains(text, "sk_live") {
		t.Error("the value is in the result")
	}
	u := tooltest.GateOf(c).Last()
	if u.Tool != "run_command" || len(u.Command) != 3 || u.In["API_KEY"] != "env:API_KEY,env:COPY" && u.In["API_KEY"] != "env:COPY,env:API_KEY" {
		t.Errorf("the gate was asked about %+v", u)
	}
	for name, args := range map[string]map[string]any{
		"address as argument": {"command": []string{"echo", "zvault://API_KEY"}}, "leaving the folder": {"command": []string{"true"}, "directory": "../.."},
		"LD_PRELOAD": {"command": []string{"true"}, "environment": map[string]string{"LD_PRELOAD": "x"}}, "empty": {"command": []string{""}},
		"PATH": {"command": []string{"true"}, "environment": map[string]string{"PATH": "."}},
	} {
		if _, err := run(args); tooltest.Code(err) != "invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := run(map[string]any{"command": []string{"no-such-program-here"}}); tooltest.Code(err) != "not_found" {
		t.Errorf("a program that is not there: %v", err)
	}
	// What it starts ends with it.
	c.Limits.Time = 300 * time.Millisecond
	began := time.Now()
	result, err = run(map[string]any{"command": []string{"sh", "-c", "sleep 60 & sleep 60"}})
	if err != nil || result["exit_code"] != float64(-1) || time.Since(began) > 20*time.Second {
		t.Errorf("a program that takes too long: %v, %v", result, err)
	}
}
