package policy_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

// archives reads the cases of a folder. It fails where there are none.
func archives(t testing.TB, glob string) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob(glob)
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases at %s: %v", glob, err)
	}
	found := map[string]*txtar.Archive{}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(name), ".txtar")] = archive
	}
	return found
}

// a scenario is an archive read: its policies, expanded, and its other files.
type scenario struct {
	policies []*policy.Policy
	files    map[string]string
}

func readScenario(t testing.TB, archive *txtar.Archive) scenario {
	t.Helper()
	s := scenario{files: map[string]string{}}
	for _, f := range archive.Files {
		text := string(f.Data)
		name, extension, isPolicy := strings.Cut(f.Name, ".")
		switch {
		case f.Name == "default":
			name, text = policy.DefaultName, policy.DefaultText
		case !isPolicy:
			s.files[f.Name] = text
			continue
		case extension != "hcl" && extension != "json":
			t.Fatalf("file %q is neither HCL nor JSON", f.Name)
		}
		s.policies = append(s.policies, mustParse(t, name, text))
	}
	if table, ok := s.files["lookup"]; ok {
		for i, p := range s.policies {
			s.policies[i] = p.Expand(lookup(table))
		}
	}
	return s
}

func mustParse(t testing.TB, name, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(name, text)
	if err != nil {
		t.Fatalf("parsing %q: %v", text, err)
	}
	return p
}

// lookup returns the values of a table with lines "expression = value".
func lookup(table string) func(string) (string, bool) {
	values := map[string]string{}
	for line := range strings.Lines(table) {
		name, v, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(name)] = strings.TrimSpace(v)
	}
	return func(expression string) (string, bool) {
		v, ok := values[expression]
		return v, ok
	}
}

// parseQuery reads "capability path [wrap=duration] [at=time] [parameter=JSON]...".
func parseQuery(t testing.TB, line string) policy.Query {
	t.Helper()
	words := strings.Fields(line)
	c, ok := policy.ParseCapability(words[0])
	if !ok {
		t.Fatalf("query %q: unknown capability", line)
	}
	q := policy.Query{Capability: c, Path: words[1]}
	for _, word := range words[2:] {
		name, text, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "wrap":
			q.WrapTTL, err = time.ParseDuration(text)
		case "at":
			q.Time, err = time.Parse(time.RFC3339, text)
		default:
			if q.Data == nil {
				q.Data = map[string]any{}
			}
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			var v any
			err = decoder.Decode(&v)
			q.Data[name] = v
		}
		if err != nil {
			t.Fatalf("query %q: %v", line, err)
		}
	}
	return q
}

// describe writes a decision as the tables do. Names are only written if the table has them.
func describe(d policy.Decision, withNames bool) string {
	words := []string{"deny"}
	if d.Allowed {
		words[0] = "allow"
	}
	if d.Root {
		words = append(words, "root")
	}
	if d.Sudo {
		words = append(words, "sudo")
	}
	if withNames {
		words = append(words, "by="+strings.Join(d.Policies, ","))
	}
	if d.Limit != 0 {
		words = append(words, fmt.Sprintf("limit=%d", d.Limit))
	}
	if d.KeysFilter != "" {
		words = append(words, "filter="+d.KeysFilter)
	}
	return strings.Join(words, " ")
}
