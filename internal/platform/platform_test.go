package platform_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// recorder is an audit log that remembers, and refuses when told to.
type recorder struct {
	mu      sync.Mutex
	entries []audit.Entry
	refuse  bool
}

func (r *recorder) Record(_ context.Context, e audit.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse {
		return audit.ErrUnavailable
	}
	r.entries = append(r.entries, e)
	return nil
}

func (r *recorder) last() audit.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) == 0 {
		return audit.Entry{}
	}
	return r.entries[len(r.entries)-1]
}

// kit is a platform with what it stands on.
type kit struct {
	*platform.Service
	log *recorder
	db  *sqldb.DB
	now time.Time
}

var owner = platform.Caller{Actor: audit.Actor{Kind: audit.Person, ID: "ada", Name: "ada"}, Client: audit.Client{Kind: audit.CLI, Name: "test"}, Owner: true}

func newKit(t *testing.T, db *sqldb.DB) *kit {
	t.Helper()
	ctx := t.Context()
	root, err := crypt.GenerateKey(1)
	check(t, err)
	store := memory.New()
	check(t, barrier.Initialize(ctx, store, root, nil))
	b := barrier.New(store)
	check(t, b.Unseal(ctx, root))
	tables, err := sqlstore.Open(ctx, db)
	check(t, err)
	k := &kit{log: &recorder{}, db: db, now: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}
	k.Service, err = platform.New(ctx, "local", platform.Options{
		Store: tables, Keys: b, Audit: k.log, Clock: func() time.Time { k.now = k.now.Add(time.Second); return k.now },
		Fingerprint: func(v secret.Value) []byte { return fmt.Appendf(nil, "print of %d bytes", v.Len()) },
	})
	check(t, err)
	t.Cleanup(func() { k.Close(); b.Seal(); check(t, db.Close()) })
	return k
}

// each runs a test on both databases.
func each(t *testing.T, test func(*testing.T, *kit)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := sqldb.OpenSQLite(t.Context(), t.TempDir()+"/vault.db", sqldb.Options{})
		check(t, err)
		test(t, newKit(t, db))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, err := sqldb.OpenPostgres(t.Context(), testpg.URL(t))
		check(t, err)
		test(t, newKit(t, db))
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind platform.Kind) {
	t.Helper()
	if err == nil || platform.KindOf(err) != kind {
		t.Errorf("error %v of kind %d; want kind %d", err, platform.KindOf(err), kind)
	}
}

var dev = platform.Env{Project: "app", Slug: "development"}

func (k *kit) project(t *testing.T, slug string) {
	t.Helper()
	_, err := k.CreateProject(t.Context(), owner, slug, "")
	check(t, err)
}

func (k *kit) set(t *testing.T, e platform.Env, pairs ...string) platform.Result {
	t.Helper()
	var changes []platform.Change
	for i := 0; i < len(pairs); i += 2 {
		v := secret.Of(pairs[i+1])
		changes = append(changes, platform.Change{Name: pairs[i], Value: &v})
	}
	r, err := k.Apply(t.Context(), owner, e, platform.Batch{Changes: changes})
	check(t, err)
	return r
}

func (k *kit) get(t *testing.T, e platform.Env, name string) string {
	t.Helper()
	values, err := k.Reveal(t.Context(), owner, e, platform.Selection{Names: []string{name}})
	check(t, err)
	return string(values[0].Value.Reveal())
}

