package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity/idtoken"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// signer has a key and a role, and asks as somebody.
func signer(t *testing.T, algorithm string) (*logicaltest.Mount, string) {
	t.Helper()
	st, m := mounted(t)
	ann := login(t, st, m, people, "ann")
	m.Token = &logical.Token{EntityID: ann}
	m.Must(t, logical.Update, "oidc/key/k", `{"algorithm":"`+algorithm+`","allowed_client_ids":"app","rotation_period":"2h","verification_ttl":"1h"}`)
	m.Must(t, logical.Update, "oidc/role/r", `{"key":"k","client_id":"app","ttl":"30m"}`)
	return m, ann
}

func signed(t *testing.T, m *logicaltest.Mount) string {
	t.Helper()
	token, _ := m.Must(t, logical.Read, "oidc/token/r", "").Data["token"].(string)
	return token
}

// problem is what introspection says of a token, nothing if it is good.
func problem(t *testing.T, m *logicaltest.Mount, body map[string]string) string {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Active bool
		Error  string
	}
	resp := m.Must(t, logical.Update, "oidc/introspect", string(raw))
	if err := json.Unmarshal(resp.Raw, &answer); err != nil || resp.Status != http.StatusOK || answer.Active != (answer.Error == "") {
		t.Fatalf("%d %s %v", resp.Status, resp.Raw, err)
	}
	return answer.Error
}

func shownKeys(t *testing.T, m *logicaltest.Mount) int {
	t.Helper()
	var answer struct{ Keys []map[string]string }
	resp := m.Must(t, logical.Read, "oidc/.well-known/keys", "")
	if err := json.Unmarshal(resp.Raw, &answer); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(resp.Raw), `"d":`) || resp.Header["Cache-Control"] != "max-age=60" {
		t.Errorf("shown: %v", resp.Header)
	}
	return len(answer.Keys)
}

// TestIDToken_Judged requires that only what was signed here, for now, for the client and for somebody who is there is good.
func TestIDToken_Judged(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"} {
		m, ann := signer(t, algorithm)
		token := signed(t, m)
		parts := strings.Split(token, ".")
		forged := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + ann + `","exp":99999999999,"iss":"/v1/identity/oidc"}`))
		for _, tt := range []struct{ token, client, want string }{
			{token, "", ""},
			{token, "app", ""},
			{token, "other", "audience"},
			{forged, "", "signature"},
			{parts[0] + "." + claims + "." + parts[2], "", "signature"},
			{parts[0] + "." + parts[1] + ".AAAA", "", "signature"},
			{"x", "", "three parts"},
			{"!.!.!", "", "three parts"},
			{"", "", "three parts"},
		} {
			got := problem(t, m, map[string]string{"token": tt.token, "client_id": tt.client})
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", algorithm, got, tt.want)
			}
		}
		m.Must(t, logical.Update, "entity/id/"+ann, `{"disabled":true}`)
		if got := problem(t, m, map[string]string{"token": token}); got != "entity is disabled" {
			t.Errorf("disabled: %q", got)
		}
		m.Must(t, logical.Delete, "entity/id/"+ann, "")
		if got := problem(t, m, map[string]string{"token": token}); got != "entity was not found" {
			t.Errorf("deleted: %q", got)
		}
		if _, err := m.Do(t, logical.Read, "oidc/token/r", ""); !errors.Is(err, logical.ErrPermissionDenied) {
			t.Errorf("signed for nobody: %v", err)
		}
	}
}

func TestIDToken_Expires(t *testing.T) {
	t.Parallel()
	m, _ := signer(t, "ES256")
	token := signed(t, m)
	m.Now = m.Now.Add(30*time.Minute - time.Second)
	if got := problem(t, m, map[string]string{"token": token}); got != "" {
		t.Errorf("before its end: %q", got)
	}
	m.Now = m.Now.Add(time.Second)
	if got := problem(t, m, map[string]string{"token": token}); !strings.Contains(got, "expired") {
		t.Errorf("at its end: %q", got)
	}
}

// TestIDToken_Rotates requires that a pair that has signed is shown for its time, by hand and by the clock, and no longer.
func TestIDToken_Rotates(t *testing.T) {
	t.Parallel()
	m, _ := signer(t, "EdDSA")
	tick := func() {
		t.Helper()
		if err := idtoken.Periodic(t.Context(), &logical.Request{Storage: m.Storage, Time: m.Now}); err != nil {
			t.Fatal(err)
		}
	}
	first := signed(t, m)
	kid := func(token string) string { return strings.Split(token, ".")[0] }
	tick()
	if n := shownKeys(t, m); n != 2 || kid(signed(t, m)) != kid(first) {
		t.Errorf("before its time: %d keys", n)
	}
	m.Must(t, logical.Update, "oidc/key/k/rotate", `{"verification_ttl":"10m"}`)
	second := signed(t, m)
	if n := shownKeys(t, m); n != 3 || kid(second) == kid(first) {
		t.Errorf("rotated: %d keys", n)
	}
	m.Now = m.Now.Add(10 * time.Minute)
	if got := problem(t, m, map[string]string{"token": first}); !strings.Contains(got, "signature") {
		t.Errorf("ten minutes later: %q", got)
	}
	if got := problem(t, m, map[string]string{"token": second}); got != "" {
		t.Errorf("the one after: %q", got)
	}
	tick()
	m.Now = m.Now.Add(2 * time.Hour)
	tick()
	if third := signed(t, m); kid(third) == kid(second) {
		t.Error("not rotated when it was time")
	}
	if n := shownKeys(t, m); n != 3 {
		t.Errorf("%d keys: the one that has signed, the one that does, the one that will", n)
	}
	m.Now = m.Now.Add(time.Hour)
	tick()
	if n := shownKeys(t, m); n != 2 {
		t.Errorf("%d keys when the older one has had its time", n)
	}
	m.Must(t, logical.Update, "oidc/key/k", `{"algorithm":"ES384"}`)
	if n := shownKeys(t, m); n != 3 || problem(t, m, map[string]string{"token": signed(t, m)}) != "" {
		t.Errorf("another algorithm: %d keys", n)
	}
}

