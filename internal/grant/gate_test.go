package grant_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

func TestGate_Once(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.begin("claude")
	g := p.gate(a)
	r := p.asked(g, charge())
	p.asked(p.gate(p.begin("cursor")), charge())
	p.answer(r, grant.Once)
	for name, change := range changes() { // of the approved use, nothing may differ
		u := charge()
		change(&u)
		if err := g.Authorize(t.Context(), u); err == nil {
			t.Errorf("an approval for another %s was used", name)
		}
		pending, err := p.store.Pending(t.Context())
		if err != nil || len(pending) != 2 {
			t.Fatalf("%d pending: %v", len(pending), err)
		}
		p.answer(pending[1], grant.Deny) // or there would be too many
	}
	p.allowed(g, charge())
	if again := p.asked(g, charge()); again.ID == r.ID {
		t.Error("one approval was used twice")
	}
	if err := p.person().Answer(t.Context(), r, grant.Once); !errors.Is(err, grant.ErrAnswered) {
		t.Errorf("answering again: %v", err)
	}
}

func TestGate_AnswerOfAnotherSession(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	claude, cursor := p.begin("claude"), p.begin("claude")
	p.answer(p.asked(p.gate(claude), charge()), grant.Once)
	p.asked(p.gate(cursor), charge())
	p.allowed(p.gate(claude), charge())
}

func TestGate_OnceEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	r := p.asked(g, charge())
	p.answer(r, grant.Once)
	p.clock.turn(grant.SpendLife)
	if again := p.asked(g, charge()); again.ID == r.ID {
		t.Error("an approval that has ended was found again")
	}
	late := p.asked(g, charge())
	p.clock.turn(grant.RequestLife)
	if err := p.person().Answer(t.Context(), late, grant.Once); !errors.Is(err, grant.ErrNoRequest) {
		t.Errorf("answering too late: %v", err)
	}
}

func TestGate_Conversation(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.begin("claude")
	g := p.gate(a)
	p.answer(p.asked(g, charge()), grant.Conversation)
	u := charge()
	u.Body = grant.BodyHash([]byte("amount=2"))
	for range 3 {
		p.allowed(g, u)
	}
	u.Host = "evil.example"
	p.asked(g, u)
	p.asked(p.gate(p.begin("claude")), charge()) // another conversation of the same client
	p.clock.turn(grant.ConversationLife)
	p.asked(g, charge())
}

func TestGate_Always(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.answer(p.asked(p.gate(p.begin("claude")), charge()), grant.Always)
	next := p.begin("claude")
	p.allowed(p.gate(next), charge())
	p.asked(p.gate(p.begin("cursor")), charge()) // it was for one client
	production := charge()
	production.Env = "production"
	p.asked(p.gate(next), production)
}

func TestGate_Deny(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	p.answer(p.asked(g, charge()), grant.Deny)
	p.denied(g, charge(), "the person refused")
	p.denied(g, charge(), "the person refused") // nobody is asked again
	if pending, err := p.store.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Errorf("%d pending: %v", len(pending), err)
	}
	want := "ask:ok deny:denied approve:denied deny:denied deny:denied"
	if got := p.log.actions(); got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
}

// A rule that wants each use approved cannot be answered for longer, and ends what was.
func TestGate_EachApproved(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	p.answer(p.asked(g, charge()), grant.Conversation)
	other := charge()
	other.Path = "/v1/refunds"
	p.answer(p.asked(g, other), grant.Always)
	p.allowed(g, charge())
	if err := p.person().Allow(t.Context(), "shop", "STRIPE_KEY", grant.Rule{Hosts: []string{"api.stripe.com"}, Approve: true}); err != nil {
		t.Fatal(err)
	}
	p.asked(g, other)
	third := charge()
	third.Path = "/v1/payouts"
	r := p.asked(g, third)
	if got := r.Answers(); !slices.Equal(got, []grant.Answer{grant.Once, grant.Deny}) {
		t.Errorf("the answers are %v", got)
	}
	if err := p.person().Answer(t.Context(), r, grant.Always); !errors.Is(err, grant.ErrOnlyOnce) {
		t.Errorf("answering always: %v", err)
	}
	p.answer(r, grant.Once)
	p.allowed(g, third)
	p.asked(g, third)
}