func TestApply_VersionsAndPast(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		k.set(t, dev, "A", "one", "B", "x")
		before := k.now
		k.set(t, dev, "A", "two")
		if r := k.set(t, dev, "A", "two", "B", "x"); len(r.Changed) != 0 || r.Revision != 2 {
			t.Errorf("setting the same made %+v", r)
		}
		check(t, second(k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{{Name: "B", Delete: true}}})))
		if got := k.get(t, dev, "A"); got != "two" {
			t.Errorf("A is %q", got)
		}
		for _, at := range []platform.Moment{{Revision: 1}, {Time: before}} {
			past, err := k.Reveal(ctx, owner, dev, platform.Selection{At: at})
			check(t, err)
			if got := render(past); got != "A=one B=x" {
				t.Errorf("at %+v it was %q", at, got)
			}
		}
		check(t, second(k.Restore(ctx, owner, dev, platform.Moment{Revision: 1}, nil)))
		if got := k.get(t, dev, "A") + k.get(t, dev, "B"); got != "onex" {
			t.Errorf("restored %q", got)
		}
		commits, err := k.Log(ctx, owner, dev, 0, 0)
		check(t, err)
		if len(commits) != 4 || commits[0].Revision != 4 || !slices.Equal(commits[3].Changed, []string{"A", "B"}) {
			t.Errorf("log %+v", commits)
		}
		_, err = k.List(ctx, owner, dev, platform.Moment{Revision: 9})
		wantKind(t, err, platform.NotFound)
	})
}

func second[T any](_ T, err error) error { return err }

func render(all []resolve.Resolved) string {
	var parts []string
	for _, v := range all {
		parts = append(parts, v.Name+"="+string(v.Value.Reveal()))
	}
	return strings.Join(parts, " ")
}

func TestApply_Refusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		k.set(t, dev, "A", "one")
		v, nul, malformed := secret.Of("v"), secret.Of("a\x00b"), secret.Of("${zvault://}")
		stale := int64(0)
		on := true
		for name, c := range map[string]struct {
			batch platform.Batch
			kind  platform.Kind
		}{
			"bad name":      {platform.Batch{Changes: []platform.Change{{Name: "A B", Value: &v}}}, platform.Invalid},
			"no value":      {platform.Batch{Changes: []platform.Change{{Name: "NEW"}}}, platform.NotFound},
			"delete absent": {platform.Batch{Changes: []platform.Change{{Name: "NEW", Delete: true}}}, platform.NotFound},
			"twice":         {platform.Batch{Changes: []platform.Change{{Name: "A", Value: &v}, {Name: "A", Delete: true}}}, platform.Invalid},
			"NUL":           {platform.Batch{Changes: []platform.Change{{Name: "A", Value: &nul}}}, platform.Invalid},
			"malformed ref": {platform.Batch{Changes: []platform.Change{{Name: "A", Value: &malformed}}}, platform.Invalid},
			"lost race":     {platform.Batch{Changes: []platform.Change{{Name: "A", Value: &v}}, Expect: &stale}, platform.Conflict},
			"half valid":    {platform.Batch{Changes: []platform.Change{{Name: "C", Value: &v}, {Name: "A B", Value: &v}}}, platform.Invalid},
			"pin nothing":   {platform.Batch{Changes: []platform.Change{{Name: "A", Pin: &on, PinVersion: 7}}}, platform.NotFound},
		} {
			_, err := k.Apply(ctx, owner, dev, c.batch)
			wantKind(t, err, c.kind)
			if err != nil && (strings.Contains(err.Error(), "a\x00b")) {
				t.Errorf("%s: the error holds the value", name)
			}
		}
		all, err := k.List(ctx, owner, dev, platform.Moment{})
		check(t, err)
		if len(all) != 1 || all[0].Version != 1 || all[0].Revision != 1 {
			t.Errorf("after refusals there is %+v", all)
		}
	})
}

