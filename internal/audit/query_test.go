package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// zoo returns a log of entries that differ in what filters look at, in several files.
func zoo(t *testing.T) (*bench, []audit.Entry) {
	t.Helper()
	b := newBench(t)
	b.opts.MaxFile = 4 << 10
	actors := []audit.Actor{{}, {Kind: audit.Person, ID: "u1", Name: "dana"}, {Kind: audit.Service, ID: "dana", Name: "ci \"x\""}}
	actions := []string{"secret.reveal", "secret.set", "secretive.x", "env.promote"}
	outcomes := []audit.Outcome{audit.OK, audit.Denied, audit.Failed}
	l := b.open(t)
	var all []audit.Entry
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		e := audit.Entry{
			Time: start.Add(time.Duration(i) * time.Hour), Actor: actors[i%3], Action: actions[i%4], Outcome: outcomes[i/3%3],
			Project: []string{"web", "", "api"}[i/2%3], Environment: []string{"production", "staging"}[i%2], Request: request(i),
		}
		for k := range i % 5 {
			e.Keys = append(e.Keys, fmt.Sprintf("KEY_%d", k))
		}
		all = append(all, e)
		must(t, l.Record(t.Context(), e))
	}
	must(t, l.Close())
	return b, all
}

func TestQuery_Filters(t *testing.T) {
	t.Parallel()
	b, all := zoo(t)
	at := func(i int) time.Time { return all[i].Time }
	cases := map[string]struct {
		filter audit.Filter
		want   func(i int, e audit.Entry) bool
	}{
		"all":      {audit.Filter{}, func(int, audit.Entry) bool { return true }},
		"since":    {audit.Filter{Since: at(10)}, func(i int, _ audit.Entry) bool { return i >= 10 }},
		"until":    {audit.Filter{Until: at(10)}, func(i int, _ audit.Entry) bool { return i < 10 }},
		"between":  {audit.Filter{Since: at(3), Until: at(50)}, func(i int, _ audit.Entry) bool { return i >= 3 && i < 50 }},
		"actor":    {audit.Filter{Actor: "dana"}, func(_ int, e audit.Entry) bool { return e.Actor.ID == "dana" || e.Actor.Name == "dana" }},
		"escaped":  {audit.Filter{Actor: `ci "x"`}, func(_ int, e audit.Entry) bool { return e.Actor.ID == "dana" }},
		"action":   {audit.Filter{Action: "secret."}, func(_ int, e audit.Entry) bool { return strings.HasPrefix(e.Action, "secret.") }},
		"exact":    {audit.Filter{Action: "env.promote"}, func(_ int, e audit.Entry) bool { return e.Action == "env.promote" }},
		"project":  {audit.Filter{Project: "web"}, func(_ int, e audit.Entry) bool { return e.Project == "web" }},
		"env":      {audit.Filter{Environment: "staging"}, func(_ int, e audit.Entry) bool { return e.Environment == "staging" }},
		"key":      {audit.Filter{Key: "KEY_3"}, func(_ int, e audit.Entry) bool { return slices.Contains(e.Keys, "KEY_3") }},
		"outcome":  {audit.Filter{Outcome: audit.Denied}, func(_ int, e audit.Entry) bool { return e.Outcome == audit.Denied }},
		"no match": {audit.Filter{Key: "production"}, func(int, audit.Entry) bool { return false }}, // a word in every second line
		"several": {audit.Filter{Key: "KEY_0", Project: "api", Outcome: audit.OK}, func(_ int, e audit.Entry) bool {
			return slices.Contains(e.Keys, "KEY_0") && e.Project == "api" && e.Outcome == audit.OK
		}},
	}
	for name, c := range cases {
		var want []string
		for i, e := range all {
			if c.want(i, e) {
				want = append(want, e.Request)
			}
		}
		if len(want) == 0 && name != "no match" {
			t.Fatalf("%s: nothing to find", name)
		}
		for _, limit := range []int{0, 1, 3, 1000} {
			for _, newest := range []bool{false, true} {
				c.filter.Limit, c.filter.Newest = limit, newest
				expect := slices.Clone(want)
				if newest {
					slices.Reverse(expect)
				}
				if limit > 0 {
					expect = expect[:min(limit, len(expect))]
				}
				if got := requests(t, b.dir, c.filter); !slices.Equal(got, expect) {
					t.Errorf("%s, limit %d, newest %v: got %v, want %v", name, limit, newest, got, expect)
				}
			}
		}
	}
}

func requests(t *testing.T, dir string, f audit.Filter) (got []string) {
	t.Helper()
	for e, err := range audit.Query(t.Context(), dir, f) {
		must(t, err)
		got = append(got, e.Request)
	}
	return got
}

func TestQuery_Entry(t *testing.T) {
	t.Parallel()
	b, all := zoo(t)
	seq := uint64(0)
	i := 0
	for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		must(t, err)
		if e.Seq <= seq {
			t.Fatalf("seq %d after %d", e.Seq, seq)
		}
		seq, e.Seq = e.Seq, 0
		if fmt.Sprint(e) != fmt.Sprint(all[i]) {
			t.Fatalf("got %v, want %v", e, all[i])
		}
		i++
	}
}

// A line that cannot be read is told in its place; the others are there.
func TestQuery_Unreadable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(t, 0, 5)
	lines := splitLines(b.read(t))
	b.overwrite(t, join(replaceLine(lines, 2, "what is this\n")))
	for _, newest := range []bool{false, true} {
		var got []string
		for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{Newest: newest}) {
			if errors.Is(err, record.ErrMalformed) && strings.Contains(err.Error(), "audit.log at byte") {
				got = append(got, "error")
				continue
			}
			must(t, err)
			got = append(got, e.Request)
		}
		want := []string{"r-0", "error", "r-2", "r-3", "r-4"}
		if newest {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("newest %v: %v", newest, got)
		}
		for range audit.Query(t.Context(), b.dir, audit.Filter{Newest: newest}) {
			break // must not go on
		}
	}
}

func TestQuery_Ends(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		t.Error("something in a log that is not there")
	}
	must(t, os.MkdirAll(filepath.Join(b.dir, "audit.log"), 0o700))
	n := 0
	for _, err := range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		if n++; err == nil {
			t.Error("a folder was read as a log")
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
	must(t, os.Remove(filepath.Join(b.dir, "audit.log")))
	b.opts.Sync = audit.SyncOS
	b.write(t, 0, 1100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, newest := range []bool{false, true} {
		n, ended := 0, false
		for _, err := range audit.Query(ctx, b.dir, audit.Filter{Newest: newest}) {
			n++
			ended = errors.Is(err, context.Canceled)
		}
		if !ended || n > 1024 {
			t.Errorf("newest %v: %d entries after the context had ended, told so: %v", newest, n, ended)
		}
	}
}

func BenchmarkQueryKey(b *testing.B) {
	bench := newBench(b)
	bench.opts.Sync = audit.SyncOS
	bench.write(b, 0, 5000)
	size := int64(len(bench.read(b)))
	b.SetBytes(size)
	for b.Loop() {
		n := 0
		for _, err := range audit.Query(b.Context(), bench.dir, audit.Filter{Key: "KEY_4999"}) {
			must(b, err)
			n++
		}
		if n != 1 {
			b.Fatal(n)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	bench := newBench(b)
	bench.opts.Sync = audit.SyncOS
	bench.write(b, 0, 5000)
	content := bench.read(b)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		_, err := audit.Verify(bytes.NewReader(content), testSigner.Public(), nil)
		must(b, err)
	}
}
