package server_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// client is HashiCorp's own Go client, unmodified.
func client(t testing.TB, s *servertest.Server, token string) *api.Client {
	t.Helper()
	config := api.DefaultConfig()
	config.Address, config.MaxRetries = s.URL, 0
	c, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	c.SetToken(token)
	return c
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func status(err error) int {
	var e *api.ResponseError
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// refused requires an error with a status and part of its text.
func refused(t testing.TB, err error, want int, text string) {
	t.Helper()
	if status(err) != want || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want status %d with %q", err, want, text)
	}
}

func TestGoClient_KV(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	kv := c.KVv2("secret")
	must(kv.Put(t.Context(), "app/db", map[string]any{"password": "first"}))(t)
	must(kv.Put(t.Context(), "app/db", map[string]any{"password": "second"}, api.WithCheckAndSet(1)))(t)
	_, err := kv.Put(t.Context(), "app/db", map[string]any{"password": "third"}, api.WithCheckAndSet(1))
	refused(t, err, http.StatusBadRequest, "check-and-set parameter did not match the current version")
	got := must(kv.Get(t.Context(), "app/db"))(t)
	if got.Data["password"] != "second" || got.VersionMetadata.Version != 2 {
		t.Errorf("got version %d", got.VersionMetadata.Version)
	}
	must(kv.Patch(t.Context(), "app/db", map[string]any{"user": "app"}))(t)
	if got = must(kv.Get(t.Context(), "app/db"))(t); got.Data["password"] != "second" || got.Data["user"] != "app" {
		t.Error("a patch lost or changed a member")
	}
	if err := kv.Delete(t.Context(), "app/db"); err != nil {
		t.Fatal(err)
	}
	if _, err = kv.Get(t.Context(), "app/db"); err != nil && !errors.Is(err, api.ErrSecretNotFound) {
		t.Errorf("a deleted version: %v", err)
	}
	if err := kv.Undelete(t.Context(), "app/db", []int{3}); err != nil {
		t.Fatal(err)
	}
	if err := kv.Destroy(t.Context(), "app/db", []int{1}); err != nil {
		t.Fatal(err)
	}
	meta := must(kv.GetMetadata(t.Context(), "app/db"))(t)
	if len(meta.Versions) != 3 || !meta.Versions["1"].Destroyed || meta.CurrentVersion != 3 {
		t.Errorf("metadata: %+v", meta)
	}
	list := must(c.Logical().List("secret/metadata/app"))(t)
	if keys, _ := list.Data["keys"].([]any); !slices.Equal(keys, []any{"db"}) {
		t.Errorf("list: %v", list.Data)
	}
	if none, err := c.Logical().Read("secret/data/none"); none != nil || err != nil {
		t.Errorf("nothing there: %v, %v", none, err)
	}
}

func TestGoClient_Tokens(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	if err := root.Sys().PutPolicy("reader", `path "secret/data/app/*" { capabilities = ["read"] }`); err != nil {
		t.Fatal(err)
	}
	must(root.KVv2("secret").Put(t.Context(), "app/x", map[string]any{"a": "b"}))(t)
	made := must(root.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"reader"}, TTL: "1h", Metadata: map[string]string{"who": "test"}}))(t)
	if !slices.Equal(made.Auth.Policies, []string{"default", "reader"}) || made.Auth.LeaseDuration != 3600 {
		t.Errorf("made %+v", made.Auth.Policies)
	}
	c := client(t, s, made.Auth.ClientToken)
	must(c.KVv2("secret").Get(t.Context(), "app/x"))(t)
	_, err := c.KVv2("secret").Put(t.Context(), "app/x", map[string]any{"a": "c"})
	refused(t, err, http.StatusForbidden, "permission denied")
	_, err = c.Logical().Read("secret/data/other")
	refused(t, err, http.StatusForbidden, "permission denied")
	self := must(c.Auth().Token().LookupSelf())(t)
	if self.Data["display_name"] != "token" || self.Data["accessor"] != made.Auth.Accessor {
		t.Errorf("lookup-self: %v", self.Data["display_name"])
	}
	capabilities := must(c.Sys().CapabilitiesSelf("secret/data/app/x"))(t)
	if !slices.Equal(capabilities, []string{"read"}) {
		t.Errorf("capabilities: %v", capabilities)
	}
	if _, err := c.Auth().Token().Create(&api.TokenCreateRequest{}); status(err) != http.StatusForbidden {
		t.Errorf("a token without the right made one: %v", err)
	}
	renewed := must(c.Auth().Token().RenewSelf(7200))(t)
	if renewed.Auth.LeaseDuration != 7200 {
		t.Errorf("renewed to %d", renewed.Auth.LeaseDuration)
	}
	byAccessor := must(root.Auth().Token().LookupAccessor(made.Auth.Accessor))(t)
	if id := byAccessor.Data["id"]; id != "" {
		t.Error("an accessor gives the token away")
	}
	if err := root.Auth().Token().RevokeAccessor(made.Auth.Accessor); err != nil {
		t.Fatal(err)
	}
	_, err = c.Auth().Token().LookupSelf()
	refused(t, err, http.StatusForbidden, "permission denied")
}

