package rule_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// gate remembers what it is asked and answers with err.
type gate struct {
	asked []grant.Use
	err   error
}

func (g *gate) Authorize(_ context.Context, u grant.Use) error {
	g.asked = append(g.asked, u)
	return g.err
}

func use(method, host string, port int, path, place string) grant.Use {
	return grant.Use{Secrets: []string{"KEY"}, Tool: "shield", Scheme: "https", Host: host, Port: port, Method: method, Path: path, In: map[string]string{"KEY": place}}
}

func TestPermit(t *testing.T) {
	t.Parallel()
	const auth = "header:authorization"
	cases := []struct {
		name string
		rule grant.Rule
		use  grant.Use
		want string // in the reason; empty if permitted
	}{
		{"host", grant.Rule{Hosts: []string{"API.example.com"}}, use("GET", "api.example.com", 443, "/", auth), ""},
		{"another host", grant.Rule{Hosts: []string{"api.example.com"}}, use("GET", "example.com", 443, "/", auth), "the rules of KEY do not permit"},
		{"a name that ends alike", grant.Rule{Hosts: []string{"*.example.com"}}, use("GET", "badexample.com", 443, "/", auth), "the rules of KEY do not permit"},
		{"below", grant.Rule{Hosts: []string{"*.example.com"}}, use("GET", "a.b.example.com", 443, "/", auth), ""},
		{"not the name itself", grant.Rule{Hosts: []string{"*.example.com"}}, use("GET", "example.com", 443, "/", auth), "the rules of KEY do not permit"},
		{"port", grant.Rule{Hosts: []string{"example.com:8443"}}, use("GET", "example.com", 8443, "/", auth), ""},
		{"another port", grant.Rule{Hosts: []string{"example.com:8443"}}, use("GET", "example.com", 443, "/", auth), "the rules of KEY do not permit"},
		{"network", grant.Rule{Hosts: []string{"10.0.0.0/8"}}, use("GET", "10.1.2.3", 443, "/", auth), ""},
		{"outside of the network", grant.Rule{Hosts: []string{"10.0.0.0/8"}}, use("GET", "11.1.2.3", 443, "/", auth), "the rules of KEY do not permit"},
		{"IPv6 with a port", grant.Rule{Hosts: []string{"[::1]:8443"}}, use("GET", "::1", 8443, "/", auth), ""},
		{"no host in the rule", grant.Rule{Methods: []string{"GET"}}, use("GET", "example.com", 443, "/", auth), "the rules of KEY name no host"},
		{"method", grant.Rule{Hosts: []string{"h.test"}, Methods: []string{"get"}}, use("GET", "h.test", 443, "/", auth), ""},
		{"another method", grant.Rule{Hosts: []string{"h.test"}, Methods: []string{"GET"}}, use("POST", "h.test", 443, "/", auth), "the rules of KEY do not permit"},
		{"path", grant.Rule{Hosts: []string{"h.test"}, Paths: []string{"/v1/*/x"}}, use("GET", "h.test", 443, "/v1/a/x", auth), ""},
		{"a segment too many", grant.Rule{Hosts: []string{"h.test"}, Paths: []string{"/v1/*"}}, use("GET", "h.test", 443, "/v1/a/x", auth), "the rules of KEY do not permit"},
		{"any segments", grant.Rule{Hosts: []string{"h.test"}, Paths: []string{"/v1/**"}}, use("GET", "h.test", 443, "/v1/a/x", auth), ""},
		{"a way out", grant.Rule{Hosts: []string{"h.test"}, Paths: []string{"/v1/**"}}, use("GET", "h.test", 443, "/v1/%2e%2e/admin", auth), "the rules of KEY do not permit"},
		{"an encoded slash", grant.Rule{Hosts: []string{"h.test"}, Paths: []string{"/v1/*"}}, use("GET", "h.test", 443, "/v1/a%2fb", auth), "the rules of KEY do not permit"},
		{"expired", grant.Rule{Hosts: []string{"h.test"}, Expires: noon.Add(-time.Second)}, use("GET", "h.test", 443, "/", auth), "no rule says how KEY may be used"},
		{"no place named, key header", grant.Rule{Hosts: []string{"h.test"}}, use("GET", "h.test", 443, "/", "header:x-api-key"), ""},
		{"no place named, cookie", grant.Rule{Hosts: []string{"h.test"}}, use("GET", "h.test", 443, "/", "header:cookie"), "KEY may not stand in header:cookie"},
		{"no place named, other header", grant.Rule{Hosts: []string{"h.test"}}, use("GET", "h.test", 443, "/", "header:x-note"), "KEY may not stand in header:x-note"},
		{"no place named, body", grant.Rule{Hosts: []string{"h.test"}}, use("GET", "h.test", 443, "/", "body"), "KEY may not stand in body"},
		{"header, query", grant.Rule{Hosts: []string{"h.test"}, In: []string{"header"}}, use("GET", "h.test", 443, "/", "query:key"), "KEY may not stand in query:key"},
		{"query, header", grant.Rule{Hosts: []string{"h.test"}, In: []string{"query:key"}}, use("GET", "h.test", 443, "/", auth), "the rules of KEY do not permit"},
		{"query", grant.Rule{Hosts: []string{"h.test"}, In: []string{"query:key"}}, use("GET", "h.test", 443, "/", "query:key"), ""},
		{"other tool", grant.Rule{Tools: []string{"http_request"}, Hosts: []string{"h.test"}}, use("GET", "h.test", 443, "/", auth), "the rules of KEY do not permit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := rule.New(rule.Rules{Own: map[string][]grant.Rule{"KEY": {c.rule}}}, nil, clock)
			got := ""
			var denied *grant.DeniedError
			if err := p.Permit(t.Context(), c.use, true); errors.As(err, &denied) {
				got = denied.Reason
			} else if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("reason %q; want %q", got, c.want)
			}
		})
	}
}

