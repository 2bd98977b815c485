package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// write is Logical().Write that must succeed; its data is never nil.
func write(t testing.TB, c *api.Client, path string, data map[string]any) map[string]any {
	t.Helper()
	s := must(c.Logical().Write(path, data))(t)
	if s == nil {
		return map[string]any{}
	}
	return s.Data
}

// user enables userpass, makes a user, and returns the method's accessor.
func user(t testing.TB, root *api.Client, name string) string {
	t.Helper()
	if err := root.Sys().EnableAuthWithOptions("userpass", &api.EnableAuthOptions{Type: "userpass"}); err != nil {
		t.Fatal(err)
	}
	write(t, root, "auth/userpass/users/"+name, map[string]any{"password": "correct horse"})
	return must(root.Sys().ListAuth())(t)["userpass/"].Accessor
}

func signIn(t testing.TB, c *api.Client, name string) *api.SecretAuth {
	t.Helper()
	return must(c.Logical().Write("auth/userpass/login/"+name, map[string]any{"password": "correct horse"}))(t).Auth
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, item := range list {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

// TestGoClient_Identity follows somebody from the first login through policies of their own, of groups and of groups of groups.
func TestGoClient_Identity(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	accessor := user(t, root, "ann")
	must(root.KVv2("secret").Put(t.Context(), "x", map[string]any{"a": "b"}))(t)
	for _, p := range []string{"own", "group", "outer"} {
		if err := root.Sys().PutPolicy(p, `path "secret/data/`+p+`" { capabilities = ["create", "update"] }`); err != nil {
			t.Fatal(err)
		}
	}
	auth := signIn(t, root, "ann")
	if auth.EntityID == "" || len(auth.IdentityPolicies) != 0 || !slices.Equal(auth.Policies, []string{"default"}) {
		t.Fatalf("signed in as %+v", auth.EntityID)
	}
	if again := signIn(t, root, "ann"); again.EntityID != auth.EntityID {
		t.Errorf("another login is somebody else: %s", again.EntityID)
	}
	ann := client(t, s, auth.ClientToken)
	may := func(name string, want bool) {
		t.Helper()
		_, err := ann.KVv2("secret").Put(t.Context(), name, map[string]any{})
		if got := err == nil; got != want || err != nil && status(err) != http.StatusForbidden {
			t.Errorf("writing %s: %v, want %v", name, err, want)
		}
	}
	may("own", false)
	write(t, root, "identity/entity/id/"+auth.EntityID, map[string]any{"name": "ann", "policies": "own", "metadata": map[string]any{"team": "red"}})
	may("own", true)
	group := write(t, root, "identity/group", map[string]any{"name": "staff", "policies": []string{"group"}, "member_entity_ids": []string{auth.EntityID}})
	may("group", true)
	may("outer", false)
	write(t, root, "identity/group/name/all", map[string]any{"policies": "outer", "member_group_ids": group["id"]})
	may("outer", true)

	self := must(ann.Auth().Token().LookupSelf())(t)
	if self.Data["entity_id"] != auth.EntityID || !slices.Equal(texts(self.Data["identity_policies"]), []string{"group", "outer", "own"}) {
		t.Errorf("lookup-self: %v %v", self.Data["entity_id"], self.Data["identity_policies"])
	}
	next := signIn(t, root, "ann")
	if !slices.Equal(next.IdentityPolicies, []string{"group", "outer", "own"}) || !slices.Equal(next.TokenPolicies, []string{"default"}) ||
		!slices.Equal(next.Policies, []string{"default", "group", "outer", "own"}) {
		t.Errorf("login: %q %q %q", next.IdentityPolicies, next.TokenPolicies, next.Policies)
	}
	if got := must(ann.Sys().CapabilitiesSelf("secret/data/outer"))(t); !slices.Equal(got, []string{"create", "update"}) {
		t.Errorf("capabilities: %q", got)
	}
	// The default policy lets everybody read themselves, and nobody else.
	me := must(ann.Logical().Read("identity/entity/id/" + auth.EntityID))(t)
	aliases, _ := me.Data["aliases"].([]any)
	alias, _ := aliases[0].(map[string]any)
	if alias["name"] != "ann" || alias["mount_accessor"] != accessor || alias["mount_path"] != "auth/userpass/" {
		t.Errorf("alias %v", alias)
	}
	must(ann.Logical().Read("identity/entity/name/ann"))(t)
	_, err := ann.Logical().Read("identity/group/name/staff")
	refused(t, err, http.StatusForbidden, "permission denied")

	write(t, root, "identity/group/name/all", map[string]any{"member_group_ids": []string{}})
	may("outer", false)
	must(root.Logical().Delete("identity/group/name/staff"))(t)
	may("group", false)
	may("own", true)

	// Disabled: nothing at all, until enabled again.
	write(t, root, "identity/entity/name/ann", map[string]any{"disabled": true})
	_, err = ann.Auth().Token().LookupSelf()
	refused(t, err, http.StatusForbidden, "permission denied")
	_, err = root.Logical().Write("auth/userpass/login/ann", map[string]any{"password": "correct horse"})
	refused(t, err, http.StatusForbidden, "permission denied")
	if looked := must(root.Auth().Token().Lookup(auth.ClientToken))(t); looked.Data["entity_id"] != auth.EntityID {
		t.Error("the token of somebody disabled cannot be looked up")
	}
	write(t, root, "identity/entity/name/ann", map[string]any{"disabled": false})
	may("own", true)
	must(root.Logical().Delete("identity/entity/name/ann"))(t)
	_, err = ann.Auth().Token().LookupSelf()
	refused(t, err, http.StatusForbidden, "permission denied")
}

// TestGoClient_IdentityTokens requires that what a token makes is for the same somebody, an orphan for nobody, and that a role
// names others.
func TestGoClient_IdentityTokens(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	user(t, root, "ann")
	if err := root.Sys().PutPolicy("maker", `path "auth/token/create*" { capabilities = ["update", "sudo"] }`); err != nil {
		t.Fatal(err)
	}
	auth := signIn(t, root, "ann")
	write(t, root, "identity/entity/id/"+auth.EntityID, map[string]any{"policies": "maker"})
	ann := client(t, s, auth.ClientToken)
	entity := func(a *api.SecretAuth) any {
		t.Helper()
		return must(root.Auth().Token().Lookup(a.ClientToken))(t).Data["entity_id"]
	}
	child := must(ann.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, TTL: "1h"}))(t).Auth
	batch := must(ann.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, Type: "batch", TTL: "1h"}))(t).Auth
	orphan := must(ann.Auth().Token().CreateOrphan(&api.TokenCreateRequest{Policies: []string{"default"}}))(t).Auth
	if entity(child) != auth.EntityID || entity(batch) != auth.EntityID || entity(orphan) != "" || child.EntityID != auth.EntityID {
		t.Errorf("child %v, batch %v, orphan %v; want %s twice", entity(child), entity(batch), entity(orphan), auth.EntityID)
	}
	if !slices.Equal(batch.IdentityPolicies, []string{"maker"}) {
		t.Errorf("batch: %q", batch.IdentityPolicies)
	}

	_, err := root.Auth().Token().Create(&api.TokenCreateRequest{EntityAlias: "web"})
	refused(t, err, http.StatusBadRequest, "'entity_alias' is only allowed in combination with token role")
	write(t, root, "auth/token/roles/ci", map[string]any{"allowed_entity_aliases": "Web,job-*-run", "allowed_policies": "default", "orphan": true})
	make := func(alias string) (*api.Secret, error) {
		return root.Auth().Token().CreateWithRole(&api.TokenCreateRequest{EntityAlias: alias}, "ci")
	}
	for _, name := range []string{"other", "job-1", "xjob-1-run", "job-1-run-2"} {
		_, err = make(name)
		refused(t, err, http.StatusBadRequest, "invalid 'entity_alias' value")
	}
	web, job := must(make("WEB"))(t).Auth, must(make("job-a/b-run"))(t).Auth
	if again := must(make("web"))(t).Auth; web.EntityID == "" || again.EntityID != web.EntityID || job.EntityID == web.EntityID {
		t.Errorf("web is %s, then %s; job %s", web.EntityID, again.EntityID, job.EntityID)
	}
	write(t, root, "identity/entity/id/"+web.EntityID, map[string]any{"disabled": true})
	_, err = make("web")
	refused(t, err, http.StatusForbidden, "permission denied")
}

