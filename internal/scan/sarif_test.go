package scan_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

// object is any JSON object; its methods fail where the schema of SARIF 2.1.0 wants something else.
type object struct {
	t    *testing.T
	path string
	m    map[string]any
}

func (o object) object(key string) object {
	o.t.Helper()
	m, ok := o.m[key].(map[string]any)
	if !ok {
		o.t.Fatalf("%s.%s is no object: %v", o.path, key, o.m[key])
	}
	return object{o.t, o.path + "." + key, m}
}

func (o object) list(key string) []object {
	o.t.Helper()
	l, ok := o.m[key].([]any)
	if !ok {
		o.t.Fatalf("%s.%s is no array: %v", o.path, key, o.m[key])
	}
	var all []object
	for _, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			o.t.Fatalf("%s.%s holds %v", o.path, key, e)
		}
		all = append(all, object{o.t, o.path + "." + key + "[]", m})
	}
	return all
}

func (o object) text(key string) string {
	o.t.Helper()
	s, ok := o.m[key].(string)
	if !ok || s == "" {
		o.t.Fatalf("%s.%s is no text: %v", o.path, key, o.m[key])
	}
	return s
}

func (o object) number(key string, least float64) int {
	o.t.Helper()
	n, ok := o.m[key].(float64)
	if !ok || n < least || n != float64(int(n)) {
		o.t.Fatalf("%s.%s is %v", o.path, key, o.m[key])
	}
	return int(n)
}

// only checks that there is nothing that the schema does not know.
func (o object) only(keys ...string) {
	o.t.Helper()
	known := map[string]bool{}
	for _, k := range keys {
		known[k] = true
	}
	for k := range o.m {
		if !known[k] {
			o.t.Errorf("%s.%s is not in the schema", o.path, k)
		}
	}
}

func readSARIF(t *testing.T, found []scan.Finding) object {
	t.Helper()
	text, err := scan.SARIF(found, "1.2.3")
	check(t, err)
	var m map[string]any
	check(t, json.Unmarshal(text, &m))
	return object{t, "log", m}
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	found := []scan.Finding{
		{Rule: "github-pat", Description: "a token", File: "a b/ü:%.txt", Line: 3, Column: 7, Excerpt: "x [redacted]", Fingerprint: "f1"},
		{Rule: scan.OwnRule, Description: "a value that the vault holds (hex)", File: "c:d", Line: 1, Column: 1, Secret: "zvault://p/A", Excerpt: "[redacted]", Fingerprint: "f2", Commit: "0123"},
		{Rule: "github-pat", Description: "a token", File: "e", Line: 1, Column: 2, Excerpt: "[redacted]", Fingerprint: "f3"},
	}
	log := readSARIF(t, found)
	log.only("$schema", "version", "runs")
	if log.text("version") != "2.1.0" || len(log.list("runs")) != 1 {
		t.Fatalf("version %v, %d runs", log.m["version"], len(log.list("runs")))
	}
	run := log.list("runs")[0]
	run.only("tool", "results", "columnKind")
	if k := run.text("columnKind"); k != "unicodeCodePoints" {
		t.Errorf("columns in %s", k)
	}
	driver := run.object("tool").object("driver")
	driver.only("name", "version", "informationUri", "rules")
	rules := driver.list("rules")
	if driver.text("name") != "zvault" || driver.text("version") != "1.2.3" || len(rules) != 2 {
		t.Errorf("driver %v", driver.m)
	}
	results := run.list("results")
	if len(results) != len(found) {
		t.Fatalf("%d results", len(results))
	}
	for i, r := range results {
		r.only("ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints")
		if rules[r.number("ruleIndex", 0)].text("id") != r.text("ruleId") || r.text("ruleId") != found[i].Rule {
			t.Errorf("result %d is of rule %s", i, r.text("ruleId"))
		}
		r.object("message").text("text")
		r.object("partialFingerprints").text("zvault/v1")
		where := r.list("locations")[0].object("physicalLocation")
		region := where.object("region")
		if region.number("startLine", 1) != found[i].Line || region.number("startColumn", 1) != found[i].Column {
			t.Errorf("result %d is at %v", i, region.m)
		}
		u, err := url.Parse(where.object("artifactLocation").text("uri"))
		check(t, err)
		if u.Path != found[i].File || u.IsAbs() {
			t.Errorf("result %d is in %q, not %q", i, u, found[i].File)
		}
	}
	for _, r := range rules {
		r.object("shortDescription").text("text")
	}
}

// A log without findings has its arrays all the same.
func TestSARIF_Empty(t *testing.T) {
	t.Parallel()
	run := readSARIF(t, nil).list("runs")[0]
	if len(run.list("results")) != 0 || len(run.object("tool").object("driver").list("rules")) != 0 {
		t.Error("results of nothing")
	}
}