// TestGoClient_Tree requires that with a token all that it made ends, and that an orphan lives on.
func TestGoClient_Tree(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	if err := root.Sys().PutPolicy("maker", `path "auth/token/create" { capabilities = ["update", "sudo"] }`); err != nil {
		t.Fatal(err)
	}
	parent := must(root.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"maker"}}))(t).Auth.ClientToken
	p := client(t, s, parent)
	child := must(p.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"maker"}}))(t).Auth.ClientToken
	grandchild := must(client(t, s, child).Auth().Token().Create(&api.TokenCreateRequest{}))(t).Auth.ClientToken
	orphan := must(p.Auth().Token().Create(&api.TokenCreateRequest{NoParent: true}))(t).Auth.ClientToken
	batch := must(p.Auth().Token().Create(&api.TokenCreateRequest{Type: "batch", TTL: "1h"}))(t).Auth.ClientToken
	for _, id := range []string{parent, child, grandchild, orphan, batch} {
		must(client(t, s, id).Auth().Token().LookupSelf())(t)
	}
	if err := p.Auth().Token().RevokeSelf(""); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"parent": parent, "child": child, "grandchild": grandchild, "batch": batch} {
		if _, err := client(t, s, id).Auth().Token().LookupSelf(); status(err) != http.StatusForbidden {
			t.Errorf("the %s is still accepted: %v", name, err)
		}
	}
	must(client(t, s, orphan).Auth().Token().LookupSelf())(t)
}

// TestGoClient_Uses requires of many goroutines with one token of five uses that exactly five get through.
func TestGoClient_Uses(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	made := must(client(t, s, s.Token).Auth().Token().Create(&api.TokenCreateRequest{NumUses: 5}))(t)
	results := make(chan error, 20)
	var wait sync.WaitGroup
	for range cap(results) {
		wait.Go(func() {
			_, err := client(t, s, made.Auth.ClientToken).Auth().Token().LookupSelf()
			results <- err
		})
	}
	wait.Wait()
	close(results)
	ok := 0
	for err := range results {
		if err == nil {
			ok++
		} else if status(err) != http.StatusForbidden {
			t.Error(err)
		}
	}
	if ok < 1 || ok > 5 { // the last one may end the token before another has been shown it
		t.Errorf("%d uses of 5 got through", ok)
	}
}

