// Package tooltest gives a test of a tool the call it runs in: a real platform with secrets, a gate that writes down what
// it was asked and permits or refuses it, and a session that writes down what was revealed. Only tests import it.
package tooltest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
)

// Env is the environment that New's secrets are in, and that is in force.
var Env = platform.Env{Project: "app", Slug: "development"}

// silent is an audit log that forgets: the platform has its own tests of what it records.
type silent struct{}

func (silent) Record(context.Context, audit.Entry) error { return nil }

// New returns a call with the secrets in Env, the default limits, and a gate and a session that remember: see GateOf and
// SessionOf. The vault is of this test alone and holds nothing else.
func New(t testing.TB, secrets map[string]string) *tool.Call {
	t.Helper()
	c := &tool.Call{
		Platform: newPlatform(t),
		Caller: platform.Caller{
			Actor:  audit.Actor{Kind: audit.Person, ID: "ada", Name: "ada"},
			Client: audit.Client{Kind: audit.CLI, Name: "test"}, Owner: true,
		},
		Env: Env, Gate: &Gate{}, Dialer: &egress.Dialer{}, Limits: tool.DefaultLimits(), Dir: t.TempDir(),
	}
	c.Session = &Session{call: c, guarded: map[string]secret.Value{}}
	if _, err := c.Platform.CreateProject(t.Context(), c.Caller, Env.Project, ""); err != nil {
		t.Fatal(err)
	}
	Set(t, c, secrets)
	return c
}

// Set stores secrets in the environment in force; values that are there are replaced.
func Set(t testing.TB, c *tool.Call, secrets map[string]string) {
	t.Helper()
	if len(secrets) == 0 {
		return
	}
	var changes []platform.Change
	for name, text := range secrets {
		v := secret.Of(text)
		changes = append(changes, platform.Change{Name: name, Value: &v})
	}
	if _, err := c.Platform.Apply(t.Context(), c.Caller, c.Env, platform.Batch{Changes: changes}); err != nil {
		t.Fatal(err)
	}
}

func newPlatform(t testing.TB) *platform.Service {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := crypt.GenerateKey(1)
	check(err)
	store := memory.New()
	check(barrier.Initialize(ctx, store, root, nil))
	b := barrier.New(store)
	check(b.Unseal(ctx, root))
	db, err := sqldb.OpenSQLite(ctx, t.TempDir()+"/vault.db", sqldb.Options{})
	check(err)
	tables, err := sqlstore.Open(ctx, db)
	check(err)
	s, err := platform.New(ctx, "local", platform.Options{Store: tables, Keys: b, Audit: silent{}})
	check(err)
	t.Cleanup(func() {
		s.Close()
		b.Seal()
		if err := db.Close(); err != nil {
			t.Errorf("closing the vault: %v", err)
		}
	})
	return s
}

// Run calls a tool of a list by its name. The arguments are what JSON makes of args; so is the result, as the model gets it.
// An error is the tool's own.
func Run(ctx context.Context, t testing.TB, tools []tool.Tool, name string, c *tool.Call, args any) (map[string]any, error) {
	t.Helper()
	for _, x := range tools {
		if x.Name == name {
			return run(ctx, t, x, c, args)
		}
	}
	t.Fatalf("there is no tool %s", name)
	return nil, nil
}

func run(ctx context.Context, t testing.TB, x tool.Tool, c *tool.Call, args any) (map[string]any, error) {
	t.Helper()
	arguments, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, x, true, arguments)
	result, err := x.Run(ctx, c, arguments)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatalf("encoding the result of %s: %v", x.Name, err)
	}
	validate(t, x, false, text)
	out := map[string]any{}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("the result of %s is no object: %v", x.Name, err)
	}
	return out, nil
}

// validate holds arguments or a result against the tool's schema, as the server does.
func validate(t testing.TB, x tool.Tool, input bool, text []byte) {
	t.Helper()
	schema, what := x.Output, "the result"
	if input {
		schema, what = x.Input, "the arguments"
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatalf("the schema of %s of %s: %v", what, x.Name, err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(value); err != nil {
		t.Fatalf("%s of %s do not fit the schema: %v", what, x.Name, err)
	}
}

// Code returns the code of an error of a tool; an error of another type has none.
func Code(err error) string {
	var e *tool.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
