package mcp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// permitting lets everything pass and remembers it.
type permitting struct{ uses chan grant.Use }

func (p permitting) Authorize(_ context.Context, u grant.Use) error {
	p.uses <- u
	return nil
}

func TestAdmin_Snapshot(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(t, "development", "ZVAULT_BACKUP_PASSPHRASE", "correct horse battery")
	c := dial(t, h.serve(t, nil), withSessions, nil)
	c.fails("snapshot", map[string]any{"file": "../vault.backup"}, "invalid")
	c.fails("snapshot", map[string]any{"file": "x", "passphrase_secret": "no good"}, "invalid")
	holds(t, c.fails("snapshot", map[string]any{"file": "x", "passphrase_secret": "NOT_SET"}, "needs_person"), "zvault secret set NOT_SET")
	var got struct{ Bytes int64 }
	c.ok("snapshot", map[string]any{"file": "vault.backup"}, &got)
	c.fails("snapshot", map[string]any{"file": "vault.backup"}, "exists")
	f, err := os.Open(filepath.Join(h.dir, "vault.backup"))
	check(t, err)
	defer func() { check(t, f.Close()) }()
	info, err := f.Stat()
	check(t, err)
	if info.Size() != got.Bytes || info.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes of mode %v, said %d", info.Size(), info.Mode(), got.Bytes)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	check(t, local.Restore(t.Context(), f, dir, []byte("correct horse battery"), keyfile.Provider{Dir: dir}, local.Options{Caller: ada}))
	if strings.Contains(c.String(), "correct horse") {
		t.Error("the transcript holds the passphrase")
	}
}

func TestAdmin_Audit(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(t, "development", "KEY", "value-of-the-key")
	c := dial(t, h.serve(t, nil), withSessions, nil)
	c.ok("delete_secret", map[string]any{"name": "KEY"}, nil)
	var got struct {
		Entries []struct{ Actor, Kind, Client, Action, Reason string }
		More    bool
	}
	c.ok("audit_query", map[string]any{"action": "tool.call", "since": "1h"}, &got)
	if len(got.Entries) != 2 || got.Entries[1].Kind != "assistant" || got.Entries[1].Client != "robot 7.1" || got.Entries[1].Reason != "tool delete_secret" {
		t.Errorf("%+v", got)
	}
	c.ok("audit_query", map[string]any{"limit": 1, "name": "KEY"}, &got)
	if len(got.Entries) != 1 || !got.More {
		t.Errorf("%+v", got)
	}
	c.fails("audit_query", map[string]any{"since": "yesterday"}, "invalid")
	c.fails("audit_query", map[string]any{"outcome": "good"}, "invalid")
	c.fails("seal", map[string]any{"confirm": false}, "invalid")
}

func TestAdmin_Policy(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	opened, err := h.Open(t.Context())
	check(t, err)
	person := grant.Approver{Store: opened.Grants, Record: opened.Record, Actor: ada.Actor, Client: ada.Client}
	check(t, person.Allow(t.Context(), "shop", "STRIPE_KEY", grant.Rule{Tools: []string{"http_request"}, Hosts: []string{"api.stripe.com"}}))
	c := dial(t, h.serve(t, nil), withoutThem, nil)
	var got struct {
		Rules []struct {
			Secret string
			Rules  []grant.Rule
		}
		Decision struct {
			Allowed bool
			Reason  string
		}
	}
	c.ok("policy_check", map[string]any{
		"secrets": []string{"STRIPE_KEY", "OTHER"}, "policy": `path "secret/data/app" { capabilities = ["read"] }`, "path": "secret/data/app", "capability": "update",
	}, &got)
	if len(got.Rules) != 2 || len(got.Rules[0].Rules) != 1 || got.Rules[0].Rules[0].Hosts[0] != "api.stripe.com" || len(got.Rules[1].Rules) != 0 || got.Decision.Allowed || got.Decision.Reason == "" {
		t.Errorf("%+v", got)
	}
	c.ok("policy_check", map[string]any{"policy": `path "secret/data/app" { capabilities = ["read"] }`, "path": "secret/data/app"}, &got)
	if !got.Decision.Allowed {
		t.Errorf("%+v", got)
	}
	for _, bad := range []map[string]any{{}, {"policy": "x"}, {"policy": "path {", "path": "a"}, {"policy": "", "path": "a"}, {"policy": `path "a" {}`, "path": "a", "capability": "fly"}} {
		c.fails("policy_check", bad, "invalid")
	}
}

