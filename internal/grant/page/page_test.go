package page_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/grant/page"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/storage/memory"
)

type noLog struct{}

func (noLog) Record(context.Context, audit.Entry) error { return nil }

// desk is a server with a request that waits, and what the person was told.
type desk struct {
	t      *testing.T
	server *page.Server
	store  *grant.Store
	r      grant.Request

	mu   sync.Mutex
	now  time.Time
	code string
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) told() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.code
}

func (d *desk) tell(_ context.Context, r grant.Request, code string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.ID != d.r.ID {
		d.t.Errorf("told of request %s, want %s", r.ID, d.r.ID)
	}
	d.code = code
	return nil
}

func newDesk(t *testing.T, withTerminal bool) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	backend := memory.New()
	t.Cleanup(func() { _ = backend.Close() })
	d.store = grant.NewStore(backend, d.clock)
	a := grant.Asker{Person: "alice", Client: "claude", Face: audit.MCP}
	var err error
	if a.Session, err = d.store.Begin(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	u := grant.Use{
		Project: "shop", Env: "development", Secrets: []string{"KEY"}, Tool: "http_request", Scheme: "https", Host: "api.example.com", Method: "POST",
		Path: "/v1/x", In: map[string]string{"KEY": "header:<script>alert(1)</script>"}, Body: grant.BodyHash([]byte("b")),
	}
	var denied *grant.DeniedError
	if err := grant.NewGate(d.store, a, noLog{}, grant.GateOptions{}).Authorize(t.Context(), u); !errors.As(err, &denied) {
		t.Fatal(err)
	}
	if d.r, err = d.store.Request(t.Context(), denied.Pending); err != nil {
		t.Fatal(err)
	}
	o := page.Options{
		Approver: grant.Approver{Store: d.store, Record: noLog{}, Actor: audit.Actor{Kind: audit.Person, ID: "alice", Name: "alice"}}, Clock: d.clock,
	}
	if withTerminal {
		o.Tell = d.tell
	}
	if d.server, err = page.Listen(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) approve() string {
	d.t.Helper()
	address, err := d.server.Approve(d.r)
	if err != nil {
		d.t.Fatal(err)
	}
	return address
}

// ask sends a request; change alters it first.
func (d *desk) ask(method, address, form string, change func(*http.Request)) (int, string, http.Header) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, address, strings.NewReader(form))
	if err != nil {
		d.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+r.URL.Host)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

func (d *desk) open(address string) (key, text string) {
	d.t.Helper()
	status, text, _ := d.ask(http.MethodGet, address, "", nil)
	m := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(text)
	if status != http.StatusOK || m == nil {
		d.t.Fatalf("opening: %d\n%s", status, text)
	}
	return m[1], text
}

func (d *desk) post(address string, form url.Values) (int, string) {
	d.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		d.t.Fatal(err)
	}
	status, text, _ := d.ask(http.MethodPost, "http://"+u.Host+"/form", form.Encode(), nil)
	return status, text
}

func newKey(t *testing.T, text string) string {
	t.Helper()
	m := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no form in\n%s", text)
	}
	return m[1]
}