// TestGoClient_IdentityAppRole requires that a role is somebody by its role id.
func TestGoClient_IdentityAppRole(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	if err := root.Sys().EnableAuthWithOptions("approle", &api.EnableAuthOptions{Type: "approle"}); err != nil {
		t.Fatal(err)
	}
	accessor := must(root.Sys().ListAuth())(t)["approle/"].Accessor
	entity := write(t, root, "identity/entity", map[string]any{"name": "robot", "metadata": map[string]any{"app": "shop"}})
	write(t, root, "identity/entity-alias", map[string]any{"name": "the-role-id", "mount_accessor": accessor, "canonical_id": entity["id"]})
	write(t, root, "auth/approle/role/shop", map[string]any{"role_id": "the-role-id", "token_policies": "shop"})
	if err := root.Sys().PutPolicy("shop", `path "secret/data/{{identity.entity.metadata.app}}/*" { capabilities = ["create", "read"] }
path "secret/data/by-alias/{{identity.entity.aliases.`+accessor+`.name}}" { capabilities = ["create"] }
path "secret/data/{{identity.groups.names.stars.id}}" { capabilities = ["create"] }`); err != nil {
		t.Fatal(err)
	}
	secret := write(t, root, "auth/approle/role/shop/secret-id", nil)
	auth := must(root.Logical().Write("auth/approle/login", map[string]any{"role_id": "the-role-id", "secret_id": secret["secret_id"]}))(t).Auth
	if auth.EntityID != entity["id"] {
		t.Fatalf("signed in as %s", auth.EntityID)
	}
	c := client(t, s, auth.ClientToken)
	may := func(path string, want bool) {
		t.Helper()
		if _, err := c.KVv2("secret").Put(t.Context(), path, map[string]any{}); (err == nil) != want {
			t.Errorf("writing %s: %v, want %v", path, err, want)
		}
	}
	may("shop/db", true)
	may("by-alias/the-role-id", true)
	may("other/db", false)
	write(t, root, "identity/entity/name/robot", map[string]any{"metadata": map[string]any{"app": "other"}})
	may("other/db", true)
	may("shop/db2", false)
	write(t, root, "identity/entity/name/robot", map[string]any{"metadata": map[string]any{"app": "*"}})
	may("other/db2", false)
	group := write(t, root, "identity/group", map[string]any{"name": "stars"})
	id := fmt.Sprint(group["id"])
	may(id, false)
	write(t, root, "identity/group/name/stars", map[string]any{"member_entity_ids": entity["id"]})
	may(id, true)
}

