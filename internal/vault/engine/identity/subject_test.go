package identity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
	"github.com/ArcadeLabsInc/zvault/internal/vault/store"
)

// mounted is an identity store over the store of the core, which keeps what was decoded.
func mounted(t testing.TB) (*identity.Store, *logicaltest.Mount) {
	t.Helper()
	st := newStore()
	m := logicaltest.New(t, st.Backend, nil)
	m.Storage = store.New(memory.New(), store.Options{}).At("identity/")
	return st, m
}

func login(t testing.TB, st *identity.Store, m *logicaltest.Mount, at *vault.Mount, name string, groups ...string) string {
	t.Helper()
	id, err := st.Login(t.Context(), m.Storage, at, by(name, groups...), m.Now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func by(name string, groups ...string) vault.LoginBy {
	b := vault.LoginBy{Alias: &logical.Alias{Name: name, Metadata: map[string]string{"team": "a"}}}
	for _, g := range groups {
		b.Groups = append(b.Groups, &logical.Alias{Name: g})
	}
	return b
}

func subject(t testing.TB, st *identity.Store, m *logicaltest.Mount, id string) *vault.Subject {
	t.Helper()
	who, err := st.Subject(t.Context(), m.Storage, id)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func made(t testing.TB, m *logicaltest.Mount, path, body string) string {
	t.Helper()
	id, _ := m.Must(t, logical.Update, path, body).Data["id"].(string)
	return id
}

// TestSubject_Changes requires that what somebody may do changes with the entity, its groups and the groups that those are in,
// and that nothing is worked out anew while none of them changes.
func TestSubject_Changes(t *testing.T) {
	t.Parallel()
	st, m := mounted(t)
	ann := login(t, st, m, people, "ann")
	low := made(t, m, "group", `{"name":"low","policies":"low"}`)
	mid := made(t, m, "group", `{"name":"mid","policies":"mid,shared"}`)
	top := made(t, m, "group", `{"name":"top","policies":"top,shared"}`)
	steps := []struct {
		op         logical.Operation
		path, body string
		want       []string
	}{
		{logical.Read, "entity/id/" + ann, "", nil},
		{logical.Update, "entity/id/" + ann, `{"policies":"own"}`, []string{"own"}},
		{logical.Update, "group/id/" + low, `{"member_entity_ids":"` + ann + `"}`, []string{"low", "own"}},
		{logical.Update, "group/id/" + mid, `{"member_group_ids":"` + low + `"}`, []string{"low", "mid", "own", "shared"}},
		{logical.Update, "group/id/" + top, `{"member_group_ids":"` + mid + `"}`, []string{"low", "mid", "own", "shared", "top"}},
		{logical.Update, "group/id/" + top, `{"policies":"high"}`, []string{"high", "low", "mid", "own", "shared"}},
		{logical.Update, "group/id/" + mid, `{"member_group_ids":""}`, []string{"low", "own"}},
		{logical.Update, "group/id/" + mid, `{"member_entity_ids":"` + ann + `"}`, []string{"high", "low", "mid", "own", "shared"}},
		{logical.Delete, "group/name/top", "", []string{"low", "mid", "own", "shared"}},
		{logical.Delete, "group/id/" + low, "", []string{"mid", "own", "shared"}},
		{logical.Update, "group/id/" + mid, `{"member_entity_ids":[]}`, []string{"own"}},
	}
	for _, s := range steps {
		m.Must(t, s.op, s.path, s.body)
		who := subject(t, st, m, ann)
		if !slices.Equal(who.Policies, s.want) {
			t.Errorf("after %s %s %s: %q, want %q", s.op, s.path, s.body, who.Policies, s.want)
		}
		if again := subject(t, st, m, ann); again != who {
			t.Errorf("after %s %s: worked out twice", s.op, s.path)
		}
	}
	m.Must(t, logical.Update, "entity/id/"+ann, `{"disabled":true}`)
	if !subject(t, st, m, ann).Disabled {
		t.Error("not disabled")
	}
	if _, err := st.Login(t.Context(), m.Storage, people, by("ann"), m.Now); !errors.Is(err, logical.ErrPermissionDenied) {
		t.Errorf("somebody disabled signs in: %v", err)
	}
	m.Must(t, logical.Delete, "entity/id/"+ann, "")
	if subject(t, st, m, ann) != nil {
		t.Error("somebody deleted is still there")
	}
}

// TestSubject_Merged requires that the tokens of an entity that was merged into another, twice over, are the other's.
func TestSubject_Merged(t *testing.T) {
	t.Parallel()
	st, m := mounted(t)
	a, b, c := login(t, st, m, people, "a"), login(t, st, m, roles, "b"), login(t, st, m, other, "c")
	m.Must(t, logical.Update, "entity/id/"+c, `{"policies":"kept"}`)
	m.Must(t, logical.Update, "entity/merge", `{"to_entity_id":"`+b+`","from_entity_ids":"`+a+`"}`)
	m.Must(t, logical.Update, "entity/merge", `{"to_entity_id":"`+c+`","from_entity_ids":"`+b+`"}`)
	for _, id := range []string{a, b, c} {
		if who := subject(t, st, m, id); who == nil || who.ID != c || !slices.Equal(who.Policies, []string{"kept"}) {
			t.Errorf("%s is %+v", id, who)
		}
	}
	if again := login(t, st, m, people, "a"); again != c {
		t.Errorf("the first signs in as %s, want %s", again, c)
	}
	m.Must(t, logical.Delete, "entity/id/"+c, "")
	if subject(t, st, m, a) != nil {
		t.Error("merged into somebody deleted, and still there")
	}
}

func TestSubject_Fill(t *testing.T) {
	t.Parallel()
	st, m := mounted(t)
	ann := login(t, st, m, people, "ann@mail")
	m.Must(t, logical.Update, "entity/id/"+ann, `{"name":"Ann","metadata":{"team":"red","k/x":"y"}}`)
	e := m.Must(t, logical.Read, "entity/id/"+ann, "")
	aliases, _ := e.Data["aliases"].([]any)
	alias, _ := aliases[0].(map[string]any)
	m.Must(t, logical.Update, "entity-alias/id/"+alias["id"].(string), `{"custom_metadata":{"city":"Rome"}}`)
	in := made(t, m, "group", `{"name":"g.1","metadata":{"floor":"2"},"member_entity_ids":"`+ann+`"}`)
	above := made(t, m, "group", `{"name":"above","member_group_ids":"`+in+`"}`)
	out := made(t, m, "group", `{"name":"out"}`)
	fill := subject(t, st, m, ann).Fill
	for expression, want := range map[string]string{
		"identity.entity.id":                                           ann,
		"identity.entity.name":                                         "Ann",
		"identity.entity.metadata.team":                                "red",
		"identity.entity.metadata.k/x":                                 "y",
		"identity.entity.metadata.none":                                "",
		"identity.entity.aliases.auth_userpass_1.name":                 "ann@mail",
		"identity.entity.aliases.auth_userpass_1.id":                   alias["id"].(string),
		"identity.entity.aliases.auth_userpass_1.metadata.team":        "a",
		"identity.entity.aliases.auth_userpass_1.metadata.none":        "",
		"identity.entity.aliases.auth_userpass_1.custom_metadata.city": "Rome",
		"identity.entity.aliases.auth_approle_1.name":                  "",
		"identity.groups.ids." + in + ".name":                          "g.1",
		"identity.groups.ids." + above + ".name":                       "above",
		"identity.groups.ids." + out + ".name":                         "",
		"identity.groups.names.g.1.id":                                 in,
		"identity.groups.names.g.1.metadata.floor":                     "2",
		"identity.groups.names.above.id":                               above,
		"identity.groups.names.out.id":                                 "",
		"identity.entity":                                              "",
		"something.else":                                               "",
	} {
		got, ok := fill(expression)
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", expression, got, ok, want)
		}
	}
}

// TestLogin_Groups requires that the groups that an auth method tells are those that somebody is in, and that others stay.
func TestLogin_Groups(t *testing.T) {
	t.Parallel()
	st, m := mounted(t)
	ann := login(t, st, m, people, "ann")
	made(t, m, "group", `{"name":"in","policies":"in","member_entity_ids":"`+ann+`"}`)
	for _, name := range []string{"dev", "ops"} {
		id := made(t, m, "group", `{"name":"`+name+`","type":"external","policies":"`+name+`"}`)
		m.Must(t, logical.Update, "group-alias", `{"name":"`+name+`","mount_accessor":"auth_userpass_1","canonical_id":"`+id+`"}`)
	}
	far := made(t, m, "group", `{"name":"far","type":"external","policies":"far"}`)
	m.Must(t, logical.Update, "group-alias", `{"name":"dev","mount_accessor":"auth_approle_1","canonical_id":"`+far+`"}`)
	m.Must(t, logical.Update, "entity-alias", `{"name":"robot","mount_accessor":"auth_approle_1","canonical_id":"`+ann+`"}`)
	for _, step := range []struct {
		at     *vault.Mount
		name   string
		groups []string
		want   []string
	}{
		{people, "ann", []string{"Dev", "none"}, []string{"dev", "in"}},
		{people, "ANN", []string{"dev", "ops"}, []string{"dev", "in", "ops"}},
		{roles, "robot", []string{"dev"}, []string{"dev", "far", "in", "ops"}},
		{people, "ann", []string{"ops"}, []string{"far", "in", "ops"}},
		{people, "ann", nil, []string{"far", "in"}},
		{roles, "robot", nil, []string{"in"}},
	} {
		if id := login(t, st, m, step.at, step.name, step.groups...); id != ann {
			t.Fatalf("signed in as %s", id)
		}
		if got := subject(t, st, m, ann).Policies; !slices.Equal(got, step.want) {
			t.Errorf("%s with %q: %q, want %q", step.name, step.groups, got, step.want)
		}
	}
}

// TestLogin_Metadata requires that what an auth method tells of somebody is kept with the alias, and that a login that tells
// nothing new writes nothing.
func TestLogin_Metadata(t *testing.T) {
	t.Parallel()
	st, m := mounted(t)
	ann := login(t, st, m, people, "ann")
	team := func() string {
		v, _ := subject(t, st, m, ann).Fill("identity.entity.aliases.auth_userpass_1.metadata.team")
		return v
	}
	before := subject(t, st, m, ann)
	m.Now = m.Now.Add(time.Hour)
	if login(t, st, m, people, "ann"); subject(t, st, m, ann) != before {
		t.Error("a login that changes nothing has written")
	}
	b := by("ann")
	b.Alias.Metadata = map[string]string{"team": "b"}
	if _, err := st.Login(t.Context(), m.Storage, people, b, m.Now); err != nil || team() != "b" {
		t.Errorf("%q %v", team(), err)
	}
	b.Alias.Metadata = map[string]string{"a b": "c"}
	if _, err := st.Login(t.Context(), m.Storage, people, b, m.Now); logical.StatusOf(err) != 400 {
		t.Errorf("bad metadata: %v", err)
	}
	b.Alias.Name = ""
	if _, err := st.Login(t.Context(), m.Storage, people, b, m.Now); logical.StatusOf(err) != 400 {
		t.Errorf("no name: %v", err)
	}
}

// TestLogin_AtOnce requires that many first logins of the same people at once make one entity for each.
func TestLogin_AtOnce(t *testing.T) {
	t.Parallel()
	st := identity.New()
	st.Manage(mounts{})
	m := logicaltest.New(t, st.Backend, nil)
	m.Storage = store.New(memory.New(), store.Options{}).At("identity/")
	var wait sync.WaitGroup
	found := make([][8]string, 10)
	for i := range found {
		for j := range found[i] {
			wait.Go(func() {
				id, err := st.Login(context.Background(), m.Storage, people, by(fmt.Sprint("u", i)), m.Now)
				if err != nil {
					t.Error(err)
				}
				found[i][j] = id
			})
		}
	}
	wait.Wait()
	for i := range found {
		for _, id := range found[i] {
			if id == "" || id != found[i][0] {
				t.Errorf("u%d is %q", i, found[i])
				break
			}
		}
	}
	if keys := m.Must(t, logical.List, "entity/id/", "").Keys; len(keys) != len(found) {
		t.Errorf("%d entities, want %d", len(keys), len(found))
	}
}

// TestNames requires that what is given no name gets a free one.
func TestNames(t *testing.T) {
	t.Parallel()
	_, m := mounted(t)
	made(t, m, "entity", `{"name":"ENTITY_00000002"}`)
	if name := m.Must(t, logical.Update, "entity", "").Data["name"]; name != "entity_00000002000040008000000000000000" {
		t.Errorf("named %q", name)
	}
}

// BenchmarkSubject is what a request with a token of somebody costs more: somebody in three groups.
func BenchmarkSubject(b *testing.B) {
	st, m := mounted(b)
	ann := login(b, st, m, people, "ann")
	low := made(b, m, "group", `{"member_entity_ids":"`+ann+`","policies":"a"}`)
	mid := made(b, m, "group", `{"member_group_ids":"`+low+`","policies":"b"}`)
	made(b, m, "group", `{"member_group_ids":"`+mid+`","policies":"c"}`)
	b.ReportAllocs()
	for b.Loop() {
		if who, err := st.Subject(b.Context(), m.Storage, ann); err != nil || len(who.Policies) != 3 {
			b.Fatal(err)
		}
	}
}
