package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// The revisions of the protocol that are tried: the last with sessions, and the first without.
const (
	withSessions = "2025-11-25"
	withoutThem  = "2026-07-28"
)

var ada = platform.Caller{Actor: audit.Actor{Kind: audit.Person, ID: "ada", Name: "ada"}, Client: audit.Client{Kind: audit.CLI, Name: "test"}, Owner: true}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// home is a real vault, which a test can seal.
type home struct {
	*local.Vault
	dir string // the project's directory

	mu   sync.Mutex
	fail error
}

// newHome makes a vault with the project shop.
func newHome(t testing.TB) *home {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	path := filepath.Join(t.TempDir(), "home")
	o := local.Options{Caller: ada}
	check(t, local.Create(ctx, path, keyfile.Provider{Dir: path}, o))
	v, err := local.Open(ctx, path, o)
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	_, err = v.Platform.CreateProject(ctx, ada, "shop", "")
	check(t, err)
	dir := filepath.Join(t.TempDir(), "shop")
	check(t, os.Mkdir(dir, 0o700))
	return &home{Vault: v, dir: dir}
}

// Open implements mcp.Vault.
func (h *home) Open(context.Context) (mcp.Opened, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return mcp.Opened{Platform: h.Platform, Home: inside{h}, Grants: grant.NewStore(h.Barrier, nil), Record: h.Audit}, h.fail
}

func (h *home) failWith(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

// inside is the vault for the tools that look after it.
type inside struct{ *home }

func (h inside) State() tool.State { return tool.State{Path: h.Home, Seal: h.Seal.Type} }

func (h inside) Log(ctx context.Context, f audit.Filter) iter.Seq2[audit.Entry, error] {
	return h.Audit.Query(ctx, f)
}

func (h inside) Lock(ctx context.Context) error {
	h.failWith(local.ErrSealed)
	return h.Vault.Lock(ctx)
}

// put stores a secret as the person does.
func (h *home) put(t testing.TB, env, name, value string) {
	t.Helper()
	v := secret.Of(value)
	_, err := h.Platform.Apply(t.Context(), ada, platform.Env{Project: "shop", Slug: env}, platform.Batch{Changes: []platform.Change{{Name: name, Value: &v}}})
	check(t, err)
}

// value is what the vault has.
func (h *home) value(t testing.TB, env, name string) string {
	t.Helper()
	v, err := h.Platform.Value(t.Context(), ada, platform.Env{Project: "shop", Slug: env}, name, 0)
	check(t, err)
	return string(v.Reveal())
}

// actions lists what the log has of assistants.
func (h *home) entries(t testing.TB, action string) []audit.Entry {
	t.Helper()
	var out []audit.Entry
	for e, err := range h.Audit.Query(t.Context(), audit.Filter{Action: action}) {
		check(t, err)
		out = append(out, e)
	}
	return out
}

// serve makes a server of the vault. change may be nil.
func (h *home) serve(t testing.TB, change func(*mcp.Options)) *mcp.Server {
	t.Helper()
	tools, closeTools, err := mcp.All(func(string) string { return "" })
	check(t, err)
	t.Cleanup(closeTools)
	o := mcp.Options{
		Version: "1.2.3", Tools: tools, Vault: h, Person: ada.Actor, Env: platform.Env{Project: "shop", Slug: "development"}, Dir: h.dir,
		Rate: 10_000, Burst: 10_000,
	}
	if change != nil {
		change(&o)
	}
	s, err := mcp.New(o)
	check(t, err)
	t.Cleanup(s.Close)
	return s
}

// transcript is all that went between a client and a server, as others would store it.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (x *transcript) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.Write(b)
}

func (x *transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.String()
}

// client is a client with its transcript.
type client struct {
	*sdk.ClientSession
	*transcript
	t testing.TB
}

// dial connects a client that speaks a revision. o may be nil.
func dial(t testing.TB, s *mcp.Server, revision string, o *sdk.ClientOptions) *client {
	t.Helper()
	there, here := sdk.NewInMemoryTransports()
	ctx := context.WithoutCancel(t.Context())
	_, err := s.SDK().Connect(ctx, there, nil)
	check(t, err)
	x := &transcript{}
	c := sdk.NewClient(&sdk.Implementation{Name: "robot", Version: "7.1"}, o)
	session, err := c.Connect(ctx, &sdk.LoggingTransport{Transport: here, Writer: x}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	check(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return &client{session, x, t}
}

// call calls a tool, by its name without prefix, and returns its result.
func (c *client) call(name string, arguments map[string]any) *sdk.CallToolResult {
	c.t.Helper()
	r, err := c.CallTool(c.t.Context(), &sdk.CallToolParams{Name: mcp.Prefix + name, Arguments: arguments})
	if err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	return r
}

// ok calls a tool that is to succeed, and decodes what it gives.
func (c *client) ok(name string, arguments map[string]any, into any) {
	c.t.Helper()
	r := c.call(name, arguments)
	if r.IsError {
		c.t.Fatalf("%s: %s", name, text(r))
	}
	raw, err := json.Marshal(r.StructuredContent)
	check(c.t, err)
	if into != nil {
		check(c.t, json.Unmarshal(raw, into))
	}
}

// fails calls a tool that is to fail with a code, and returns what it says.
func (c *client) fails(name string, arguments map[string]any, code string) string {
	c.t.Helper()
	r := c.call(name, arguments)
	if !r.IsError || r.Meta["zvault/code"] != code {
		c.t.Errorf("%s %v: error %v, code %v, want code %q: %s", name, arguments, r.IsError, r.Meta["zvault/code"], code, text(r))
	}
	return text(r)
}

func text(r *sdk.CallToolResult) string {
	var b strings.Builder
	for _, c := range r.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

// holds fails the test if a text lacks any of the words.
func holds(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q lacks %q", text, w)
		}
	}
}

// fixture makes a tool for a test.
func fixture[In, Out any](t testing.TB, d tool.Description, run func(context.Context, *tool.Call, In) (Out, error)) tool.Tool {
	t.Helper()
	if d.Set == "" {
		d.Set = tool.Proxy
	}
	made, err := tool.New(d, run)
	check(t, err)
	return made
}

// withProject serves another project.
func withProject(name string) func(*mcp.Options) {
	return func(o *mcp.Options) { o.Env = platform.Env{Project: name, Slug: "development"} }
}