// Without the audit log nothing leaves and nothing changes.
func TestAudit_FailsClosed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		k.set(t, dev, "A", "one")
		k.log.refuse = true
		_, err := k.Reveal(ctx, owner, dev, platform.Selection{})
		wantKind(t, err, platform.Unavailable)
		_, err = k.Value(ctx, owner, dev, "A", 0)
		wantKind(t, err, platform.Unavailable)
		_, err = k.Values(ctx, owner, dev)
		wantKind(t, err, platform.Unavailable)
		v := secret.Of("two")
		_, err = k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{{Name: "A", Value: &v}}})
		wantKind(t, err, platform.Unavailable)
		k.log.refuse = false
		if got := k.get(t, dev, "A"); got != "one" {
			t.Errorf("A became %q without an entry", got)
		}
		if e := k.log.last(); e.Action != "secret.reveal" || !slices.Equal(e.Keys, []string{"A"}) || e.Environment != "development" {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// Whoever is not permitted gets nothing, and that is written down.
func TestCaller_Zero(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		k.project(t, "app")
		k.set(t, dev, "A", "one")
		_, err := k.Reveal(t.Context(), platform.Caller{}, dev, platform.Selection{})
		wantKind(t, err, platform.Denied)
		if e := k.log.last(); e.Outcome != audit.Denied {
			t.Errorf("the entry is %+v", e)
		}
	})
}

func TestPin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		k.set(t, dev, "A", "one")
		k.set(t, dev, "A", "two")
		on, off, v := true, false, secret.Of("three")
		check(t, second(k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{{Name: "A", Pin: &on, PinVersion: 1}}})))
		if got := k.get(t, dev, "A"); got != "one" {
			t.Errorf("pinned at 1, it is %q", got)
		}
		for _, c := range []platform.Change{{Name: "A", Value: &v}, {Name: "A", Delete: true}} {
			_, err := k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{c}})
			wantKind(t, err, platform.Conflict)
		}
		check(t, second(k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{{Name: "A", Pin: &off, Value: &v}}})))
		if d, err := k.Describe(ctx, owner, dev, "A"); err != nil || d.Version != 3 || d.Pinned {
			t.Errorf("unpinned and set: %+v, %v", d, err)
		}
	})
}

func TestPromote(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		staging := platform.Env{Project: "app", Slug: "staging"}
		k.set(t, dev, "SAME", "s", "NEW", "n", "DIFF", "new")
		k.set(t, staging, "SAME", "s", "DIFF", "old", "EXTRA", "e")
		differences, err := k.Diff(ctx, owner, platform.Side{Env: staging}, platform.Side{Env: dev})
		check(t, err)
		var seen []string
		for _, d := range differences {
			seen = append(seen, d.Name+":"+string(d.Status))
		}
		if got := strings.Join(seen, " "); got != "DIFF:changed EXTRA:removed NEW:added" {
			t.Errorf("diff %s", got)
		}
		r, err := k.Promote(ctx, owner, dev, staging, platform.PromoteOptions{})
		check(t, err)
		if !slices.Equal(r.Changed, []string{"DIFF", "NEW"}) || k.get(t, staging, "EXTRA") != "e" {
			t.Errorf("promoted %v", r.Changed)
		}
		r, err = k.Promote(ctx, owner, dev, staging, platform.PromoteOptions{Prune: true})
		check(t, err)
		if !slices.Equal(r.Changed, []string{"EXTRA"}) {
			t.Errorf("pruned %v", r.Changed)
		}
	})
}

// Rotation at both levels, with readers and writers at work: everything stays readable and old keys go.
func TestRotate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		comment := "about it"
		v := secret.Of("zero")
		check(t, second(k.Apply(ctx, owner, dev, platform.Batch{Changes: []platform.Change{{Name: "A", Value: &v, Comment: &comment}}})))
		for i := range 5 {
			k.set(t, dev, "A", fmt.Sprint("value ", i), "B", fmt.Sprint(i))
		}
		check(t, k.RotateOrganisation(ctx, owner))
		var last int
		check(t, k.RotateProject(ctx, owner, "app", func(done, total int) { last = done - total }))
		if last != 0 {
			t.Errorf("progress ended %d off", last)
		}
		var generations, oldest int
		row := k.db.SQL().QueryRowContext(ctx, `SELECT COUNT(*), MIN(generation) FROM scope_keys`)
		check(t, row.Scan(&generations, &oldest))
		if generations != 2 || oldest != 2 {
			t.Errorf("%d keys are left, the oldest of generation %d", generations, oldest)
		}
		if got := k.get(t, dev, "A"); got != "value 4" {
			t.Errorf("A is %q", got)
		}
		old, err := k.Value(ctx, owner, dev, "A", 1)
		check(t, err)
		if string(old.Reveal()) != "zero" {
			t.Error("version 1 is another")
		}
		d, err := k.Describe(ctx, owner, dev, "A")
		check(t, err)
		prints, err := k.Fingerprints(ctx, owner)
		check(t, err)
		if d.Comment != comment || len(prints) != 11 || string(prints[0].Fingerprint) != "print of 4 bytes" {
			t.Errorf("comment %q, %d fingerprints", d.Comment, len(prints))
		}
	})
}