func (d *desk) answer() grant.Answer {
	d.t.Helper()
	r, err := d.store.Request(d.t.Context(), d.r.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return r.Answer
}

// What is not a person's browser at the right address gets nothing, and does not use the address up.
func TestServer_Refuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	address := d.approve()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		method string
		change func(*http.Request)
		want   int
	}{
		"another name (rebinding)": {"GET", func(r *http.Request) { r.Host = "evil.example" }, 421},
		"localhost":                {"GET", func(r *http.Request) { r.Host = strings.Replace(r.URL.Host, "127.0.0.1", "localhost", 1) }, 421},
		"no port":                  {"GET", func(r *http.Request) { r.Host = "127.0.0.1" }, 421},
		"HEAD":                     {"HEAD", nil, 405},
		"PUT":                      {"PUT", nil, 405},
		"OPTIONS":                  {"OPTIONS", nil, 405},
		"opened in advance":        {"GET", header("Sec-Purpose", "prefetch;prerender"), 503},
		"in a frame":               {"GET", header("Sec-Fetch-Dest", "iframe"), 403},
		"as a picture":             {"GET", header("Sec-Fetch-Dest", "image"), 403},
		"by a script":              {"GET", header("Sec-Fetch-Mode", "cors"), 403},
		"POST to the page":         {"POST", nil, 404},
		"POST without origin":      {"POST", header("Origin", ""), 403},
		"POST from another origin": {"POST", header("Origin", "http://evil.example"), 403},
		"POST from a sandbox":      {"POST", header("Origin", "null"), 403},
		"POST from another site":   {"POST", header("Sec-Fetch-Site", "cross-site"), 403},
		"POST from another port":   {"POST", header("Origin", "http://127.0.0.1:1"), 403},
		"POST from https":          {"POST", func(r *http.Request) { r.Header.Set("Origin", "https://"+r.URL.Host) }, 403},
		"a token that is cut":      {"GET", func(r *http.Request) { r.URL.Path = r.URL.Path[:len(r.URL.Path)-1] }, 410},
		"a token in another case":  {"GET", func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "/open/", "/OPEN/", 1) }, 404},
		"no token":                 {"GET", func(r *http.Request) { r.URL.Path = "/open/" }, 410},
		"no page":                  {"GET", func(r *http.Request) { r.URL.Path = "/" }, 404},
		"a form sent by GET":       {"GET", func(r *http.Request) { r.URL.Path, r.URL.RawQuery = "/form", "answer=once" }, 404},
	} {
		status, text, h := d.ask(c.method, address, "", c.change)
		if status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
		if strings.Contains(text, "api.example.com") {
			t.Errorf("%s: the request is shown", name)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
	if d.told() != "" {
		t.Error("a code was told for a page that was not opened")
	}
	d.open(address)
	if status, text, _ := d.ask(http.MethodGet, address, "", nil); status != http.StatusGone || strings.Contains(text, "api.example.com") {
		t.Errorf("opened twice: %d", status)
	}
	if got := d.answer(); got != "" {
		t.Errorf("answered %q by looking", got)
	}
}

func TestServer_Approve(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	address := d.approve()
	key, text := d.open(address)
	for _, want := range []string{"https://api.example.com:443/v1/x", "POST", "KEY", "&lt;script&gt;", d.r.Use.Body, "shop/development", "alice → claude"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "src=") || strings.Contains(text, "http-equiv") || strings.Contains(text, d.told()) {
		t.Error("the page holds a script, something from elsewhere, or the code")
	}
	wrong := "00000000"
	if d.told() == wrong {
		wrong = "11111111"
	}
	for _, bad := range []string{"", wrong, d.told()[:7]} {
		status, again := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {bad}})
		if status != http.StatusUnprocessableEntity || d.answer() != "" {
			t.Fatalf("with the code %q: %d, answered %q", bad, status, d.answer())
		}
		if status, _ := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {d.told()}}); status != http.StatusGone {
			t.Fatalf("a form was used twice: %d", status)
		}
		key = newKey(t, again)
	}
	code := d.told()
	if status, _ := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {code[:4] + " " + code[4:]}}); status != http.StatusOK {
		t.Errorf("with the right code: %d", status)
	}
	if got := d.answer(); got != grant.Once {
		t.Errorf("answered %q, want once", got)
	}
}

func TestServer_TooManyCodes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	address := d.approve()
	key, _ := d.open(address)
	for try := 1; try <= 5; try++ {
		status, text := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {"x"}})
		if try == 5 {
			if status != http.StatusOK || !strings.Contains(text, "too many wrong codes") {
				t.Errorf("the last try: %d %s", status, text)
			}
			break
		}
		key = newKey(t, text)
	}
	if status, _ := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {d.told()}}); status != http.StatusGone {
		t.Errorf("after too many tries: %d", status)
	}
	if d.answer() != "" {
		t.Error("it was approved")
	}
}

// Where the person has no place of their own, whoever has the address can refuse, and not approve.
func TestServer_NoTerminal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	address := d.approve()
	key, text := d.open(address)
	if !strings.Contains(text, "zvault approve "+d.r.ID) || strings.Contains(text, `value="once"`) {
		t.Errorf("the page says\n%s", text)
	}
	if _, text := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {""}}); !strings.Contains(text, "cannot approve") || d.answer() != "" {
		t.Fatalf("a made-up form approved: %q\n%s", d.answer(), text)
	}
	address = d.approve()
	key, _ = d.open(address)
	if status, _ := d.post(address, url.Values{"key": {key}, "answer": {"deny"}}); status != http.StatusOK || d.answer() != grant.Deny {
		t.Errorf("refusing: %d, answered %q", status, d.answer())
	}
	address = d.approve()
	key, _ = d.open(address)
	if _, text := d.post(address, url.Values{"key": {key}, "answer": {"deny"}}); !strings.Contains(text, "Too late") {
		t.Errorf("answering again:\n%s", text)
	}
}