// A secret in two places needs a rule that names both.
func TestPermit_TwoPlaces(t *testing.T) {
	t.Parallel()
	u := use("GET", "h.test", 443, "/", "header:authorization")
	loose := rule.New(rule.Rules{Own: map[string][]grant.Rule{"KEY": {{Hosts: []string{"h.test"}}}}}, nil, clock)
	if err := loose.Permit(t.Context(), u, false); err == nil {
		t.Error("a place that no rule names was permitted as one of two")
	}
	exact := rule.New(rule.Rules{Own: map[string][]grant.Rule{"KEY": {{Hosts: []string{"h.test"}, In: []string{"header:authorization", "body"}}}}}, nil, clock)
	if err := exact.Permit(t.Context(), u, false); err != nil {
		t.Error(err)
	}
}

func TestPermit_Max(t *testing.T) {
	t.Parallel()
	p := rule.New(rule.Rules{Own: map[string][]grant.Rule{"KEY": {{Hosts: []string{"h.test"}, Max: 2}}}}, nil, clock)
	u := use("GET", "h.test", 443, "/", "header:authorization")
	for i, want := range []bool{true, true, false, false} {
		if got := p.Permit(t.Context(), u, true) == nil; got != want {
			t.Errorf("use %d: permitted %v; want %v", i+1, got, want)
		}
	}
}

func TestPermit_Gate(t *testing.T) {
	t.Parallel()
	g := &gate{}
	p := rule.New(rule.Rules{Own: map[string][]grant.Rule{"OTHER": {{Hosts: []string{"h.test"}, Approve: true}}}}, g, clock)
	u := use("GET", "h.test", 443, "/", "header:authorization")
	if err := p.Permit(t.Context(), u, true); err != nil {
		t.Error(err)
	}
	approve := u
	approve.Secrets, approve.In = []string{"OTHER"}, map[string]string{"OTHER": "header:authorization"}
	if err := p.Permit(t.Context(), approve, true); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]grant.Use{u, approve}, g.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if err := p.Permit(t.Context(), use("GET", "h.test", 443, "/", "body"), true); err == nil || len(g.asked) != 2 {
		t.Errorf("a secret without a rule in a body: %v, asked %d times", err, len(g.asked))
	}
	g.err = errors.New("nobody is there")
	if err := p.Permit(t.Context(), u, true); !errors.Is(err, g.err) {
		t.Errorf("error %v", err)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	p := rule.New(rule.Rules{Own: map[string][]grant.Rule{"A": {{Hosts: []string{"*.example.com:443", "10.0.0.0/8", "::1"}}}, "B": {{Hosts: []string{"api.example.org"}}}}}, nil, clock)
	names, networks := p.Hosts()
	if diff := cmp.Diff([]string{"api.example.org", "example.com"}, names); diff != "" || len(networks) != 2 {
		t.Errorf("%s\n%v", diff, networks)
	}
	if !p.Names("a.example.com", 443) || p.Names("a.example.com", 80) || p.Names("example.net", 443) || !p.Names("10.1.1.1", 1) {
		t.Error("the hosts of the rules are others than those named")
	}
}

// What a stored rule fits is left to the gate, which counts; what none fits is not.
func TestPermit_Stored(t *testing.T) {
	t.Parallel()
	g := &gate{}
	p := rule.New(rule.Rules{Stored: map[string][]grant.Rule{"KEY": {{Hosts: []string{"h.test"}, Methods: []string{"GET"}}}}}, g, clock)
	u := use("GET", "h.test", 443, "/", "header:authorization")
	if err := p.Permit(t.Context(), u, true); err != nil || len(g.asked) != 1 {
		t.Errorf("%v, asked %d times", err, len(g.asked))
	}
	for _, u := range []grant.Use{use("POST", "h.test", 443, "/", "header:authorization"), use("GET", "h.test", 443, "/", "body")} {
		if err := p.Permit(t.Context(), u, true); err == nil || len(g.asked) != 1 {
			t.Errorf("%v: %v, asked %d times", u, err, len(g.asked))
		}
	}
}