func TestGoClient_Wrapping(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	must(c.KVv2("secret").Put(t.Context(), "x", map[string]any{"a": "b"}))(t)
	wrapping := client(t, s, s.Token)
	wrapping.SetWrappingLookupFunc(func(string, string) string { return "5m" })
	wrapped := must(wrapping.Logical().Read("secret/data/x"))(t)
	if wrapped.WrapInfo == nil || wrapped.Data != nil || wrapped.WrapInfo.CreationPath != "secret/data/x" {
		t.Fatalf("not wrapped: %+v", wrapped.WrapInfo)
	}
	other := client(t, s, wrapped.WrapInfo.Token)
	_, err := other.Logical().Read("secret/data/x")
	refused(t, err, http.StatusForbidden, "permission denied")
	looked := must(other.Logical().Write("sys/wrapping/lookup", map[string]any{"token": wrapped.WrapInfo.Token}))(t)
	if looked.Data["creation_path"] != "secret/data/x" {
		t.Errorf("lookup: %v", looked.Data)
	}
	open := must(other.Logical().Unwrap(""))(t)
	if data, _ := open.Data["data"].(map[string]any); data["a"] != "b" {
		t.Errorf("unwrapped %v", open.Data)
	}
	_, err = client(t, s, wrapped.WrapInfo.Token).Logical().Unwrap("")
	refused(t, err, http.StatusBadRequest, "wrapping token is not valid or does not exist")
}

