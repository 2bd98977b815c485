package grant_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// noon is when all cases are decided.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestDecide(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name  string
		Use   grant.Use
		Rules map[string][]grant.Rule
		Used  int
		Want  string
		Why   string
	}
	read(t, "testdata/decide.json", &cases)
	outcomes := map[string]grant.Outcome{"allowed": grant.Allowed, "ask": grant.Ask, "denied": grant.Denied}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			want, ok := outcomes[c.Want]
			if !ok {
				t.Fatalf("the case wants %q", c.Want)
			}
			got := grant.Decide(c.Use, c.Rules, noon, func(string, grant.Rule) int { return c.Used })
			if got.Outcome != want || !strings.Contains(got.Reason, c.Why) || (got.Reason == "") != (want == grant.Allowed) {
				t.Errorf("got %d %q, want %s and %q", got.Outcome, got.Reason, c.Want, c.Why)
			}
			if strings.ContainsAny(got.Reason, "\x1b\u202e\n") {
				t.Errorf("the reason %q is not fit to be shown", got.Reason)
			}
		})
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// lines reads a table of three columns.
func lines(t *testing.T, file string) (rows [][3]string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(cells) != 3 {
			t.Fatalf("%s: %q has not three columns", file, line)
		}
		rows = append(rows, [3]string{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
	}
	if len(rows) < 50 {
		t.Fatalf("%s: only %d rows", file, len(rows))
	}
	return rows
}

func TestDecide_Hosts(t *testing.T) {
	t.Parallel()
	for _, row := range lines(t, "testdata/hosts.txt") {
		pattern, to, want := row[0], strings.SplitN(row[1], " ", 2), row[2]
		end := strings.LastIndexByte(to[1], ' ')
		port := 0
		if end >= 0 {
			n, err := strconv.Atoi(to[1][end+1:])
			if err != nil {
				t.Fatal(err)
			}
			to[1], port = to[1][:end], n
		}
		u := grant.Use{Secrets: []string{"A"}, Tool: "http_request", Scheme: to[0], Host: to[1], Port: port}
		r, err := grant.ParseRule(grant.Fields{Hosts: []string{pattern}}, noon)
		if (err != nil) != (want == "bad") {
			t.Errorf("%q: parsing: %v, want %s", pattern, err, want)
		}
		if err != nil {
			r = grant.Rule{Hosts: []string{pattern}} // it must not permit anything either
		}
		got := grant.Decide(u, map[string][]grant.Rule{"A": {r}}, noon, nil).Outcome == grant.Allowed
		if got != (want == "yes") && (want != "bad" || got && !strings.HasPrefix(pattern, "*")) {
			t.Errorf("%q for %v: %v, want %s", pattern, row[1], got, want)
		}
	}
}

func TestDecide_Paths(t *testing.T) {
	t.Parallel()
	for _, row := range lines(t, "testdata/paths.txt") {
		u := grant.Use{Secrets: []string{"A"}, Tool: "http_request", Host: "example.com", Path: row[1]}
		_, err := grant.ParseRule(grant.Fields{Hosts: []string{"example.com"}, Paths: []string{row[0]}}, noon)
		if (err != nil) != (row[2] == "bad") {
			t.Errorf("%q: parsing: %v, want %s", row[0], err, row[2])
		}
		rules := map[string][]grant.Rule{"A": {{Hosts: []string{"example.com"}, Paths: []string{row[0]}}}}
		if got := grant.Decide(u, rules, noon, nil).Outcome == grant.Allowed; got != (row[2] == "yes") {
			t.Errorf("%q for %q: %v, want %s", row[0], row[1], got, row[2])
		}
	}
}

// A glob made to be slow is not.
func TestDecide_SlowGlob(t *testing.T) {
	t.Parallel()
	glob := strings.Repeat("/**/a*a*a*a*b", 60)
	u := grant.Use{Secrets: []string{"A"}, Host: "example.com", Path: strings.Repeat("/aaaaaaaaaaaaaaaaaaaaaaaa", 300)}
	rules := map[string][]grant.Rule{"A": {{Paths: []string{glob}}}}
	began := time.Now()
	if got := grant.Decide(u, rules, noon, nil).Outcome; got != grant.Denied {
		t.Errorf("got %d", got)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}
