package mcp_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

// Programs of others that try the server, in the versions that the tests were last run with. They want a newer Node than many
// systems have, so it is installed beside them.
const (
	nodeVersion = "22.23.3"
	conformance = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
	inspector   = "@modelcontextprotocol/inspector@2.12.0"
)

// patience ends such a program if it hangs, so that the test says which it was.
const patience = 4 * time.Minute

// programs is where those are, installed once.
type programs struct {
	node, conformance, inspector string
}

// installed returns the programs.
func installed(t *testing.T) programs {
	t.Helper()
	system, cpu := map[string]string{"windows": "win"}[runtime.GOOS], map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if system == "" {
		system = runtime.GOOS
	}
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	node := "node-" + system + "-" + cpu
	modules := filepath.Join(testinstall.NPM(t, "mcp-0.2.0-alpha.12-2.12.0", node+"@"+nodeVersion, conformance, inspector), "node_modules")
	return programs{
		node: filepath.Join(modules, node, "bin", "node"), conformance: filepath.Join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js"),
		inspector: filepath.Join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js"),
	}
}

// notOffered are scenarios that the suite runs beyond what a revision requires and that cannot apply to this server, with the
// reason. Every other scenario that it runs has to pass.
var notOffered = map[string]string{
	"tasks-":           "long-running tasks are an optional extension; calls end within their time here, or with the person's answer",
	"sep-2640-skills-": "skills are an optional extension; the server has prompts",
}

// The public conformance suite passes at both revisions, over our own HTTP transport: exactly the scenarios that each requires.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := installed(t)
	each(t, func(t *testing.T, revision string) {
		s := newHome(t).serve(t, nil)
		fixtures(t, s)
		handler, err := s.Handler(mcp.HTTP{Verify: mcp.Only("suite")})
		check(t, err)
		// The suite has no tokens; one is added in front.
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer suite")
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(web.Close)
		args := []string{p.conformance, "server", "--url", web.URL + mcp.Path, "--requirements", revision, "-o", t.TempDir()}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, p.node, args...).CombinedOutput() //nolint:gosec // of this file
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		passed := 0
		for line := range strings.Lines(string(out)) {
			name, ok := strings.CutPrefix(line, "✗ ")
			if strings.HasPrefix(line, "✓ ") {
				passed++
			}
			if ok && !slices.ContainsFunc(slices.Collect(maps.Keys(notOffered)), func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				t.Errorf("failed: %s", line)
			}
		}
		if passed < 30 { // an empty run would do as well
			t.Errorf("only %d scenarios passed:\n%s", passed, out)
		}
	})
}
