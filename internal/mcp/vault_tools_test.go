package mcp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type changed struct {
	Name    string
	Version int64
	Address string
}

func TestVault_Generate(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	c := dial(t, h.serve(t, nil), withoutThem, nil)
	seen := map[string]bool{}
	for kind, looks := range map[string]func(string) bool{
		"":           func(v string) bool { return len(v) == 32 },
		"hex":        func(v string) bool { return len(v) == 64 && strings.Trim(v, "0123456789abcdef") == "" },
		"base64":     func(v string) bool { return len(v) == 44 && strings.HasSuffix(v, "=") },
		"uuid":       func(v string) bool { return len(v) == 36 && strings.Count(v, "-") == 4 },
		"ed25519":    func(v string) bool { return strings.HasPrefix(v, "-----BEGIN PRIVATE KEY-----\nMC4") },
		"ecdsa-p256": func(v string) bool { return strings.HasPrefix(v, "-----BEGIN PRIVATE KEY-----\nMIG") },
	} {
		name := "MADE_" + strings.ToUpper(strings.ReplaceAll(kind, "-", "_"))
		var got changed
		c.ok("set_secret", map[string]any{"name": name, "generate": map[string]any{"kind": kind}, "comment": "made", "tags": map[string]string{"team": "pay"}}, &got)
		v := h.value(t, "development", name)
		if !looks(v) || seen[v] || got.Version != 1 || got.Address != "zvault://shop/"+name {
			t.Errorf("kind %q: %+v, %d bytes", kind, got, len(v))
		}
		seen[v] = true
		if strings.Contains(c.String(), v) {
			t.Errorf("kind %q: the transcript holds the value", kind)
		}
	}
	c.ok("set_secret", map[string]any{"name": "PIN", "generate": map[string]any{"alphabet": "0123456789", "length": 20}}, nil)
	if v := h.value(t, "development", "PIN"); len(v) != 20 || strings.Trim(v, "0123456789") != "" {
		t.Errorf("%d characters, or others than asked for", len(v))
	}
	holds(t, c.fails("set_secret", map[string]any{"name": "PIN", "generate": map[string]any{}}, "exists"), "zvault_rotate_secret")
	before := h.value(t, "development", "PIN")
	var got changed
	c.ok("rotate_secret", map[string]any{"name": "PIN", "generate": map[string]any{"kind": "uuid"}}, &got)
	if h.value(t, "development", "PIN") == before || got.Version != 2 {
		t.Errorf("it was not rotated: %+v", got)
	}
	holds(t, c.fails("rotate_secret", map[string]any{"name": "PINN", "generate": map[string]any{}}, "not_found"), "did you mean PIN?")
	c.ok("set_secret", map[string]any{"name": "PIN", "metadata_only": true, "comment": "a number"}, nil)
	if s, err := h.Platform.Describe(t.Context(), ada, platform.Env{Project: "shop", Slug: "development"}, "PIN"); err != nil || s.Comment != "a number" || s.Version != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestVault_List(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for _, name := range []string{"A_KEY", "B_KEY", "C_URL"} {
		h.put(t, "production", name, "value-of-"+name)
	}
	c := dial(t, h.serve(t, nil), withSessions, nil)
	type listed struct {
		Total   int
		Secrets []platform.Secret
		More    string
	}
	names := func(l listed) string {
		var n []string
		for _, s := range l.Secrets {
			n = append(n, s.Name)
		}
		return strings.Join(n, " ")
	}
	var l listed
	c.ok("list_secrets", map[string]any{"env": "prod"}, &l)
	if names(l) != "A_KEY B_KEY C_URL" || l.Total != 3 || l.More != "" {
		t.Errorf("%+v", l)
	}
	l = listed{}
	c.ok("list_secrets", map[string]any{"env": "production", "limit": 1, "query": "key"}, &l)
	if names(l) != "A_KEY" || l.Total != 2 || !strings.Contains(l.More, "after A_KEY") {
		t.Errorf("%+v", l)
	}
	l = listed{}
	c.ok("list_secrets", map[string]any{"env": "production", "after": "A_KEY"}, &l)
	if names(l) != "B_KEY C_URL" {
		t.Errorf("%+v", l)
	}
	holds(t, c.fails("list_secrets", map[string]any{"env": "nowhere"}, "not_found"), `no environment "nowhere"`)
	holds(t, c.fails("describe_secret", map[string]any{"name": "A_KYE", "env": "production"}, "not_found"), "did you mean A_KEY?")
	var d struct {
		Address string
		Version int
		UsedBy  []platform.Referrer `json:"used_by"`
	}
	h.put(t, "production", "BOTH", "${zvault://A_KEY}:${zvault://B_KEY}")
	c.ok("describe_secret", map[string]any{"name": "A_KEY", "env": "production"}, &d)
	if d.Address != "zvault://shop/A_KEY" || d.Version != 1 || len(d.UsedBy) != 1 || d.UsedBy[0].Name != "BOTH" {
		t.Errorf("%+v", d)
	}
	holds(t, c.fails("delete_secret", map[string]any{"name": "A_KEY", "env": "production"}, "conflict"), "shop/production/BOTH")
	c.ok("delete_secret", map[string]any{"name": "A_KEY", "env": "production", "force": true}, nil)
	holds(t, c.fails("delete_secret", map[string]any{"name": "A_KEY", "env": "production"}, "not_found"), "A_KEY")
	var history struct {
		Total  int
		Events []struct{ Deleted bool }
	}
	c.ok("secret_history", map[string]any{"name": "A_KEY", "env": "production", "limit": 1}, &history)
	if history.Total != 2 || len(history.Events) != 1 || !history.Events[0].Deleted {
		t.Errorf("%+v", history)
	}
	holds(t, c.fails("secret_history", map[string]any{"name": "NEVER"}, "not_found"), "never set")
}

func TestVault_Compare(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(t, "development", "ONE", "the-same-value-in-both")
	h.put(t, "production", "ONE", "the-same-value-in-both")
	h.put(t, "development", "TWO", "only-here-for-now")
	h.put(t, "production", "THREE", "only-there-for-now")
	check(t, h.Platform.SetSchema(t.Context(), ada, "shop", platform.Schema{"TWO": {Required: true}, "THREE": {Type: "url"}}))
	c := dial(t, h.serve(t, nil), withSessions, nil)
	var got struct {
		OnlyLeft        []string `json:"only_left"`
		OnlyRight       []string `json:"only_right"`
		Both            []string
		RequiredMissing []string `json:"required_missing"`
	}
	c.ok("compare_envs", map[string]any{"left": "dev", "right": "prod"}, &got)
	want := got
	want.OnlyLeft, want.OnlyRight, want.Both, want.RequiredMissing = []string{"TWO"}, []string{"THREE"}, []string{"ONE"}, []string{"TWO"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var problems struct {
		OK       bool
		Problems []platform.Violation
	}
	c.ok("check_env", map[string]any{"env": "production"}, &problems)
	if problems.OK || len(problems.Problems) != 2 {
		t.Errorf("%+v", problems)
	}
	c.ok("copy_secret", map[string]any{"name": "TWO", "from": "dev", "to": "prod"}, nil)
	if h.value(t, "production", "TWO") != "only-here-for-now" {
		t.Error("the value was not copied")
	}
	c.fails("copy_secret", map[string]any{"name": "TWO", "from": "dev", "to": "prod"}, "exists")
	c.fails("copy_secret", map[string]any{"name": "TWO", "from": "dev", "to": "development"}, "invalid")
	c.fails("copy_secret", map[string]any{"name": "NONE", "from": "dev", "to": "prod"}, "not_found")
	c.ok("copy_secret", map[string]any{"name": "ONE", "from": "dev", "to": "prod", "overwrite": true}, nil)

	h.put(t, "development", "TWO", "another-value-by-now")
	var diff struct {
		Differences []struct {
			Name, Status string
			From, To     int64
		}
	}
	c.ok("diff_secrets", map[string]any{"from": 1}, &diff)
	if len(diff.Differences) != 1 || diff.Differences[0].Name != "TWO" || diff.Differences[0].Status != "added" || diff.Differences[0].To != 2 {
		t.Errorf("%+v", diff)
	}
	c.fails("diff_secrets", map[string]any{"from": 99}, "not_found")
	c.fails("diff_secrets", map[string]any{"from": 0}, "invalid")
}

// A project is set up from its .env without a value passing through the conversation.
func TestVault_Import(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(t, "development", "SET", "was-there-before")
	env := "# the key of the shop\nSTRIPE_KEY=sk_live_4242424242\n# OLD_KEY=sk_live_0000000000\nDB_URL='postgres://app:${zvault://SET}@host'\nSET=another-value\n"
	write := func(name, text string) {
		t.Helper()
		check(t, os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600))
	}
	write(".env", env)
	write("broken", "STRIPE_KEY=\"sk_live_4242424242\nthis is no assignment\n")
	write("refs", "A=zvault://shop/A\n")
	write("empty", "")
	check(t, os.WriteFile(filepath.Join(filepath.Dir(h.dir), "outside"), []byte("OUT=outside-of-the-project"), 0o600))
	check(t, os.Symlink(filepath.Join(filepath.Dir(h.dir), "outside"), filepath.Join(h.dir, "link")))
	c := dial(t, h.serve(t, nil), withoutThem, nil)
	for file, code := range map[string]string{
		"../outside": "invalid", "/etc/hostname": "invalid", "link": "failed", "none": "not_found", "broken": "invalid", "refs": "invalid", "empty": "invalid", ".": "invalid", "": "invalid",
	} {
		c.fails("bulk_import", map[string]any{"file": file}, code)
	}
	var got struct {
		Created           bool
		Imported, Skipped []string
	}
	c.ok("bulk_import", map[string]any{"file": ".env"}, &got)
	if got.Created || !slices.Equal(got.Imported, []string{"STRIPE_KEY", "DB_URL"}) || !slices.Equal(got.Skipped, []string{"SET"}) {
		t.Errorf("%+v", got)
	}
	if h.value(t, "development", "STRIPE_KEY") != "sk_live_4242424242" || h.value(t, "development", "SET") != "was-there-before" {
		t.Error("the vault has other values")
	}
	// A file that a model may have written pulls no other secret in.
	all, err := h.Platform.Reveal(t.Context(), ada, platform.Env{Project: "shop", Slug: "development"}, platform.Selection{Names: []string{"DB_URL"}})
	check(t, err)
	if string(all[0].Value.Reveal()) != "postgres://app:${zvault://SET}@host" {
		t.Error("a reference in the file was resolved")
	}
	var made struct{ Text string }
	c.ok("generate_env_template", map[string]any{"file": ".env.zvault"}, &made)
	onDisk, err := os.ReadFile(filepath.Join(h.dir, ".env.zvault"))
	check(t, err)
	if string(onDisk) != made.Text || !strings.Contains(made.Text, "# the key of the shop\nSTRIPE_KEY=zvault://shop/STRIPE_KEY\n") {
		t.Errorf("the template is %q", made.Text)
	}
	c.fails("generate_env_template", map[string]any{"file": ".env.zvault"}, "exists")
	c.ok("generate_env_template", map[string]any{"file": ".env.zvault", "overwrite": true}, nil)
	c.fails("generate_env_template", map[string]any{"file": "../x"}, "invalid")
	for _, v := range []string{"sk_live_4242424242", "sk_live_0000000000", "was-there-before", "another-value", "outside-of-the-project"} {
		if strings.Contains(c.String(), v) {
			t.Errorf("the transcript holds %q", v[:3])
		}
	}
}

func TestVault_ImportMakesProject(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	check(t, os.WriteFile(filepath.Join(h.dir, ".env"), []byte("KEY=value-of-a-new-project\n"), 0o600))
	c := dial(t, h.serve(t, withProject("fresh")), withoutThem, nil)
	var st struct{ Exists bool }
	c.ok("vault_status", nil, &st)
	if st.Exists {
		t.Error("the project is there before it was made")
	}
	c.fails("list_secrets", nil, "not_found")
	var got struct{ Created bool }
	c.ok("bulk_import", map[string]any{"file": ".env"}, &got)
	toml, err := os.ReadFile(filepath.Join(h.dir, ".zvault.toml"))
	if !got.Created || err != nil || !strings.Contains(string(toml), `name = "fresh"`) {
		t.Errorf("created %v, %v, %s", got.Created, err, toml)
	}
}

func TestCloud(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(t, "staging", "ONE", "first-of-staging")
	h.put(t, "staging", "TWO", "second-of-staging")
	h.put(t, "production", "TWO", "second-of-production")
	each(t, func(t *testing.T, revision string) {
		c := dial(t, h.serve(t, nil), revision, nil)
		var list struct {
			InForce      string `json:"in_force"`
			Environments []platform.Environment
		}
		c.ok("list_environments", nil, &list)
		if list.InForce != "development" || len(list.Environments) != 3 {
			t.Errorf("%+v", list)
		}
		holds(t, c.fails("switch_environment", map[string]any{"env": "stagign"}, "not_found"), `did you mean "staging"?`)
		c.ok("switch_environment", map[string]any{"env": "stage"}, nil)
		c.ok("list_environments", nil, &list)
		if list.InForce != "staging" {
			t.Errorf("it is %s that is in force", list.InForce)
		}
		// Another conversation stays where it was.
		if revision == withSessions {
			other := dial(t, h.serve(t, nil), revision, nil)
			other.ok("list_environments", nil, &list)
			if list.InForce != "development" {
				t.Errorf("another conversation was moved to %s", list.InForce)
			}
		}
	})
	c := dial(t, h.serve(t, nil), withSessions, nil)
	var got struct {
		Added, Replaced []string
		Done            bool
	}
	c.ok("promote", map[string]any{"from": "staging", "to": "production", "dry_run": true}, &got)
	if !slices.Equal(got.Added, []string{"ONE"}) || !slices.Equal(got.Replaced, []string{"TWO"}) || got.Done || h.value(t, "production", "TWO") != "second-of-production" {
		t.Errorf("%+v", got)
	}
	c.fails("promote", map[string]any{"from": "staging", "to": "production", "names": []string{"NONE"}}, "not_found")
	c.fails("promote", map[string]any{"from": "staging", "to": "staging"}, "invalid")
	c.ok("promote", map[string]any{"from": "staging", "to": "production", "names": []string{"ONE"}}, &got)
	if !got.Done || h.value(t, "production", "ONE") != "first-of-staging" || h.value(t, "production", "TWO") != "second-of-production" {
		t.Errorf("%+v", got)
	}
}

// No value can be tried out: what tools say of one that was stored is the same whether or not it equals another.
func TestVault_NoOracle(t *testing.T) {
	t.Parallel()
	said := func(guess string) string {
		h := newHome(t)
		h.put(t, "production", "PIN", "4711471147114711")
		check(t, os.WriteFile(filepath.Join(h.dir, "guess.env"), []byte("PIN="+guess+"\n"), 0o600))
		c := dial(t, h.serve(t, nil), withoutThem, nil)
		var out strings.Builder
		for _, call := range []struct {
			name string
			args map[string]any
		}{
			{"bulk_import", map[string]any{"file": "guess.env", "env": "production"}},
			{"bulk_import", map[string]any{"file": "guess.env", "env": "development"}},
			{"compare_envs", map[string]any{"left": "development", "right": "production"}},
			{"promote", map[string]any{"from": "development", "to": "production", "dry_run": true}},
			{"copy_secret", map[string]any{"name": "PIN", "from": "development", "to": "production"}},
			{"list_secrets", map[string]any{"env": "production"}},
			{"describe_secret", map[string]any{"name": "PIN", "env": "production"}},
		} {
			raw, err := json.Marshal(c.call(call.name, call.args))
			check(t, err)
			out.WriteString(call.name + " " + string(raw) + "\n")
		}
		return out.String()
	}
	if diff := cmp.Diff(said("4711471147114711"), said("0815081508150815")); diff != "" {
		t.Errorf("a right guess is answered otherwise than a wrong one:\n%s", diff)
	}
}