// A request that waits follows the rules, and what was shown before cannot be answered then.
func TestGate_RulesChangeMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	shown := p.asked(g, charge())
	each := grant.Rule{Hosts: []string{"api.stripe.com"}, Approve: true}
	if err := p.person().Allow(t.Context(), "shop", "STRIPE_KEY", each); err != nil {
		t.Fatal(err)
	}
	if again := p.asked(g, charge()); again.ID != shown.ID || !again.Each {
		t.Errorf("the request is %+v", again)
	}
	if err := p.person().Answer(t.Context(), shown, grant.Always); !errors.Is(err, grant.ErrNoRequest) {
		t.Errorf("answering what was shown before: %v", err)
	}
	if err := p.person().Remove(t.Context(), "shop", "STRIPE_KEY", each.ID()); err != nil {
		t.Fatal(err)
	}
	p.answer(p.asked(g, charge()), grant.Always)
	p.allowed(g, charge())
}

// A use that no rule can stand for can be approved once.
func TestGate_OnlyOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.gate(p.begin("claude"))
	u := charge()
	u.Path = "/v1/%2e%2e/charges"
	r := p.asked(g, u)
	if err := p.person().Answer(t.Context(), r, grant.Conversation); !errors.Is(err, grant.ErrOnlyOnce) {
		t.Errorf("answering conversation: %v", err)
	}
	p.answer(r, grant.Once)
	p.allowed(g, u)
}

func TestGate_Max(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := p.person().Allow(t.Context(), "shop", "STRIPE_KEY", grant.Rule{Hosts: []string{"api.stripe.com"}, Max: 5}); err != nil {
		t.Fatal(err)
	}
	a := p.begin("claude")
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := p.gate(a).Authorize(context.Background(), charge()); err == nil {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 5 {
		t.Errorf("%d uses passed, want 5", passed.Load())
	}
	p.allowed(p.gate(p.begin("claude")), charge()) // another conversation has its own count
}

// The log comes first: where it cannot be written, nothing is permitted, asked or changed.
func TestGate_AuditFails(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	broken := errors.New("disk full")
	g := p.gate(p.begin("claude"))
	pending := p.asked(g, charge())
	if err := p.person().Allow(t.Context(), "shop", "DB", grant.Rule{Tools: []string{"query_database"}}); err != nil {
		t.Fatal(err)
	}
	p.log.fail = broken
	query := grant.Use{Project: "shop", Env: "development", Secrets: []string{"DB"}, Tool: "query_database"}
	if err := g.Authorize(t.Context(), query); !errors.Is(err, broken) {
		t.Errorf("a permitted use: %v", err)
	}
	query.Tool = "run_command"
	if err := g.Authorize(t.Context(), query); !errors.Is(err, broken) {
		t.Errorf("a use that is not permitted: %v", err)
	}
	other := charge()
	other.Path = "/v1/refunds"
	if err := g.Authorize(t.Context(), other); !errors.Is(err, broken) {
		t.Errorf("a use to ask about: %v", err)
	}
	if err := p.person().Answer(t.Context(), pending, grant.Always); !errors.Is(err, broken) {
		t.Errorf("an answer: %v", err)
	}
	if err := p.person().Allow(t.Context(), "shop", "X", grant.Rule{Tools: []string{"shield"}}); !errors.Is(err, broken) {
		t.Errorf("a rule: %v", err)
	}
	if _, err := p.person().Revoke(t.Context(), ""); !errors.Is(err, broken) {
		t.Errorf("revoking: %v", err)
	}
	p.log.fail = nil
	if all, err := p.store.Pending(t.Context()); err != nil || len(all) != 1 || all[0].ID != pending.ID {
		t.Errorf("pending afterwards: %+v, %v", all, err)
	}
	if rules, err := p.store.Rules(t.Context(), "shop"); err != nil || len(rules) != 1 {
		t.Errorf("rules afterwards: %+v, %v", rules, err)
	}
}

func TestGate_Recorded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.begin("claude")
	r := p.asked(p.gate(a), charge())
	p.answer(r, grant.Once)
	p.allowed(p.gate(a), charge())
	if got, want := p.log.actions(), "ask:ok deny:denied approve:ok allow:ok"; got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
	for _, e := range p.log.entries {
		if e.Project != "shop" || e.Environment != "development" || !slices.Equal(e.Keys, []string{"STRIPE_KEY"}) || e.Request != a.Session ||
			e.Digests["use"] != "sha256:"+charge().Digest() || !strings.HasPrefix(e.Reason, "tool=http_request host=api.stripe.com:443 POST /v1/charges") {
			t.Errorf("%s says too little: %+v", e.Action, e)
		}
		if e.Action == grant.ActApprove {
			if e.Actor.Kind != audit.Person || e.Actor.Name != "alice" || e.Client.Name != "zvault" {
				t.Errorf("%s is by %+v", e.Action, e.Actor)
			}
		} else if e.Actor.Kind != audit.Assistant || e.Actor.Name != "alice" || e.Client != (audit.Client{Kind: audit.MCP, Name: "claude", Version: "1.0", PID: 7}) {
			t.Errorf("%s is by %+v with %+v", e.Action, e.Actor, e.Client)
		}
	}
}

