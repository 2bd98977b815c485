package mcp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
)

// bearer sends a token along.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// overHTTP serves on loopback and connects a client.
func overHTTP(t *testing.T, s *mcp.Server, revision string) (*client, string) {
	t.Helper()
	handler, err := s.Handler(mcp.HTTP{Verify: mcp.Only("right-token")})
	check(t, err)
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	x := &transcript{}
	c := sdk.NewClient(&sdk.Implementation{Name: "robot", Version: "7.1"}, nil)
	transport := &sdk.StreamableClientTransport{Endpoint: web.URL + mcp.Path, HTTPClient: &http.Client{Transport: bearer{"right-token"}}}
	session, err := c.Connect(context.WithoutCancel(t.Context()), &sdk.LoggingTransport{Transport: transport, Writer: x}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	check(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return &client{session, x, t}, web.URL
}

func TestHandler(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		h.put(t, "development", "STRIPE_KEY", "sk_live_4242424242")
		s := h.serve(t, nil)
		c, _ := overHTTP(t, s, revision)
		if got := c.InitializeResult().ProtocolVersion; got != revision {
			t.Errorf("the revision is %s, want %s", got, revision)
		}
		c.ok("list_secrets", nil, nil)
		c.ok("switch_environment", map[string]any{"env": "staging"}, nil)
		var st struct{ Env string }
		c.ok("vault_status", nil, &st)
		if st.Env != "staging" {
			t.Errorf("the conversation forgot its environment, it is %s", st.Env)
		}
		holds(t, c.fails("describe_secret", map[string]any{"name": "sk_live_4242424242"}, "not_found"), "[redacted:STRIPE_KEY]")
	})
}

func TestHandler_Refuses(t *testing.T) {
	t.Parallel()
	s := newHome(t).serve(t, nil)
	handler, err := s.Handler(mcp.HTTP{
		URL: "https://vault.example.com/mcp", Issuers: []string{"https://login.example.com"}, Scopes: []string{"secrets"},
		Verify: func(_ context.Context, token string) (mcp.Holder, error) {
			switch token {
			case "good":
				return mcp.Holder{ID: "ada", Scopes: []string{"secrets"}}, nil
			case "narrow":
				return mcp.Holder{ID: "ada"}, nil
			case "old":
				return mcp.Holder{ID: "ada", Scopes: []string{"secrets"}, Expires: time.Unix(1, 0)}, nil
			case "broken":
				return mcp.Holder{}, errors.New("the database of tokens is at 10.0.0.1")
			}
			return mcp.Holder{}, mcp.ErrToken
		},
	})
	check(t, err)
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
	for name, x := range map[string]struct {
		host, token, origin, site string
		want                      int
	}{
		"good":            {"vault.example.com", "good", "", "", 200},
		"own page":        {"vault.example.com", "good", "https://vault.example.com", "same-origin", 200},
		"loopback":        {"127.0.0.1:8200", "good", "", "", 200},
		"no token":        {"vault.example.com", "", "", "", 401},
		"wrong token":     {"vault.example.com", "guess", "", "", 401},
		"old token":       {"vault.example.com", "old", "", "", 401},
		"narrow token":    {"vault.example.com", "narrow", "", "", 403},
		"no answer":       {"vault.example.com", "broken", "", "", 500},
		"rebinding":       {"evil.example.net", "good", "", "", 403},
		"other site":      {"vault.example.com", "good", "https://evil.example.net", "cross-site", 403},
		"null origin":     {"vault.example.com", "good", "null", "", 403},
		"site by browser": {"vault.example.com", "good", "", "cross-site", 403},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://"+x.host+"/mcp", strings.NewReader(initialize))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		for header, value := range map[string]string{"Origin": x.origin, "Sec-Fetch-Site": x.site} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		if x.token != "" {
			r.Header.Set("Authorization", "Bearer "+x.token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != x.want {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, x.want, w.Body)
		}
		if strings.Contains(w.Body.String(), "10.0.0.1") {
			t.Errorf("%s: the cause is told: %s", name, w.Body)
		}
		if x.want == 401 {
			holds(t, w.Header().Get("WWW-Authenticate"), `resource_metadata="https://vault.example.com/.well-known/oauth-protected-resource/mcp"`, `scope="secrets"`)
		}
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://vault.example.com"+path, nil))
		holds(t, w.Body.String(), `"resource":"https://vault.example.com/mcp"`, `"authorization_servers":["https://login.example.com"]`, `"scopes_supported":["secrets"]`)
	}
	if _, err := s.Handler(mcp.HTTP{}); err == nil {
		t.Error("a handler that verifies nothing was made")
	}
	if _, err := s.Handler(mcp.HTTP{Verify: mcp.Only("x"), URL: "no address"}); err == nil {
		t.Error("an address that is none was taken")
	}
}

// A session belongs to who began it.
func TestHandler_Sessions(t *testing.T) {
	t.Parallel()
	s := newHome(t).serve(t, nil)
	handler, err := s.Handler(mcp.HTTP{Verify: func(_ context.Context, token string) (mcp.Holder, error) { return mcp.Holder{ID: token}, nil }})
	check(t, err)
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	post := func(token, session, body string) (status int, id, answer string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+mcp.Path, strings.NewReader(body))
		check(t, err)
		for name, value := range map[string]string{
			"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Session-Id": session,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		res, err := http.DefaultClient.Do(r)
		check(t, err)
		defer func() { _ = res.Body.Close() }()
		all, err := io.ReadAll(res.Body)
		check(t, err)
		return res.StatusCode, res.Header.Get("Mcp-Session-Id"), string(all)
	}
	_, id, _ := post("ada", "", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`)
	if id == "" {
		t.Fatal("there is no session")
	}
	const list = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	if status, _, body := post("ada", id, list); status != 200 || !strings.Contains(body, "zvault_list_secrets") {
		t.Errorf("its own session: %d %s", status, body)
	}
	if status, _, body := post("eve", id, list); status != http.StatusForbidden || strings.Contains(body, "zvault_list_secrets") {
		t.Errorf("another's session: %d %s", status, body)
	}
	if status, _, _ := post("ada", "made-up", list); status != http.StatusNotFound {
		t.Errorf("a session that there is not: %d", status)
	}
}
