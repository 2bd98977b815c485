package redteam_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/redteam"
)

func TestAttacks(t *testing.T) {
	t.Parallel()
	all, err := redteam.Attacks()
	if err != nil {
		t.Fatal(err)
	}
	names, threats := map[string]bool{}, map[string]bool{}
	for _, a := range all {
		if names[a.Name] {
			t.Errorf("two attacks have the name %s", a.Name)
		}
		names[a.Name], threats[a.Threat] = true, true
	}
	if len(threats) != 9 {
		t.Errorf("there are attacks of %d threats", len(threats))
	}
}

func TestParse_Bad(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                              "EOF",
		`{}`:                            "cannot unmarshal",
		`[] []`:                         "something follows",
		`[{"name":"x","hurts":true}]`:   "unknown field",
		`[{"name":"X"}]`:                `"X" is no name`,
		`[{"name":"x","threat":"T12"}]`: `"T12" is no threat`,
		`[{"name":"x","threat":"T1"}]`:  "has to say what it does",
		`[{"name":"x","threat":"T1","about":"a","run":"b"},{"name":"x","threat":"T1","about":"a","run":"b"}]`: "is taken",
	} {
		if _, err := redteam.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"name":"x","threat":"T1","about":"a","run":"b","tools":[{"tool":"t","arguments":{"x":1}}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := redteam.Parse(data)
		for _, a := range all {
			if err == nil && (a.Name == "" || a.Run == "") {
				t.Errorf("read %+v", a)
			}
		}
	})
}

func TestBoard(t *testing.T) {
	t.Parallel()
	attack := func(name, threat string) redteam.Attack { return redteam.Attack{Name: name, Threat: threat} }
	result := func(name, threat string, v redteam.Verdict) redteam.Result {
		return redteam.Result{Name: name, Threat: threat, Result: v}
	}
	b := redteam.Board{
		Fronts: []redteam.Front{redteam.Bare, redteam.Shield, redteam.ShieldSandbox}, Attacks: []redteam.Attack{attack("a<b", "T1"), attack("c", "T9")},
		Results: [][]redteam.Result{
			{result("a<b", "T1", redteam.Leaked), result("c", "T9", redteam.Leaked)},
			{result("a<b", "T1", redteam.Blocked), result("c", "T9", redteam.Leaked)},
			{result("a<b", "T1", redteam.Leaked), result("c", "T9", redteam.NotApplicable)},
		},
	}
	if diff := cmp.Diff([]string{"shield-sandbox/a<b"}, b.Unexpected()); diff != "" {
		t.Error(diff)
	}
	if leaked, tried := b.Count(2); leaked != 1 || tried != 1 {
		t.Errorf("%d of %d leaked", leaked, tried)
	}
	cells, d := 0, xml.NewDecoder(strings.NewReader(string(b.SVG())))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "title" {
			cells++
		}
	}
	if cells != 6 {
		t.Errorf("the picture has %d cells", cells)
	}
}
