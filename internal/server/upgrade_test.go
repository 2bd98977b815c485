package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
)

// TestGoClient_Upgrade makes a kv mount of version 1 one of version 2: what was there is version 1 of each secret.
func TestGoClient_Upgrade(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().Mount("older", &api.MountInput{Type: "kv"}); err != nil {
		t.Fatal(err)
	}
	const many = 450 // more than two batches
	for i := range many {
		write(t, c, fmt.Sprintf("older/many/%03d", i), map[string]any{"n": i})
	}
	write(t, c, "older/a", map[string]any{"x": "1", "ttl": "30m"})
	write(t, c, "older/a/b", map[string]any{"y": nil})
	tune := func(version any) (*api.Secret, error) {
		return c.Logical().Write("sys/mounts/older/tune", map[string]any{"options": map[string]any{"version": version}})
	}
	for version, text := range map[any]string{"3": "invalid version provided: 3", "": "invalid version provided: 0", "x": "unable to parse options"} {
		_, err := tune(version)
		refused(t, err, http.StatusBadRequest, text)
	}
	if same := must(tune("1"))(t); same != nil {
		t.Errorf("version 1 stays: %v", same.Warnings)
	}
	if got := must(tune(2))(t); got == nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "from version 1 to version 2") {
		t.Errorf("upgrading: %+v", got)
	}
	_, err := tune("1")
	refused(t, err, http.StatusBadRequest, "cannot downgrade mount from version 2")
	kv := c.KVv2("older")
	got := must(kv.Get(t.Context(), "a"))(t)
	if got.VersionMetadata.Version != 1 || got.Data["x"] != "1" || got.Data["ttl"] != "30m" {
		t.Errorf("a: version %d, %d members", got.VersionMetadata.Version, len(got.Data))
	}
	must(kv.Put(t.Context(), "a/b", map[string]any{"y": 2}, api.WithCheckAndSet(1)))(t)
	if first := must(kv.GetVersion(t.Context(), "a/b", 1))(t); len(first.Data) != 1 || first.Data["y"] != nil {
		t.Errorf("a/b: %d members", len(first.Data))
	}
	keys, _ := must(c.Logical().List("older/metadata/many"))(t).Data["keys"].([]any)
	if len(keys) != many {
		t.Errorf("%d secrets, want %d", len(keys), many)
	}
	if mount := must(c.Sys().ListMounts())(t)["older/"]; mount.Options["version"] != "2" {
		t.Errorf("options %v", mount.Options)
	}
	if old, err := c.Logical().Read("older/a"); err == nil && old != nil && len(old.Data) > 0 {
		t.Error("a path of version 1 still answers")
	}
	_, err = c.Logical().Write("sys/mounts/cubbyhole/tune", map[string]any{"options": map[string]any{"version": "2"}})
	refused(t, err, http.StatusBadRequest, "cannot tune parameter options of cubbyhole/")
}