func TestGoClient_Mounts(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	mount := &api.MountInput{Type: "kv", Description: "older", Options: map[string]string{"version": "1"}}
	if err := c.Sys().Mount("team/kv", mount); err != nil {
		t.Fatal(err)
	}
	refused(t, c.Sys().Mount("team/kv", mount), http.StatusBadRequest, "path is already in use at team/kv/")
	refused(t, c.Sys().Mount("team/kv/below", mount), http.StatusBadRequest, "path is already in use at team/kv/")
	refused(t, c.Sys().Mount("x", &api.MountInput{Type: "nope"}), http.StatusBadRequest, "plugin not found in the catalog: nope")
	if err := c.KVv1("team/kv").Put(t.Context(), "a", map[string]any{"n": 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.Sys().TuneMount("team/kv", api.MountConfigInput{DefaultLeaseTTL: "1h", MaxLeaseTTL: "2h"}); err != nil {
		t.Fatal(err)
	}
	if tune := must(c.Sys().MountConfig("team/kv"))(t); tune.DefaultLeaseTTL != 3600 || tune.MaxLeaseTTL != 7200 {
		t.Errorf("tuned to %+v", tune)
	}
	if err := c.Sys().Remount("team/kv", "moved"); err != nil {
		t.Fatal(err)
	}
	if got := must(c.KVv1("moved").Get(t.Context(), "a"))(t); got.Data["n"] == nil {
		t.Error("what was there did not move along")
	}
	mounts := must(c.Sys().ListMounts())(t)
	if mounts["moved/"] == nil || mounts["moved/"].Description != "older" || mounts["team/kv/"] != nil || mounts["sys/"] == nil {
		t.Errorf("mounts: %v", mounts)
	}
	if err := c.Sys().Unmount("moved"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Logical().Write("moved/a", nil)
	if err == nil || !strings.Contains(err.Error(), "no handler for route") {
		t.Errorf("after unmounting: %v", err)
	}
	for _, path := range []string{"sys", "cubbyhole", "identity"} {
		if err := c.Sys().Unmount(path); status(err) != http.StatusBadRequest {
			t.Errorf("unmounting %s: %v", path, err)
		}
	}
}

func TestGoClient_Policies(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	const text = `path "a/+/c" { capabilities = ["read"] }`
	if err := c.Sys().PutPolicy("P1", text); err != nil {
		t.Fatal(err)
	}
	if got := must(c.Sys().GetPolicy("p1"))(t); got != text {
		t.Errorf("got %q", got)
	}
	if names := must(c.Sys().ListPolicies())(t); !slices.Equal(names, []string{"default", "p1", "root"}) {
		t.Errorf("names %q", names)
	}
	refused(t, c.Sys().PutPolicy("bad", `path "x" { capabilities = ["fly"] }`), http.StatusBadRequest, `unknown capability "fly"`)
	refused(t, c.Sys().PutPolicy("root", text), http.StatusBadRequest, "cannot update")
	refused(t, c.Sys().DeletePolicy("default"), http.StatusBadRequest, "cannot delete")
	if err := c.Sys().DeletePolicy("p1"); err != nil {
		t.Fatal(err)
	}
	if got := must(c.Sys().GetPolicy("p1"))(t); got != "" {
		t.Errorf("after deleting: %q", got)
	}
}

// TestGoClient_Shamir makes, opens, seals and opens again a vault that people hold the key of.
func TestGoClient_Shamir(t *testing.T) {
	t.Parallel()
	s := servertest.Open(t, server.Config{Dir: t.TempDir(), Seal: "shamir"})
	c := client(t, s, "")
	if done := must(c.Sys().InitStatus())(t); done {
		t.Fatal("initialized before it was")
	}
	health := must(c.Sys().Health())(t)
	if health.Initialized || !health.Sealed {
		t.Errorf("health %+v", health)
	}
	_, err := c.Sys().Init(&api.InitRequest{SecretShares: 3, SecretThreshold: 5})
	refused(t, err, http.StatusBadRequest, "invalid shares or threshold")
	made := must(c.Sys().Init(&api.InitRequest{SecretShares: 5, SecretThreshold: 3}))(t)
	if len(made.Keys) != 5 || len(made.KeysB64) != 5 || made.RootToken == "" {
		t.Fatalf("%d keys", len(made.Keys))
	}
	_, err = c.Sys().Init(&api.InitRequest{SecretShares: 5, SecretThreshold: 3})
	refused(t, err, http.StatusBadRequest, "Vault is already initialized")
	c.SetToken(made.RootToken)
	_, err = c.Logical().Read("sys/mounts")
	refused(t, err, http.StatusServiceUnavailable, "Vault is sealed")
	_, err = c.Sys().Unseal("zz")
	refused(t, err, http.StatusBadRequest, "'key' must be a valid hex or base64 string")
	for i, key := range []string{made.Keys[0], made.Keys[0], made.KeysB64[3], made.Keys[4]} {
		st := must(c.Sys().Unseal(key))(t)
		if want := []int{1, 1, 2, 0}[i]; st.Progress != want || st.Sealed != (i < 3) || st.N != 5 || st.T != 3 {
			t.Errorf("after key %d: %+v", i, st)
		}
	}
	must(c.Sys().ListMounts())(t)
	if err := c.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	if st := must(c.Sys().SealStatus())(t); !st.Sealed {
		t.Error("not sealed")
	}
	must(c.Sys().Unseal(made.Keys[1]))(t)
	if st := must(c.Sys().ResetUnsealProcess())(t); st.Progress != 0 {
		t.Errorf("after a reset: %+v", st)
	}
	for _, key := range made.Keys[1:4] {
		must(c.Sys().Unseal(key))(t)
	}
	must(c.Sys().ListMounts())(t)
}

// TestGoClient_Ceremonies makes a root token and new shares with the shares of a vault.
func TestGoClient_Ceremonies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := servertest.Open(t, server.Config{Dir: dir, Seal: "shamir"})
	c := client(t, s, "")
	made := must(c.Sys().Init(&api.InitRequest{SecretShares: 3, SecretThreshold: 2}))(t)
	for _, key := range made.Keys[:2] {
		must(c.Sys().Unseal(key))(t)
	}
	root := must(c.Sys().GenerateRootInit("", ""))(t)
	if !root.Started || root.Required != 2 || len(root.OTP) != root.OTPLength {
		t.Fatalf("begun: %+v", root.Nonce)
	}
	_, err := c.Sys().GenerateRootInit("", "")
	refused(t, err, http.StatusBadRequest, "already in progress")
	_, err = c.Sys().GenerateRootUpdate(made.Keys[0], "other")
	refused(t, err, http.StatusBadRequest, "incorrect nonce")
	must(c.Sys().GenerateRootUpdate(made.Keys[0], root.Nonce))(t)
	done := must(c.Sys().GenerateRootUpdate(made.Keys[2], root.Nonce))(t)
	hidden, err := base64.RawStdEncoding.DecodeString(done.EncodedRootToken)
	if err != nil || !done.Complete || len(hidden) != len(root.OTP) {
		t.Fatalf("done: %v", err)
	}
	for i := range hidden {
		hidden[i] ^= root.OTP[i]
	}
	c.SetToken(string(hidden))
	if self := must(c.Auth().Token().LookupSelf())(t); !slices.Contains(self.Data["policies"].([]any), any("root")) {
		t.Errorf("the new token has %v", self.Data["policies"])
	}

	begun := must(c.Sys().RekeyInit(&api.RekeyInitRequest{SecretShares: 5, SecretThreshold: 3, RequireVerification: true}))(t)
	must(c.Sys().RekeyUpdate(made.Keys[1], begun.Nonce))(t)
	fresh := must(c.Sys().RekeyUpdate(made.Keys[2], begun.Nonce))(t)
	if !fresh.Complete || len(fresh.Keys) != 5 || fresh.VerificationNonce == "" {
		t.Fatalf("rekeyed: %d keys", len(fresh.Keys))
	}
	// Until the new keys were shown the old ones are in force.
	if st := must(c.Sys().SealStatus())(t); st.N != 3 {
		t.Errorf("%d shares are in force before the verification", st.N)
	}
	for i, key := range fresh.Keys[1:4] {
		if v := must(c.Sys().RekeyVerificationUpdate(key, fresh.VerificationNonce))(t); v.Complete != (i == 2) {
			t.Errorf("key %d: complete = %v", i, v.Complete)
		}
	}
	if err := c.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	_, err = c.Sys().Unseal(made.Keys[0])
	refused(t, err, http.StatusBadRequest, "another set")
	for _, key := range fresh.Keys[:3] {
		must(c.Sys().Unseal(key))(t)
	}
	must(c.Sys().ListMounts())(t)
}

// TestGoClient_AppRole signs in with a role id and secret ids of all kinds.
func TestGoClient_AppRole(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().EnableAuthWithOptions("approle", &api.EnableAuthOptions{Type: "approle"}); err != nil {
		t.Fatal(err)
	}
	// Below, more guess than would be listened to.
	lenient := api.MountConfigInput{UserLockoutConfig: &api.UserLockoutConfigInput{DisableLockout: new(true)}}
	if err := c.Sys().TuneMount("auth/approle", lenient); err != nil {
		t.Fatal(err)
	}
	must(c.Logical().Write("auth/approle/role/web", map[string]any{"token_policies": "a,b", "token_ttl": "10m", "token_max_ttl": "20m", "secret_id_num_uses": 5}))(t)
	role := must(c.Logical().Read("auth/approle/role/web"))(t)
	if role.Data["token_ttl"] != json.Number("600") || role.Data["bind_secret_id"] != true {
		t.Errorf("role: %v", role.Data)
	}
	id, _ := must(c.Logical().Read("auth/approle/role/web/role-id"))(t).Data["role_id"].(string)
	secret := must(c.Logical().Write("auth/approle/role/web/secret-id", map[string]any{"metadata": `{"host":"h1"}`, "num_uses": 3}))(t)
	sign := func(roleID, secretID any) (*api.Secret, error) {
		return client(t, s, "").Logical().Write("auth/approle/login", map[string]any{"role_id": roleID, "secret_id": secretID})
	}
	login := must(sign(id, secret.Data["secret_id"]))(t)
	if !slices.Equal(login.Auth.Policies, []string{"a", "b", "default"}) || login.Auth.LeaseDuration != 600 || login.Auth.Metadata["host"] != "h1" ||
		login.Auth.Metadata["role_name"] != "web" {
		t.Errorf("login: %+v", login.Auth.Metadata)
	}
	renewed := must(client(t, s, login.Auth.ClientToken).Auth().Token().RenewSelf(3600))(t)
	if renewed.Auth.LeaseDuration > 1200 || renewed.Auth.LeaseDuration < 1100 {
		t.Errorf("renewed to %d s, past the role's maximum", renewed.Auth.LeaseDuration)
	}
	// One wrong letter, one of another role, none: all alike.
	for _, bad := range [][2]any{{id, "wrong"}, {"wrong", secret.Data["secret_id"]}, {"../web", "x"}} {
		_, err := sign(bad[0], bad[1])
		refused(t, err, http.StatusBadRequest, "invalid role or secret ID")
	}
	// Of many at once, as many get in as there are uses left.
	var wait sync.WaitGroup
	results := make(chan error, 10)
	for range cap(results) {
		wait.Go(func() {
			_, err := sign(id, secret.Data["secret_id"])
			results <- err
		})
	}
	wait.Wait()
	close(results)
	in := 0
	for err := range results {
		if err == nil {
			in++
		} else {
			refused(t, err, http.StatusBadRequest, "invalid role or secret ID")
		}
	}
	if in != 2 {
		t.Errorf("%d logins with two uses left", in)
	}
	must(c.Logical().Write("auth/approle/role/web/custom-secret-id", map[string]any{"secret_id": "chosen", "cidr_list": "10.0.0.0/8"}))(t)
	_, err := sign(id, "chosen")
	refused(t, err, http.StatusBadRequest, "unauthorized")
	list := must(c.Logical().List("auth/approle/role/web/secret-id"))(t)
	keys, _ := list.Data["keys"].([]any)
	if len(keys) != 1 {
		t.Fatalf("accessors: %v", keys)
	}
	shown := must(c.Logical().Write("auth/approle/role/web/secret-id-accessor/lookup", map[string]any{"secret_id_accessor": keys[0]}))(t)
	if cidrs, _ := shown.Data["cidr_list"].([]any); !slices.Equal(cidrs, []any{"10.0.0.0/8"}) {
		t.Errorf("shown: %v", shown.Data)
	}
	must(c.Logical().Write("auth/approle/role/web/secret-id-accessor/destroy", map[string]any{"secret_id_accessor": keys[0]}))(t)
	if left, err := c.Logical().List("auth/approle/role/web/secret-id"); left != nil || err != nil {
		t.Errorf("after destroying: %v, %v", left, err)
	}
	must(c.Logical().Delete("auth/approle/role/web"))(t)
	_, err = client(t, s, login.Auth.ClientToken).Auth().Token().RenewSelf(60)
	refused(t, err, http.StatusBadRequest, "does not exist")
	if err := c.Sys().DisableAuth("approle"); err != nil {
		t.Fatal(err)
	}
	_, err = client(t, s, login.Auth.ClientToken).Auth().Token().LookupSelf()
	refused(t, err, http.StatusForbidden, "permission denied")
}

func TestGoClient_Transit(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().Mount("transit", &api.MountInput{Type: "transit"}); err != nil {
		t.Fatal(err)
	}
	must(c.Logical().Write("transit/keys/k", nil))(t)
	plain := base64.StdEncoding.EncodeToString([]byte("some text"))
	sealed := must(c.Logical().Write("transit/encrypt/k", map[string]any{"plaintext": plain}))(t)
	text, _ := sealed.Data["ciphertext"].(string)
	if !strings.HasPrefix(text, "vault:v1:") {
		t.Fatalf("ciphertext of %d letters", len(text))
	}
	must(c.Logical().Write("transit/keys/k/rotate", nil))(t)
	rewrapped := must(c.Logical().Write("transit/rewrap/k", map[string]any{"ciphertext": text}))(t)
	for _, one := range []any{text, rewrapped.Data["ciphertext"]} {
		if got := must(c.Logical().Write("transit/decrypt/k", map[string]any{"ciphertext": one}))(t); got.Data["plaintext"] != plain {
			t.Error("it decrypts to something else")
		}
	}
	batch := must(c.Logical().Write("transit/encrypt/k", map[string]any{"batch_input": []map[string]any{{"plaintext": plain}, {"plaintext": plain}}}))(t)
	if results, _ := batch.Data["batch_results"].([]any); len(results) != 2 {
		t.Errorf("batch: %v", batch.Data)
	}
	_, err := c.Logical().Write("transit/decrypt/k", map[string]any{"ciphertext": "vault:v1:AAAA"})
	if status(err) != http.StatusBadRequest {
		t.Errorf("a damaged ciphertext: %v", err)
	}
}

// TestGoClient_Userpass signs in with a name and a password.
func TestGoClient_Userpass(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().EnableAuthWithOptions("people", &api.EnableAuthOptions{Type: "userpass"}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Logical().Write("auth/people/users/ann", map[string]any{"token_policies": "p"})
	refused(t, err, http.StatusBadRequest, "missing password")
	must(c.Logical().Write("auth/people/users/Ann", map[string]any{"password": "correct horse", "token_policies": "p"}))(t)
	sign := func(name, password string) (*api.Secret, error) {
		return client(t, s, "").Logical().Write("auth/people/login/"+name, map[string]any{"password": password})
	}
	login := must(sign("aNN", "correct horse"))(t)
	if !slices.Equal(login.Auth.Policies, []string{"default", "p"}) || login.Auth.Metadata["username"] != "ann" {
		t.Errorf("login: %v", login.Auth.Policies)
	}
	for name, password := range map[string]string{"ann": "wrong", "bob": "correct horse", strings.Repeat("x", 2000): "y"} {
		_, err := sign(name, password)
		refused(t, err, http.StatusBadRequest, "invalid username or password")
	}
	must(client(t, s, login.Auth.ClientToken).Auth().Token().RenewSelf(60))(t)
	must(c.Logical().Write("auth/people/users/ann/policies", map[string]any{"token_policies": "q"}))(t)
	_, err = client(t, s, login.Auth.ClientToken).Auth().Token().RenewSelf(60)
	refused(t, err, http.StatusBadRequest, "policies have changed")
	if user := must(c.Logical().Read("auth/people/users/ann"))(t); user.Data["hash"] != nil || user.Data["password"] != nil {
		t.Error("a user is shown with the password's hash")
	}
}

// TestRestart requires that what was acknowledged is there after the process is gone, tokens included.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "bbolt"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var root, token string
			t.Run("first", func(t *testing.T) {
				s := servertest.Open(t, server.Config{Dir: dir, Storage: kind})
				root = s.Token
				c := client(t, s, root)
				if err := c.Sys().Mount("kv", &api.MountInput{Type: "kv-v2"}); err != nil {
					t.Fatal(err)
				}
				must(c.KVv2("kv").Put(t.Context(), "a", map[string]any{"x": "y"}))(t)
				token = must(c.Auth().Token().Create(&api.TokenCreateRequest{TTL: "1h"}))(t).Auth.ClientToken
			})
			s := servertest.Open(t, server.Config{Dir: dir, Storage: kind})
			if s.Token != "" {
				t.Error("a second start gave a root token")
			}
			if got := must(client(t, s, root).KVv2("kv").Get(t.Context(), "a"))(t); got.Data["x"] != "y" {
				t.Error("the secret is not the one that was written")
			}
			must(client(t, s, token).Auth().Token().LookupSelf())(t)
		})
	}
}

// TestGoClient_Expiry requires that a token ends by itself.
func TestGoClient_Expiry(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	made := must(client(t, s, s.Token).Auth().Token().Create(&api.TokenCreateRequest{TTL: "1s", ExplicitMaxTTL: "1s"}))(t)
	c := client(t, s, made.Auth.ClientToken)
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := c.Auth().Token().LookupSelf()
		if status(err) == http.StatusForbidden {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a token of one second lives on: %v", err)
		}
	}
	for {
		list := must(client(t, s, s.Token).Logical().List("auth/token/accessors"))(t)
		keys, _ := list.Data["keys"].([]any)
		if !slices.Contains(keys, any(made.Auth.Accessor)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("what was kept of the token is not removed")
		}
	}
}
