package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain makes this test binary the command that is measured.
func TestMain(m *testing.M) {
	switch os.Getenv("COMPARE_CHILD") {
	case "ok":
		os.Exit(0)
	case "fail":
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	t.Setenv("COMPARE_CHILD", "ok")
	var out strings.Builder
	if err := run(t.Context(), []string{"-rounds", "3", "one=" + self(t), "two=" + self(t) + " argument"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "one ") || !strings.HasPrefix(lines[2], "two ") {
		t.Fatalf("got %q", out.String())
	}
	var runs int
	var median, p90, added, ratio, rss float64
	if _, err := fmt.Sscan(lines[1][len("one "):], &runs, &median, &p90, &added, &ratio, &rss); err != nil {
		t.Fatal(err)
	}
	if runs != 3 || median <= 0 || p90 < median || added != 0 || ratio != 1 {
		t.Errorf("the first row is %q", lines[1])
	}
}

func TestMeasure_Patience(t *testing.T) {
	t.Setenv("COMPARE_CHILD", "ok")
	results, err := measure(t.Context(), []command{{"a", []string{self(t)}}}, 5, 0)
	if err != nil || len(results[0].times) != 1 {
		t.Errorf("without patience there were %d runs, want the one that a result needs (%v)", len(results[0].times), err)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	results := []result{{name: "a", times: []time.Duration{1, 1}}, {name: "b", times: []time.Duration{5, 9}}}
	for budget, over := range map[time.Duration]bool{0: false, 3: true, 4: false, time.Hour: false} {
		if err := holds(results, budget); errors.Is(err, errOverBudget) != over {
			t.Errorf("b adds 4, the budget is %d: got %v", budget, err)
		}
	}
}

func TestRun_Refuses(t *testing.T) {
	t.Setenv("COMPARE_CHILD", "fail")
	for name, args := range map[string][]string{
		"failing command":        {"-rounds", "1", "a=" + self(t)},
		"no command":             {},
		"no name":                {"=true"},
		"no command line":        {"a="},
		"no rounds":              {"-rounds", "0", "a=true"},
		"budget for one command": {"-max-added", "1s", "a=true"},
	} {
		if err := run(t.Context(), args, &strings.Builder{}); err == nil || errors.Is(err, errOverBudget) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestResult_Percentile(t *testing.T) {
	t.Parallel()
	r := result{times: []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	for p, want := range map[int]time.Duration{0: 1, 10: 1, 11: 2, 50: 5, 90: 9, 91: 10, 100: 10} {
		if got := r.percentile(p); got != want {
			t.Errorf("percentile %d is %d, want %d", p, got, want)
		}
	}
}
