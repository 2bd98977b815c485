package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

var update = flag.Bool("update", false, "write what Explain answers into testdata/explain")

func TestExplain(t *testing.T) {
	t.Parallel()
	for name, archive := range archives(t, "testdata/explain/*.txtar") {
		s := readScenario(t, archive)
		got := printExplanation(policy.Explain(s.policies, parseQuery(t, s.files["query"])))
		if *update {
			archive.Files[len(archive.Files)-1].Data = []byte(got)
			if err := os.WriteFile(filepath.Join("testdata/explain", name+".txtar"), txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want := s.files["want"]; got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: a value is shown", name)
		}
	}
}

func printExplanation(e policy.Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", describe(e.Decision, false), e.Reason)
	for _, r := range e.Rules {
		mark := " "
		if r.Decides {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %s:%d %s [%s]\n", mark, r.Policy, r.Rule.Line, r.Rule.Path, r.Rule.Capabilities)
	}
	b.WriteString(e.Suggestion)
	return b.String()
}

func TestExplain_TimeIsMissing(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "p", `path "a" { capabilities = ["read"] expiration = "2030-01-01T00:00:00Z" }`)
	e := policy.Explain([]*policy.Policy{p}, parseQuery(t, "read a"))
	if e.Decision.Allowed || !strings.Contains(e.Reason, "no time") || e.Suggestion != "" {
		t.Errorf("%+v", e)
	}
	e = policy.Explain([]*policy.Policy{p}, parseQuery(t, "read a at=2031-01-01T00:00:00Z"))
	if len(e.Rules) != 0 || e.Suggestion == "" {
		t.Errorf("after its end: %+v", e)
	}
}