// TestUpgrade_Writers requires that of writes that arrive while a mount is upgraded none is acknowledged and lost.
func TestUpgrade_Writers(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().Mount("older", &api.MountInput{Type: "kv"}); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	begun := make(chan struct{})
	var once sync.Once
	kept := make([][]string, 4)
	for w := range kept {
		wait.Go(func() {
			for i := range 400 {
				name := fmt.Sprintf("w%d-%d", w, i)
				resp, err := c.Logical().Write("older/"+name, map[string]any{"n": i})
				if err != nil || resp != nil { // refused meanwhile, or no path of version 2
					return
				}
				kept[w] = append(kept[w], name)
				if i == 20 {
					once.Do(func() { close(begun) })
				}
			}
		})
	}
	<-begun
	write(t, c, "sys/mounts/older/tune", map[string]any{"options": map[string]any{"version": "2"}})
	wait.Wait()
	var there []string
	list, _ := must(c.Logical().List("older/metadata"))(t).Data["keys"].([]any)
	for _, k := range list {
		there = append(there, fmt.Sprint(k))
	}
	for _, name := range slices.Concat(kept...) {
		if !slices.Contains(there, name) {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
}

// TestGoClient_Refusals holds what every path may answer to the texts that OpenBao has.
func TestGoClient_Refusals(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	plain := must(root.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}}))(t).Auth.ClientToken
	for _, tt := range []struct {
		token, method, path string
		status              int
		text                string
	}{
		{s.Token, "POST", "secret/data/x/", http.StatusBadRequest, "cannot write to a path ending in '/'"},
		{s.Token, "PUT", "sys/policy/x/", http.StatusBadRequest, "cannot write to a path ending in '/'"},
		{s.Token, "POST", "cubbyhole/x/", http.StatusBadRequest, "cannot write to a path ending in '/'"},
		{s.Token, "POST", "none/x/", http.StatusBadRequest, "cannot write to a path ending in '/'"},
		{"bad", "POST", "secret/data/x/", http.StatusBadRequest, "cannot write to a path ending in '/'"},
		{"bad", "GET", "secret/data/x", http.StatusForbidden, "permission denied"},
		{plain, "GET", "secret/data/x", http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n"},
		{s.Token, "GET", "sys/none", http.StatusNotFound, "1 error occurred:\n\t* unsupported path\n\n"},
		{s.Token, "DELETE", "sys/mounts", http.StatusMethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n"},
		{s.Token, "GET", "identity/entity/id", http.StatusMethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n"},
		{s.Token, "POST", "sys/mounts/none/tune", http.StatusBadRequest, `tune of path "none/" failed: no mount entry found`},
		{s.Token, "DELETE", "sys/auth/token", http.StatusBadRequest, "token credential backend cannot be disabled"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL+"/v1/"+tt.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Vault-Token", tt.token)
		resp := must(s.Client().Do(r))(t)
		var answer struct{ Errors []string }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != tt.status || !slices.Equal(answer.Errors, []string{tt.text}) {
			t.Errorf("%s %s: %d %q %v", tt.method, tt.path, resp.StatusCode, answer.Errors, err)
		}
	}
}

// TestGoClient_Cubbyhole requires that each token keeps what it has to itself.
func TestGoClient_Cubbyhole(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	root := client(t, s, s.Token)
	other := client(t, s, must(root.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}}))(t).Auth.ClientToken)
	write(t, root, "cubbyhole/x", map[string]any{"a": "1"})
	write(t, other, "cubbyhole/x", map[string]any{"a": "2"})
	write(t, other, "cubbyhole/x", map[string]any{"a": "3"})
	for c, want := range map[*api.Client]string{root: "1", other: "3"} {
		if got := must(c.Logical().Read("cubbyhole/x"))(t); got == nil || got.Data["a"] != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

// TestUpgrade_Resumed requires that an upgrade that was broken off is refused to requests, and taken up again.
func TestUpgrade_Resumed(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c := client(t, s, s.Token)
	if err := c.Sys().Mount("older", &api.MountInput{Type: "kv"}); err != nil {
		t.Fatal(err)
	}
	write(t, c, "older/a", map[string]any{"x": "1"})
	err := s.Core.ChangeMounts(t.Context(), func(t *vault.Table, _ storage.Tx) error {
		m := t.Mounts["older/"]
		m.Options, m.Upgrading = map[string]string{"version": "2"}, true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Logical().Read("older/data/a")
	refused(t, err, http.StatusBadRequest, "Upgrading from non-versioned to versioned data.")
	write(t, c, "sys/mounts/older/tune", map[string]any{"description": "not in the way"})
	if err := s.Core.Upgrade(t.Context(), "older/", s.Core.Now()); err != nil {
		t.Fatal(err)
	}
	if got := must(c.KVv2("older").Get(t.Context(), "a"))(t); got.Data["x"] != "1" {
		t.Error("the secret is another")
	}
	if err := s.Core.Upgrade(t.Context(), "older/", s.Core.Now()); err != nil {
		t.Errorf("upgrading what is upgraded: %v", err)
	}
}