// A gate with patience: ticks come from the test, and so does the time.
func (p *place) patient(a grant.Asker, notified chan grant.Request) (grant.Gate, chan time.Time) {
	ticks := make(chan time.Time)
	return grant.NewGate(p.store, a, p.log, grant.GateOptions{
		Patience: time.Minute,
		Notify:   func(_ context.Context, r grant.Request) { notified <- r },
		Tick:     func() (<-chan time.Time, func()) { return ticks, func() {} },
	}), ticks
}

func TestGate_Waits(t *testing.T) {
	t.Parallel()
	for _, answer := range []grant.Answer{grant.Once, grant.Conversation, grant.Always, grant.Deny} {
		t.Run(string(answer), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			notified := make(chan grant.Request, 1)
			g, ticks := p.patient(p.begin("claude"), notified)
			result := make(chan error)
			go func() { result <- g.Authorize(context.Background(), charge()) }()
			r := <-notified
			for range 3 {
				ticks <- noon
			}
			p.answer(r, answer)
			for waiting := true; waiting; {
				select {
				case ticks <- noon:
				case err := <-result:
					if waiting = false; (err == nil) != (answer != grant.Deny) {
						t.Errorf("got %v", err)
					}
				}
			}
		})
	}
}

func TestGate_PatienceEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	notified := make(chan grant.Request, 1)
	a := p.begin("claude")
	g, ticks := p.patient(a, notified)
	result := make(chan error)
	go func() { result <- g.Authorize(context.Background(), charge()) }()
	r := <-notified
	ticks <- noon
	p.clock.turn(time.Minute)
	var err error
	for waiting := true; waiting; {
		select {
		case ticks <- noon: // the one that is taken before the time is looked at
		case err = <-result:
			waiting = false
		}
	}
	var denied *grant.DeniedError
	if !errors.As(err, &denied) || denied.Pending != r.ID || !strings.Contains(denied.Hint, "zvault approve "+r.ID) {
		t.Fatalf("got %v", err)
	}
	p.answer(r, grant.Once) // the answer may come later
	p.allowed(p.gate(a), charge())
}

// Without patience the person is told all the same, before the refusal.
func TestGate_TellsWithoutWaiting(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	told := ""
	g := grant.NewGate(p.store, p.begin("claude"), p.log, grant.GateOptions{Notify: func(ctx context.Context, r grant.Request) {
		if ctx.Err() == nil {
			told = r.ID
		}
	}})
	if r := p.asked(g, charge()); told != r.ID {
		t.Errorf("told of %q, want %q", told, r.ID)
	}
}