func TestServer_Ends(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	first, second := d.approve(), d.approve()
	key, _ := d.open(first)
	d.mu.Lock()
	d.now = d.now.Add(page.Life)
	d.mu.Unlock()
	if status, _, _ := d.ask(http.MethodGet, second, "", nil); status != http.StatusGone {
		t.Errorf("opened after its time: %d", status)
	}
	if status, _ := d.post(first, url.Values{"key": {key}, "do": {"approve"}, "answer": {"once"}, "code": {d.told()}}); status != http.StatusGone {
		t.Errorf("sent after its time: %d", status)
	}
}

func TestServer_TooManyPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	for range 64 {
		d.approve()
	}
	if _, err := d.server.Approve(d.r); !errors.Is(err, page.ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

func TestServer_Enter(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	var stored []string
	broken := errors.New("the vault is sealed")
	fail := broken
	e, err := d.server.Enter(page.Field{Project: "shop", Env: "development", Name: "KEY", Why: "for <b>payments</b>", Exists: true, Store: func(_ context.Context, v secret.Value) error {
		if fail != nil {
			return fail
		}
		stored = append(stored, string(v.Reveal()))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	key, text := d.open(e.URL)
	if !strings.Contains(text, "&lt;b&gt;payments") || !strings.Contains(text, "KEY") || !strings.Contains(text, "takes its place") {
		t.Errorf("the page says\n%s", text)
	}
	send := func(form url.Values, want int, says string) {
		t.Helper()
		form.Set("key", key)
		status, text := d.post(e.URL, form)
		if status != want || !strings.Contains(text, says) {
			t.Fatalf("%d\n%s", status, text)
		}
		if strings.Contains(text, "sk_live") {
			t.Error("the value is on the page")
		}
		if want == http.StatusUnprocessableEntity {
			key = newKey(t, text)
		}
	}
	send(url.Values{"value": {""}}, 422, "empty")
	send(url.Values{"value": {"sk_live_1"}, "name": {"OTHER"}}, 422, "sealed")
	fail = nil
	send(url.Values{"value": {"sk_live_1\r\nsecond line\r\n"}}, 200, "in the vault")
	if err := e.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(url.Values{"value": {"sk_live_2"}}, 410, "used")
	if len(stored) != 1 || stored[0] != "sk_live_1\nsecond line" {
		t.Errorf("stored %q", stored)
	}
}

func TestServer_EnterGivenUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	e, err := d.server.Enter(page.Field{Project: "shop", Env: "development", Name: "KEY", Store: func(context.Context, secret.Value) error {
		t.Error("stored after it was given up")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := d.open(e.URL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if status, _ := d.post(e.URL, url.Values{"key": {key}, "value": {"x"}}); status != http.StatusGone {
		t.Errorf("sent after it was given up: %d", status)
	}
}

func TestServer_BadForms(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	address := d.approve()
	key, _ := d.open(address)
	base := address[:strings.Index(address, "/open/")] + "/form"
	for name, c := range map[string]struct {
		form string
		kind string
		want int
	}{
		"no key":       {"do=approve&answer=once", "application/x-www-form-urlencoded", 410},
		"another kind": {"key=" + key, "text/plain", 415},
		"JSON":         {`{"key":"` + key + `"}`, "application/json", 415},
		"too long":     {"key=" + key + "&value=" + strings.Repeat("x", 1<<20), "application/x-www-form-urlencoded", 400},
		"no form":      {"%zz", "application/x-www-form-urlencoded", 400},
	} {
		if status, _, _ := d.ask(http.MethodPost, base, c.form, func(r *http.Request) { r.Header.Set("Content-Type", c.kind) }); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	if status, _ := d.post(address, url.Values{"key": {key}, "do": {"approve"}, "answer": {"nonsense"}, "code": {d.told()}}); status != 422 || d.answer() != "" {
		t.Errorf("an answer that there is not: %d", status)
	}
}