func TestIDToken_Template(t *testing.T) {
	t.Parallel()
	m, ann := signer(t, "EdDSA")
	in := made(t, m, "group", `{"name":"in","member_entity_ids":"`+ann+`"}`)
	made(t, m, "group", `{"name":"above","member_group_ids":"`+in+`"}`)
	m.Must(t, logical.Update, "entity/id/"+ann, `{"name":"Ann \"A\"","metadata":{"team":"red"}}`)
	const template = `{"name": {{ identity.entity.name }}, "id":{{identity.entity.id}}, "in":{{identity.entity.groups.names}}, "m":{{identity.entity.metadata}},
		"team":{{identity.entity.metadata.team}}, "none":{{identity.entity.metadata.none}}, "alias":{{identity.entity.aliases.auth_userpass_1.name}},
		"from":{{identity.entity.aliases.auth_userpass_1.metadata.team}}, "other":{{identity.entity.aliases.x.custom_metadata}},
		"now":{{time.now}}, "later":{{time.now.plus.1h}}, "before":{{time.now.minus.1m}}}`
	raw, err := json.Marshal(map[string]string{"template": base64.StdEncoding.EncodeToString([]byte(template))})
	if err != nil {
		t.Fatal(err)
	}
	m.Must(t, logical.Update, "oidc/role/r", string(raw))
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(signed(t, m), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(claims, &got); err != nil {
		t.Fatal(err)
	}
	now := float64(m.Now.Unix())
	for name, v := range map[string]any{
		"name": `Ann "A"`, "id": ann, "sub": ann, "aud": "app", "team": "red", "none": "", "alias": "ann", "from": "a", "now": now, "later": now + 3600,
		"before": now - 60, "iat": now, "exp": now + 1800, "namespace": "root", "iss": "/v1/identity/oidc",
	} {
		if got[name] != v {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
	if list, _ := got["in"].([]any); len(list) != 2 || list[0] != "in" || list[1] != "above" {
		t.Errorf("groups %v", got["in"])
	}
}

func TestIDToken_Refused(t *testing.T) {
	t.Parallel()
	m, _ := signer(t, "EdDSA")
	for _, tt := range []struct{ path, body, text string }{
		{"oidc/key/x", `{"algorithm":"none"}`, `unknown signing algorithm "none"`},
		{"oidc/key/x", `{"rotation_period":"59s"}`, "rotation_period must be at least one minute"},
		{"oidc/key/x", `{"rotation_period":"1h","verification_ttl":"11h"}`, "verification_ttl cannot be longer than 10x rotation_period"},
		{"oidc/key/k", `{"verification_ttl":"29m"}`, "referenced by one or more roles with a token ttl greater than 1740 seconds"},
		{"oidc/key/none/rotate", ``, `no named key found at "none"`},
		{"oidc/role/x", ``, "the key parameter is required"},
		{"oidc/role/x", `{"key":"none"}`, `cannot find key "none"`},
		{"oidc/role/x", `{"key":"k","ttl":"61m"}`, "cannot be longer than the verification_ttl"},
		{"oidc/role/x", `{"key":"k","ttl":"1m","template":"{"}`, "error parsing template JSON"},
		{"oidc/role/x", `{"key":"k","ttl":"1m","template":"{\"a\":{{time.now}"}`, "error parsing template: unbalanced"},
		{"oidc/role/x", `{"key":"k","ttl":"1m","template":"{\"a\":{{x.y}}}"}`, "error parsing template: no value"},
		{"oidc/role/x", `{"key":"k","ttl":"1m","template":"{\"sub\":1}"}`, `top level key "sub" not allowed`},
		{"oidc/config", `{"issuer":"https://a.b/c"}`, "invalid issuer"},
		{"oidc/config", `{"issuer":"ftp://a.b"}`, "invalid issuer"},
	} {
		m.Refused(t, logical.Update, tt.path, tt.body, http.StatusBadRequest, tt.text)
	}
	m.Refused(t, logical.Delete, "oidc/key/k", "", http.StatusBadRequest, "referenced by these roles: r")
	m.Refused(t, logical.Delete, "oidc/key/default", "", http.StatusBadRequest, "not allowed")
	m.Refused(t, logical.Read, "oidc/token/none", "", http.StatusBadRequest, `role "none" not found`)
	m.Must(t, logical.Update, "oidc/key/k", `{"allowed_client_ids":"other"}`)
	m.Refused(t, logical.Read, "oidc/token/r", "", http.StatusBadRequest, "does not list the client ID")
	m.Must(t, logical.Update, "oidc/key/k", `{"allowed_client_ids":"*"}`)
	m.Token = &logical.Token{}
	m.Refused(t, logical.Read, "oidc/token/r", "", http.StatusBadRequest, "no entity associated")
	if m.Must(t, logical.Read, "oidc/key/default", "").Data["algorithm"] != "RS256" {
		t.Error("no default key")
	}
	m.Must(t, logical.Delete, "oidc/role/r", "")
	m.Must(t, logical.Delete, "oidc/key/k", "")
}