func TestAdmin_Webhook(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	key := []byte("a-key-for-signing-webhooks")
	h.put(t, "development", "HOOK", "whsec_"+base64.StdEncoding.EncodeToString(key))
	signed := make(chan bool, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "https://evil.example.net/", http.StatusTemporaryRedirect)
			return
		}
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(r.Header.Get("Webhook-Id") + "." + r.Header.Get("Webhook-Timestamp") + "." + string(body)))
		signed <- r.Header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
		_, _ = io.WriteString(w, "your key is whsec_"+base64.StdEncoding.EncodeToString(key)+strings.Repeat("x", 20_000))
	}))
	t.Cleanup(hook.Close)
	gate := permitting{make(chan grant.Use, 4)}
	c := dial(t, h.serve(t, func(o *mcp.Options) { o.Gate = gate }), withSessions, nil)
	r := c.call("webhook_test", map[string]any{"url": hook.URL + "/in", "secret": "HOOK"})
	if r.IsError || !<-signed || r.Meta["zvault/untrusted"] != true {
		t.Errorf("not sent, or not signed, or not marked: %.300s", text(r))
	}
	holds(t, text(r), "[redacted:HOOK]", `"truncated":true`)
	if u := <-gate.uses; u.Host != "127.0.0.1" || u.Method != "POST" || u.Path != "/in" || u.Body == "" || u.In["HOOK"] == "" {
		t.Errorf("the gate was asked about %+v", u)
	}
	var got struct{ Status int }
	c.ok("webhook_test", map[string]any{"url": hook.URL + "/away", "secret": "HOOK"}, &got)
	if got.Status != http.StatusTemporaryRedirect {
		t.Errorf("status %d: a redirect was followed", got.Status)
	}
	for _, url := range []string{"http://example.com/", "ftp://127.0.0.1/", "https://u:p@example.com/", "nothing", ""} {
		c.fails("webhook_test", map[string]any{"url": url, "secret": "HOOK"}, "invalid")
	}
	c.fails("webhook_test", map[string]any{"url": "https://169.254.169.254/latest", "secret": "HOOK"}, "denied")
	refused := dial(t, h.serve(t, func(o *mcp.Options) { o.Gate = denying{} }), withSessions, nil)
	refused.fails("webhook_test", map[string]any{"url": hook.URL, "secret": "HOOK"}, "denied")
}

// Tokens and leases of a real server: the token is in the vault, and nowhere in the transcript.
func TestAdmin_Server(t *testing.T) {
	t.Parallel()
	remote := servertest.Start(t)
	env := map[string]string{"VAULT_ADDR": remote.URL, "VAULT_TOKEN": remote.Token}
	h := newHome(t)
	s := h.serve(t, func(o *mcp.Options) {
		o.Getenv = func(name string) string { return env[name] }
		tools, closeTools, err := mcp.All(o.Getenv)
		check(t, err)
		t.Cleanup(closeTools)
		o.Tools = tools
	})
	c := dial(t, s, withoutThem, nil)
	var got struct{ Address, Accessor string }
	c.ok("token_create", map[string]any{"name": "CI_TOKEN", "policies": []string{"default"}, "ttl": "1h"}, &got)
	token := h.value(t, "development", "CI_TOKEN")
	holder, err := remote.Holder(t.Context(), token)
	if err != nil || holder.Accessor != got.Accessor || !strings.HasPrefix(got.Address, "zvault://shop/CI_TOKEN") {
		t.Errorf("%+v, %+v, %v", got, holder, err)
	}
	c.fails("token_create", map[string]any{"name": "CI_TOKEN", "policies": []string{"default"}}, "exists")
	c.fails("token_create", map[string]any{"name": "OTHER", "policies": []string{}}, "invalid")
	c.ok("lease_list", nil, nil)
	c.fails("lease_revoke", map[string]any{"id": "auth/"}, "invalid")
	c.ok("lease_revoke", map[string]any{"id": "nothing/like/it"}, nil) // as the server has it: what is not there is revoked
	if strings.Contains(c.String(), token) || strings.Contains(c.String(), remote.Token) {
		t.Error("the transcript holds a token")
	}
	env["VAULT_TOKEN"] = "made-up"
	c.fails("lease_list", nil, "denied")
}
