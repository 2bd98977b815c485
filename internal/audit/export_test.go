package audit_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

func sequence(entries []audit.Entry, last error) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
		if last != nil {
			yield(audit.Entry{}, last)
		}
	}
}

func exported(t *testing.T, format audit.Format, entries ...audit.Entry) string {
	t.Helper()
	var out strings.Builder
	must(t, audit.Export(&out, format, sequence(entries, nil)))
	return out.String()
}

func sample() audit.Entry {
	e := entry(1)
	e.Seq, e.Org, e.Reason = 12, "acme", "said \"no\", twice\nover"
	e.Time = time.Date(2026, 11, 23, 19, 12, 0, 5000000, time.FixedZone("x", 3600))
	e.Digests = map[string]string{"b": "hmac-sha256:01", "a": "hmac-sha256:02"}
	return e
}

func TestExport_CSV(t *testing.T) {
	t.Parallel()
	out := exported(t, audit.CSV, sample(), audit.Entry{Seq: 13, Action: "vault.seal", Outcome: audit.OK})
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	must(t, err)
	if len(rows) != 3 || !strings.HasSuffix(out, "\"\r\n") {
		t.Fatalf("%q", out)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"seq": "12", "time": "2026-11-23T18:12:00.005Z", "actor_kind": "person", "actor_id": "u1", "actor_name": "dana",
		"client_kind": "cli", "client_name": "zvault", "client_version": "1.0.0", "client_pid": "412", "action": "secret.reveal",
		"org": "acme", "project": "web", "environment": "production", "keys": "DATABASE_URL KEY_1", "revision": "3", "outcome": "ok",
		"reason": "said \"no\", twice\nover", "request": "r-1", "digests": "a=hmac-sha256:02 b=hmac-sha256:01",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("columns %v were not expected", got)
	}
	if exported(t, audit.CSV) != strings.SplitAfter(out, "\n")[0] {
		t.Error("without entries there is not just the header")
	}
}

// No cell can be taken for a formula.
func TestExport_CSVFormulas(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠x", "|x", "%x",
		"\tx", "\rx", "\nx", `="a","b"`} {
		e := sample()
		e.Actor.Name, e.Project, e.Keys, e.Request, e.Reason = s, s, []string{s, "B"}, s, s
		rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(exported(t, audit.CSV, e), "\r\n", "\n"))).ReadAll()
		must(t, err)
		found := 0
		for _, cell := range rows[1] {
			if strings.HasPrefix(cell, "'") {
				found++
			} else if strings.ContainsAny(strings.TrimSpace(cell + " ")[:1], "=+-@|%") {
				t.Errorf("cell %q", cell)
			}
		}
		if found != 5 {
			t.Errorf("%q: %d cells are protected, want 5", s, found)
		}
	}
	for _, s := range []string{"x=1", "a-b", "https://x", "'x", "1"} {
		e := sample()
		e.Project = s
		if !strings.Contains(exported(t, audit.CSV, e), `"`+s+`"`) {
			t.Errorf("%q was changed", s)
		}
	}
}

func TestExport_JSON(t *testing.T) {
	t.Parallel()
	out := exported(t, audit.JSON, sample(), entry(2))
	lines := strings.SplitAfter(out, "\n")
	if len(lines) != 3 || lines[2] != "" {
		t.Fatalf("%q", out)
	}
	var got struct {
		Seq    int
		Time   time.Time
		Reason string
		Keys   []string
	}
	must(t, json.Unmarshal([]byte(lines[0]), &got))
	if got.Seq != 12 || !got.Time.Equal(sample().Time) || got.Reason != sample().Reason || len(got.Keys) != 2 {
		t.Errorf("%+v from %s", got, lines[0])
	}
	if exported(t, audit.JSON) != "" {
		t.Error("something without entries")
	}
}

// failing takes n bytes.
type failing struct {
	n   int
	err error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, f.err
	}
	return len(b), nil
}

func TestExport_Errors(t *testing.T) {
	t.Parallel()
	cause := errors.New("x")
	if err := audit.Export(&strings.Builder{}, "xml", sequence(nil, nil)); err == nil {
		t.Error("unknown format accepted")
	}
	for _, f := range []audit.Format{audit.JSON, audit.CSV} {
		wantIs(t, audit.Export(&strings.Builder{}, f, sequence([]audit.Entry{sample()}, cause)), cause)
		many := make([]audit.Entry, 100)
		for i := range many {
			many[i] = sample()
		}
		for _, n := range []int{0, 1, 5000} {
			wantIs(t, audit.Export(&failing{n: n, err: cause}, f, sequence(many, nil)), cause)
		}
		wantIs(t, audit.Export(&failing{err: cause}, f, sequence(many[:1], nil)), cause)
	}
	wantIs(t, audit.Export(&failing{err: cause}, audit.CSV, sequence(nil, nil)), cause)
}