func TestGate_ContextEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	notified := make(chan grant.Request, 1)
	g, _ := p.patient(p.begin("claude"), notified)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- g.Authorize(ctx, charge()) }()
	<-notified
	cancel()
	var denied *grant.DeniedError
	if err := <-result; !errors.As(err, &denied) || denied.Pending == "" {
		t.Errorf("got %v", err)
	}
	if got := p.log.actions(); got != "ask:ok deny:denied" {
		t.Errorf("recorded %s", got)
	}
}

// A session that is revoked while its call waits.
func TestGate_RevokedWhileWaiting(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	notified := make(chan grant.Request, 1)
	g, ticks := p.patient(p.begin("claude"), notified)
	result := make(chan error)
	go func() { result <- g.Authorize(context.Background(), charge()) }()
	<-notified
	if _, err := p.person().Revoke(t.Context(), "claude"); err != nil {
		t.Fatal(err)
	}
	ticks <- noon
	if err := <-result; err == nil || !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("got %v", err)
	}
}

// Many calls wait for one answer "once": one passes.
func TestGate_OneAnswerManyCalls(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.begin("claude")
	p.answer(p.asked(p.gate(a), charge()), grant.Once)
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := p.gate(a).Authorize(context.Background(), charge()); err == nil {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1 {
		t.Errorf("%d calls passed, want 1", passed.Load())
	}
}

// An approval is spent for the use, in the session, that it was given for, once.
func TestStore_Spend(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.begin("claude"), p.begin("claude")
	r := p.asked(p.gate(a), charge())
	ctx, digest := context.Background(), charge().Digest()
	wrong := func(what, id, session, digest string, want error) {
		t.Helper()
		if err := p.store.Spend(ctx, id, session, digest); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	wrong("without an answer", r.ID, a.Session, digest, grant.ErrSpent)
	p.answer(r, grant.Once)
	other := charge()
	other.Body = ""
	wrong("for another use", r.ID, a.Session, other.Digest(), grant.ErrSpent)
	wrong("in another session", r.ID, b.Session, digest, grant.ErrSpent)
	wrong("in no session", r.ID, "nonsense", digest, grant.ErrNoSession)
	wrong("of another request", "nonsense", a.Session, digest, grant.ErrSpent)
	var spent atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch err := p.store.Spend(ctx, r.ID, a.Session, digest); {
			case err == nil:
				spent.Add(1)
			case !errors.Is(err, grant.ErrSpent):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if spent.Load() != 1 {
		t.Errorf("spent %d times", spent.Load())
	}
	refused := p.asked(p.gate(b), other)
	p.answer(refused, grant.Deny)
	wrong("after a refusal", refused.ID, b.Session, other.Digest(), grant.ErrSpent)
	late := p.asked(p.gate(b), charge())
	p.answer(late, grant.Once)
	p.clock.turn(grant.SpendLife)
	wrong("too late", late.ID, b.Session, digest, grant.ErrSpent)
}

func TestRequest_Lines(t *testing.T) {
	t.Parallel()
	u := charge()
	u.Path = "/v1/\x1b[2Jcharges\u202e"
	u.Query = "limit=3"
	u.Command = []string{"psql", "my db"}
	r := grant.NewRequestFor(u, grant.Asker{Person: "alice", Client: "claude\nwho asks: nobody", Session: "s"}, noon)
	text := ""
	for _, l := range r.Lines(noon) {
		text += l.Name + ": " + l.Text + "\n"
	}
	for _, want := range []string{"http_request", "shop/development", "STRIPE_KEY, in header:authorization", `https://api.stripe.com:443/v1/\x1b[2Jcharges\u202e?limit=3`, "psql 'my db'", u.Body, "in 10m0s"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Count(text, "who asks") != 2 || strings.Count(text, "\nwho asks") != 0 {
		t.Errorf("the text shows what it should escape: %q", text)
	}
}