// An envelope that is moved to another row does not open.
func TestSealed_Bound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		k.set(t, dev, "A", "for a", "B", "for b")
		_, err := k.db.SQL().ExecContext(ctx, `UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'A') WHERE name = 'B'`)
		check(t, err)
		_, err = k.Reveal(ctx, owner, dev, platform.Selection{Names: []string{"B"}})
		if !errors.Is(err, crypt.ErrOpen) {
			t.Errorf("a moved value: %v", err)
		}
	})
}

// Many writers at once: every change is there, each with a revision of its own.
func TestApply_Concurrent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		k.project(t, "app")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				v := secret.Of("v")
				if _, err := k.Apply(t.Context(), owner, dev, platform.Batch{Changes: []platform.Change{{Name: fmt.Sprintf("K%d", i), Value: &v}}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all, err := k.List(t.Context(), owner, dev, platform.Moment{})
		check(t, err)
		revisions := map[int64]bool{}
		for _, x := range all {
			revisions[x.Revision] = true
		}
		if len(all) != 20 || len(revisions) != 20 {
			t.Errorf("%d secrets in %d revisions", len(all), len(revisions))
		}
	})
}

func TestSchema_Check(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		check(t, k.SetSchema(ctx, owner, "app", platform.Schema{
			"URL": {Required: true, Type: "url"}, "PORT": {Type: "port"}, "MODE": {Type: "enum", Values: []string{"a", "b"}}, "ID": {Pattern: "[a-z]+"},
			"GONE": {Required: true}, "OPTIONAL": {Type: "integer"},
		}))
		k.set(t, dev, "URL", "https://x.example/y", "PORT", "70000", "MODE", "c", "ID", "abc1", "REF", "zvault://nowhere/X")
		violations, err := k.Check(ctx, owner, dev)
		check(t, err)
		var names []string
		for _, v := range violations {
			names = append(names, v.Name)
			if strings.Contains(v.Reason, "70000") || strings.Contains(v.Reason, "abc1") {
				t.Errorf("%s: the reason holds the value", v.Name)
			}
		}
		if got := strings.Join(names, " "); got != "GONE ID MODE PORT REF" {
			t.Errorf("violations of %s", got)
		}
		wantKind(t, k.SetSchema(ctx, owner, "app", platform.Schema{"A": {Type: "colour"}}), platform.Invalid)
		wantKind(t, k.SetSchema(ctx, owner, "app", platform.Schema{"A": {Pattern: "("}}), platform.Invalid)
	})
}

func TestEnvironment_Loop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		k.project(t, "app")
		check(t, k.CreateEnvironment(ctx, owner, "app", "preview", "staging"))
		wantKind(t, k.SetBase(ctx, owner, platform.Env{Project: "app", Slug: "staging"}, "preview"), platform.Invalid)
		wantKind(t, k.CreateEnvironment(ctx, owner, "app", "preview", ""), platform.Exists)
		k.set(t, platform.Env{Project: "app", Slug: "staging"}, "A", "base", "B", "base")
		k.set(t, platform.Env{Project: "app", Slug: "preview"}, "B", "own")
		all, err := k.Reveal(ctx, owner, platform.Env{Project: "app", Slug: "preview"}, platform.Selection{})
		check(t, err)
		if got := render(all); got != "A=base B=own" {
			t.Errorf("inherited %q", got)
		}
	})
}