// TestGoClient_IdentityMerge requires the refusal of two aliases for one mount in the form that user interfaces read.
func TestGoClient_IdentityMerge(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	accessor := user(t, root, "ann")
	write(t, root, "auth/userpass/users/bob", map[string]any{"password": "correct horse"})
	ann, bob := signIn(t, root, "ann"), signIn(t, root, "bob")
	body := strings.NewReader(fmt.Sprintf(`{"to_entity_id":%q,"from_entity_ids":[%q]}`, ann.EntityID, bob.EntityID))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/identity/entity/merge", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Vault-Token", s.Token)
	resp := must(s.Client().Do(r))(t)
	defer func() {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	var answer struct {
		Errors []string
		Data   []struct {
			Alias     string
			EntityID  string `json:"entity_id"`
			MountPath string `json:"mount_path"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusBadRequest || len(answer.Errors) != 1 || !strings.HasPrefix(answer.Errors[0], "2 errors occurred:\n\t* toEntity and ") ||
		!strings.Contains(answer.Errors[0], "mountAccessor: "+accessor) || len(answer.Data) != 2 || answer.Data[0].Alias != "ann" ||
		answer.Data[1].EntityID != bob.EntityID || answer.Data[1].MountPath != "auth/userpass/" {
		t.Errorf("%d %+v", resp.StatusCode, answer)
	}
	found := write(t, root, "identity/lookup/entity", map[string]any{"alias_name": "bob", "alias_mount_accessor": accessor})
	aliases, _ := found["aliases"].([]any)
	keep, _ := aliases[0].(map[string]any)
	write(t, root, "identity/entity/merge", map[string]any{
		"to_entity_id": ann.EntityID, "from_entity_ids": bob.EntityID, "conflicting_alias_ids_to_keep": keep["id"],
	})
	if again := signIn(t, root, "bob"); again.EntityID != ann.EntityID {
		t.Errorf("bob is %s, want %s", again.EntityID, ann.EntityID)
	}
	must(client(t, s, bob.ClientToken).Auth().Token().LookupSelf())(t)
}

// TestNodes_Identity requires that a change of an entity or a group on one node counts at once on every other.
func TestNodes_Identity(t *testing.T) {
	t.Parallel()
	all := nodes(t, testpg.URL(t), 2)
	a, b := client(t, all[0], all[0].Token), client(t, all[1], all[0].Token)
	user(t, a, "ann")
	if err := a.Sys().PutPolicy("p", `path "sys/mounts" { capabilities = ["read"] }`); err != nil {
		t.Fatal(err)
	}
	auth := signIn(t, a, "ann")
	if there := signIn(t, b, "ann"); there.EntityID != auth.EntityID {
		t.Fatalf("somebody else on another node: %s", there.EntityID)
	}
	group := write(t, a, "identity/group", map[string]any{"name": "g", "member_entity_ids": auth.EntityID})
	for round := range 10 {
		policy, want := "p", true
		if round%2 == 1 {
			policy, want = "", false
		}
		changer, reader := a, all[1]
		if round%4 > 1 {
			changer, reader = b, all[0]
		}
		write(t, changer, "identity/group/id/"+fmt.Sprint(group["id"]), map[string]any{"policies": policy})
		if _, err := client(t, reader, auth.ClientToken).Sys().ListMounts(); (err == nil) != want {
			t.Fatalf("round %d: %v, want %v", round, err, want)
		}
	}
	write(t, b, "identity/entity/id/"+auth.EntityID, map[string]any{"disabled": true})
	if _, err := client(t, all[0], auth.ClientToken).Auth().Token().LookupSelf(); status(err) != http.StatusForbidden {
		t.Errorf("disabled on one node, accepted on the other: %v", err)
	}
}
