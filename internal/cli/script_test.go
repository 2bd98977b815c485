package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// TestMain lets the scripts run this very binary as zvault.
func TestMain(m *testing.M) {
	if sandbox.IsInit() { // this binary stands in for zvault
		os.Exit(sandbox.Init())
	}
	if as := os.Getenv(asMain); as != "" {
		if as == onOneThread {
			runtime.LockOSThread()
		}
		os.Exit(Main())
	}
	testscript.Main(m, map[string]func(){"zvault": func() { os.Exit(Main()) }})
}

// TestScripts runs the command lines of testdata/script as a user would type them.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) < 8 {
		t.Fatalf("%d scripts found: %v", len(scripts), err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ZVAULT_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("USER", "tester")
			e.Setenv("CI", "")
			e.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"nowhere": nowhere, "status": wantStatus},
	})
}

// nowhere fails if a text stands in any file below a folder: nowhere TEXT DIR...
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: nowhere TEXT DIR...")
	}
	seen := 0
	for _, dir := range args[1:] {
		err := filepath.WalkDir(ts.MkAbs(dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			seen++
			data, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(data), args[0]) {
				ts.Fatalf("%s holds the text", path)
			}
			return err
		})
		ts.Check(err)
	}
	if seen == 0 {
		ts.Fatalf("there is no file in %v", args[1:])
	}
}

// wantStatus runs zvault and expects an exit status: status 3 secret get X.
func wantStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N ARGUMENT...")
	}
	err := ts.Exec("zvault", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s; want %s", got, args[0])
	}
}
