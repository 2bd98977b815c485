package grant_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
)

// clock is a clock that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// log is an audit log in memory, which can be made to fail.
type log struct {
	mu      sync.Mutex
	entries []audit.Entry
	fail    error
}

func (l *log) Record(_ context.Context, e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	if err := e.Validate(); err != nil {
		return err
	}
	l.entries = append(l.entries, e)
	return nil
}

func (l *log) actions() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.entries {
		all = append(all, strings.TrimPrefix(e.Action, "grant.")+":"+string(e.Outcome))
	}
	return strings.Join(all, " ")
}

// place is a store with all that is around it.
type place struct {
	t       *testing.T
	store   *grant.Store
	backend storage.Backend
	clock   *clock
	log     *log
}

func newPlace(t *testing.T) *place {
	t.Helper()
	c := &clock{now: noon}
	b := memory.New()
	t.Cleanup(func() { _ = b.Close() })
	return &place{t, grant.NewStore(b, c.Now), b, c, &log{}}
}

func (p *place) person() grant.Approver {
	return grant.Approver{
		Store: p.store, Record: p.log, Actor: audit.Actor{Kind: audit.Person, ID: "alice", Name: "alice"}, Client: audit.Client{Kind: audit.CLI, Name: "zvault"},
	}
}

// begin begins a session of a client.
func (p *place) begin(client string) grant.Asker {
	p.t.Helper()
	a := grant.Asker{Person: "alice", Client: client, Version: "1.0", Face: audit.MCP, PID: 7}
	var err error
	if a.Session, err = p.store.Begin(p.t.Context(), a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// gate is a gate that does not wait.
func (p *place) gate(a grant.Asker) grant.Gate {
	return grant.NewGate(p.store, a, p.log, grant.GateOptions{})
}

func charge() grant.Use {
	return grant.Use{
		Project: "shop", Env: "development", Secrets: []string{"STRIPE_KEY"}, Tool: "http_request", Scheme: "https", Host: "api.stripe.com", Port: 443,
		Method: "POST", Path: "/v1/charges", In: map[string]string{"STRIPE_KEY": "header:authorization"}, Body: grant.BodyHash([]byte("amount=1")),
	}
}

// asked tries a use that is to be asked about, and returns the request.
func (p *place) asked(g grant.Gate, u grant.Use) grant.Request {
	p.t.Helper()
	err := g.Authorize(p.t.Context(), u)
	var denied *grant.DeniedError
	if !errors.As(err, &denied) || denied.Pending == "" {
		p.t.Fatalf("got %v, want a pending request", err)
	}
	r, err := p.store.Request(p.t.Context(), strings.ToUpper(denied.Pending))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *place) answer(r grant.Request, a grant.Answer) {
	p.t.Helper()
	if err := p.person().Answer(p.t.Context(), r, a); err != nil {
		p.t.Fatal(err)
	}
}

// denied wants a refusal without a pending request, for a reason.
func (p *place) denied(g grant.Gate, u grant.Use, reason string) {
	p.t.Helper()
	err := g.Authorize(p.t.Context(), u)
	var denied *grant.DeniedError
	if !errors.As(err, &denied) || denied.Pending != "" || !strings.Contains(denied.Reason, reason) {
		p.t.Fatalf("got %v, want a refusal with %q", err, reason)
	}
}

func (p *place) allowed(g grant.Gate, u grant.Use) {
	p.t.Helper()
	if err := g.Authorize(p.t.Context(), u); err != nil {
		p.t.Fatalf("refused: %v", err)
	}
}

func TestStore_Flood(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	for i := range grant.MaxPending {
		u := charge()
		u.Path = fmt.Sprint("/v1/charges/", i)
		p.asked(g, u)
		if first, again := p.asked(g, u), p.asked(g, u); first.ID != again.ID {
			t.Fatal("the same use made two requests")
		}
	}
	u := charge()
	p.denied(g, u, "too many requests")
	if pending, err := p.store.Pending(t.Context()); err != nil || len(pending) != grant.MaxPending {
		t.Fatalf("%d pending: %v", len(pending), err)
	}
	p.asked(p.gate(p.begin("cursor")), u) // another conversation has its own
	p.clock.turn(grant.RequestLife)
	if pending, err := p.store.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Errorf("%d pending after their time: %v", len(pending), err)
	}
	p.asked(g, u)
	if entries, err := p.backend.Scan(t.Context(), "grants/request/", "", 0); err != nil || len(entries) != 1 {
		t.Errorf("%d requests are stored after a sweep: %v", len(entries), err)
	}
}

func TestStore_Sessions(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.begin("claude")
	revoked := func(session, client string) bool {
		t.Helper()
		r, err := p.store.Revoked(t.Context(), session, client)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if revoked(a.Session, "claude") || !revoked(a.Session, "cursor") || !revoked("nonsense", "claude") || !revoked("", "claude") {
		t.Error("a session is taken for another")
	}
	r := p.asked(p.gate(a), charge())
	if err := p.store.End(t.Context(), a.Session); err != nil {
		t.Fatal(err)
	}
	if !revoked(a.Session, "claude") {
		t.Error("an ended session goes on")
	}
	if err := p.person().Answer(t.Context(), r, grant.Once); !errors.Is(err, grant.ErrNoRequest) {
		t.Errorf("answering for an ended session: %v", err)
	}
	p.denied(p.gate(a), charge(), "revoked this session, or it has ended")
	b := p.begin("claude")
	p.clock.turn(grant.SessionLife)
	if !revoked(b.Session, "claude") {
		t.Error("a session lasts for ever")
	}
	p.begin("claude")
	if all, err := p.store.Sessions(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d sessions are remembered: %v", len(all), err)
	}
}

func TestStore_Rules(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ctx, person := t.Context(), p.person()
	rule := grant.Rule{Hosts: []string{"api.stripe.com"}, Expires: noon.Add(time.Hour)}
	for _, project := range []string{"shop", "shop/a", "sh"} {
		if err := person.Allow(ctx, project, "STRIPE_KEY", rule); err != nil {
			t.Fatal(err)
		}
	}
	rule.Expires = noon.Add(2 * time.Hour)
	if err := person.Allow(ctx, "shop", "STRIPE_KEY", rule); err != nil {
		t.Fatal(err)
	}
	rules, err := p.store.Rules(ctx, "shop")
	if err != nil || len(rules) != 1 || len(rules["STRIPE_KEY"]) != 1 || !rules["STRIPE_KEY"][0].Expires.Equal(noon.Add(2*time.Hour)) || rules["STRIPE_KEY"][0].By != "alice" {
		t.Fatalf("%+v: %v, want one rule with the later end", rules, err)
	}
	if err := person.Remove(ctx, "shop", "STRIPE_KEY", "nonsense"); !errors.Is(err, grant.ErrNoRule) {
		t.Errorf("removing what is not there: %v", err)
	}
	if err := person.Remove(ctx, "shop", "STRIPE_KEY", rule.ID()); err != nil {
		t.Fatal(err)
	}
	if rules, err := p.store.Rules(ctx, "shop"); err != nil || len(rules) != 0 {
		t.Errorf("after removing: %+v, %v", rules, err)
	}
	p.clock.turn(2 * time.Hour)
	if rules, err := p.store.Rules(ctx, "sh"); err != nil || len(rules) != 0 {
		t.Errorf("after their end: %+v, %v", rules, err)
	}
	if got := p.log.actions(); got != "rule:ok rule:ok rule:ok rule:ok remove:ok remove:ok" {
		t.Errorf("recorded: %s", got)
	}
}

func TestStore_TooManyRules(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for i := range grant.MaxRules {
		if err := p.person().Allow(t.Context(), "shop", "A", grant.Rule{Hosts: []string{fmt.Sprint("h", i, ".example.com")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.person().Allow(t.Context(), "shop", "A", grant.Rule{Hosts: []string{"more.example.com"}}); err == nil {
		t.Error("a secret may have rules without end")
	}
}

func TestApprover_Revoke(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		who           func(claude, cursor grant.Asker) string
		claude, other bool // still permitted
		want          grant.Ended
	}{
		{"a session", func(a, _ grant.Asker) string { return a.Session }, false, true, grant.Ended{Sessions: 1, Rules: 2}},
		{"a client", func(_, _ grant.Asker) string { return "claude" }, false, true, grant.Ended{Sessions: 1, Rules: 2}},
		{"all", func(_, _ grant.Asker) string { return "" }, false, false, grant.Ended{Sessions: 2, Rules: 4}},
		{"nobody", func(_, _ grant.Asker) string { return "zed" }, true, true, grant.Ended{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			written := grant.Rule{Tools: []string{"query_database"}}
			if err := p.person().Allow(t.Context(), "shop", "DB", written); err != nil {
				t.Fatal(err)
			}
			var askers []grant.Asker
			for _, name := range []string{"claude", "cursor"} {
				a := p.begin(name)
				askers = append(askers, a)
				u := charge()
				p.answer(p.asked(p.gate(a), u), grant.Always)
				u.Path = "/v1/refunds"
				p.answer(p.asked(p.gate(a), u), grant.Conversation)
				p.allowed(p.gate(a), u)
			}
			got, err := p.person().Revoke(t.Context(), c.who(askers[0], askers[1]))
			if err != nil || got != c.want {
				t.Fatalf("%+v, %v; want %+v", got, err, c.want)
			}
			for i, still := range []bool{c.claude, c.other} {
				gone, err := p.store.Revoked(t.Context(), askers[i].Session, askers[i].Client)
				if err != nil || gone == still {
					t.Errorf("%s is revoked: %v, %v", askers[i].Client, gone, err)
				}
				if !still {
					p.denied(p.gate(askers[i]), charge(), "revoked this session")
					p.asked(p.gate(p.begin(askers[i].Client)), charge()) // what was for always is gone for new sessions too
				} else {
					p.allowed(p.gate(askers[i]), charge())
				}
			}
			if rules, err := p.store.Rules(t.Context(), "shop"); err != nil || len(rules["DB"]) != 1 {
				t.Errorf("the written rule: %+v, %v", rules, err)
			}
		})
	}
}

// sealed is a barrier on a SQLite file, as the vault has it.
func sealed(t *testing.T, file string, root *crypt.Key) (*barrier.Barrier, storage.Backend) {
	t.Helper()
	db, err := sqldb.OpenSQLite(t.Context(), file, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	under, err := sqlite.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if err := barrier.Initialize(t.Context(), under, root, nil); err != nil && !errors.Is(err, barrier.ErrInitialized) {
		t.Fatal(err)
	}
	b := barrier.New(under)
	if err := b.Unseal(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(b.Close(), db.Close()) })
	return b, under
}

// Whoever can write the vault's file can spoil what is there, and gets no permission by it: no entry of their own, no entry of
// another vault, and none put in another's place.
func TestStore_Forged(t *testing.T) {
	t.Parallel()
	root, err := crypt.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	b, under := sealed(t, filepath.Join(t.TempDir(), "vault.db"), root)
	p := &place{t, grant.NewStore(b, func() time.Time { return noon }), b, &clock{now: noon}, &log{}}
	ctx := t.Context()
	a := p.begin("claude")
	if err := p.person().Allow(ctx, "shop", "DB", grant.Rule{Tools: []string{"http_request"}}); err != nil {
		t.Fatal(err)
	}
	if err := p.person().Allow(ctx, "shop", "STRIPE_KEY", grant.Rule{Hosts: []string{"nowhere.example"}}); err != nil {
		t.Fatal(err)
	}
	p.denied(p.gate(a), charge(), "do not permit")
	before, err := under.Scan(ctx, "x/", "", 0)
	if err != nil || len(before) < 3 {
		t.Fatalf("%d entries: %v", len(before), err)
	}
	put := func(key string, value []byte) {
		t.Helper()
		if err := under.Update(ctx, func(tx storage.Tx) error { return tx.Put(ctx, key, value) }); err != nil {
			t.Fatal(err)
		}
	}
	tried := 0
	for _, target := range before {
		for _, source := range before {
			if source.Key == target.Key {
				continue
			}
			put(target.Key, source.Value) // the wide rule of DB, in the place of each other entry
			if err := p.gate(a).Authorize(ctx, charge()); err == nil {
				t.Errorf("an entry put in another's place gives permission")
			}
			tried++
		}
		put(target.Key, []byte(`[{"tools":["http_request"]}]`))
		if err := p.gate(a).Authorize(ctx, charge()); err == nil {
			t.Error("an entry in clear gives permission")
		}
		put(target.Key, target.Value)
	}
	p.denied(p.gate(a), charge(), "do not permit")
	if tried < 6 {
		t.Fatalf("only %d exchanges tried", tried)
	}
	for _, e := range before {
		if strings.Contains(string(e.Value)+e.Key, "stripe") || strings.Contains(string(e.Value)+e.Key, "STRIPE_KEY") {
			t.Error("a rule can be read from the file")
		}
	}
}

// Entries that are not as this package writes them are errors, on a backend without a barrier too.
func TestStore_Damaged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value string }{
		{"grants/rule/shop/STRIPE_KEY", `{}`},
		{"grants/rule/shop/STRIPE_KEY", `[{"tools":["http_request"],"only_on_sundays":true}]`},
		{"grants/rule/shop/STRIPE_KEY", `[{"tools":["http_request"]}] x`},
		{"grants/request/aaaa", `{"id":"bbbb"}`},
		{"grants/request/aaaa", `{"id":"aaaa","nonce":"n","digest":"d","asker":{"person":"a","client":"c","face":"mcp","session":"s"},"use":{}}`},
	} {
		p := newPlace(t)
		a := p.begin("claude")
		if err := p.backend.Update(t.Context(), func(tx storage.Tx) error { return tx.Put(t.Context(), c.key, []byte(c.value)) }); err != nil {
			t.Fatal(err)
		}
		if err := p.gate(a).Authorize(t.Context(), charge()); !errors.Is(err, grant.ErrDamaged) {
			t.Errorf("%s = %s: %v, want ErrDamaged", c.key, c.value, err)
		}
	}
}
