package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// program builds the real program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zvault")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/ArcadeLabsInc/zvault/cmd/zvault") //nolint:gosec // of this file
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

// typed runs the program as a person does.
func typed(t *testing.T, dir, home, path string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "ZVAULT_HOME="+home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// The arguments that tools are called with; every other tool is called without any, which is to end in words about that.
var inspected = map[string][]string{
	"zvault_describe_secret": {"name=STRIPE_KEY"}, "zvault_set_secret": {"name=MADE", `generate={"kind":"uuid"}`}, "zvault_delete_secret": {"name=GONE"},
	"zvault_rotate_secret": {"name=DB_PASSWORD", `generate={"kind":"hex"}`}, "zvault_copy_secret": {"name=STRIPE_KEY", "from=development", "to=staging"},
	"zvault_diff_secrets": {"from=1"}, "zvault_bulk_import": {"file=.env"}, "zvault_secret_history": {"name=STRIPE_KEY"}, "zvault_compare_envs": {"left=development", "right=production"},
	"zvault_switch_environment": {"env=staging"}, "zvault_promote": {"from=development", "to=staging", "dry_run=true"}, "zvault_policy_check": {`secrets=["STRIPE_KEY"]`},
	"zvault_list_secrets": {"env=development"}, "zvault_vault_status": {}, "zvault_check_env": {}, "zvault_generate_env_template": {}, "zvault_list_environments": {}, "zvault_audit_query": {},
}

// The MCP Inspector's command line, as others use it, lists all tools and calls each of them, over both transports of the real
// program. What it prints holds no value.
func TestInspector(t *testing.T) {
	t.Parallel()
	p, zvault := installed(t), program(t)
	for _, over := range []string{"stdio", "http"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			home, dir := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "shop")
			check(t, os.Mkdir(dir, 0o700))
			check(t, os.WriteFile(filepath.Join(dir, ".env"), []byte("STRIPE_KEY=sk_live_4242424242\nDB_PASSWORD=hunter22hunter22\nGONE=soon-to-be-deleted\n"), 0o600))
			typed(t, dir, home, zvault, "import", ".env", "--yes")
			reach := []string{"--cwd", dir, "-e", "ZVAULT_HOME=" + home, zvault, "mcp-server"}
			if over == "http" {
				url, token := serveOverHTTP(t, dir, home, zvault)
				reach = []string{url, "--transport", "http", "--header", "Authorization: Bearer " + token}
			}
			inspect := func(args ...string) string {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				cmd := exec.CommandContext(ctx, p.node, slices.Concat([]string{p.inspector, "--cli"}, reach, args)...) //nolint:gosec // of this file
				cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
				out, err := cmd.CombinedOutput()
				var failed *exec.ExitError
				if err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 5) { // 5: the tool said that something is wrong
					t.Errorf("%v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			var list struct{ Tools []struct{ Name string } }
			check(t, json.NewDecoder(strings.NewReader(inspect("--method", "tools/list"))).Decode(&list))
			if len(list.Tools) < 20 {
				t.Fatalf("%d tools are listed", len(list.Tools))
			}
			all := inspectAll(list.Tools, inspect, t)
			all += inspect("--method", "resources/list") + inspect("--method", "prompts/list") + inspect("--method", "resources/read", "--uri", "zvault://shop/?env=development")
			for _, v := range []string{"sk_live_4242424242", "hunter22hunter22", "soon-to-be-deleted"} {
				if strings.Contains(all, v) {
					t.Error("what the Inspector prints holds a value")
				}
			}
		})
	}
}

// inspectAll calls every tool, some at once, and returns what was printed.
func inspectAll(tools []struct{ Name string }, inspect func(...string) string, t *testing.T) string {
	var all strings.Builder
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for _, x := range tools {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			arguments, works := inspected[x.Name]
			args := []string{"--method", "tools/call", "--tool-name", x.Name}
			if len(arguments) > 0 {
				args = append(append(args, "--tool-arg"), arguments...)
			}
			out := inspect(args...)
			if works && strings.Contains(out, `"isError": true`) {
				t.Errorf("%s: %s", x.Name, out)
			}
			if !works && !strings.Contains(out, `"isError": true`) {
				t.Errorf("%s was called without arguments and did something: %s", x.Name, out)
			}
			mu.Lock()
			defer mu.Unlock()
			all.WriteString(out)
		})
	}
	wg.Wait()
	return all.String()
}

// serveOverHTTP starts the program for HTTP and returns its address and token.
func serveOverHTTP(t *testing.T, dir, home, path string) (url, token string) {
	t.Helper()
	cmd := exec.Command(path, "mcp-server", "--http", "127.0.0.1:0") //nolint:gosec // of this file
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "ZVAULT_HOME="+home)
	out, err := cmd.StderrPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		check(t, cmd.Process.Signal(os.Interrupt))
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		if u, ok := strings.CutPrefix(line, "serving MCP on "); ok {
			url = u
		}
		if tok, ok := strings.CutPrefix(line, "Authorization: Bearer "); ok {
			token = tok
			break
		}
	}
	if url == "" || token == "" {
		t.Fatalf("no address was printed: %v", lines.Err())
	}
	go func() { _, _ = bytes.NewBuffer(nil).ReadFrom(out) }()
	return url, token
}
