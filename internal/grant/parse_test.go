package grant_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

func TestParseRule(t *testing.T) {
	t.Parallel()
	got, err := grant.ParseRule(grant.Fields{
		Tools: []string{"zvault_http_request", "HTTP_request"}, Envs: []string{"staging"}, Hosts: []string{"API.Stripe.com.", "[::1]:8080"},
		Methods: []string{"post", "GET"}, Paths: []string{"/v1/**"}, In: []string{"Header:Authorization"}, Max: 3, Approve: true, For: time.Hour,
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := grant.Rule{
		Tools: []string{"http_request"}, Envs: []string{"staging"}, Hosts: []string{"[::1]:8080", "api.stripe.com"},
		Methods: []string{"GET", "POST"}, Paths: []string{"/v1/**"}, In: []string{"header:authorization"}, Max: 3, Approve: true, Expires: noon.Add(time.Hour),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if text := got.String(); text != "--tool http_request --env staging --host '[::1]:8080' --host api.stripe.com --method GET --method POST "+
		"--path '/v1/**' --in header:authorization --max 3 --approve" {
		t.Errorf("as text: %s", text)
	}
}

func TestParseRule_Errors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fields grant.Fields
		want   string
	}{
		{grant.Fields{}, "name a host"},
		{grant.Fields{Methods: []string{"GET"}}, "name a host"},
		{grant.Fields{Envs: []string{"staging"}, Approve: true, Max: 2}, "name a host"},
		{grant.Fields{Tools: []string{"http_reqest"}}, "did you mean http_request?"},
		{grant.Fields{Tools: []string{"list_secrets"}}, "no tool \"list_secrets\""},
		{grant.Fields{Tools: []string{""}}, "no tool"},
		{grant.Fields{Hosts: []string{"https://x.com/"}}, "is no host"},
		{grant.Fields{Hosts: []string{""}}, "is no host"},
		{grant.Fields{Hosts: []string{"x.com"}, Methods: []string{"GE T"}}, "is no method"},
		{grant.Fields{Hosts: []string{"x.com"}, Paths: []string{"v1"}}, "is no path"},
		{grant.Fields{Hosts: []string{"x.com"}, In: []string{"header"}}, "is no place"},
		{grant.Fields{Hosts: []string{"x.com"}, In: []string{"header:a b"}}, "is no place"},
		{grant.Fields{Hosts: []string{"x.com"}, In: []string{"query:"}}, "is no place"},
		{grant.Fields{Hosts: []string{"x.com"}, In: []string{"query:a,body"}}, "is no place"},
		{grant.Fields{Hosts: []string{"x.com"}, In: []string{"cookie"}}, "is no place"},
		{grant.Fields{Commands: []string{"git 'push"}}, "quote without its end"},
		{grant.Fields{Commands: []string{" "}}, "is no command"},
		{grant.Fields{Hosts: []string{"x.com"}, Envs: []string{"a/b"}}, "is no environment"},
		{grant.Fields{Hosts: []string{"x.com"}, Max: -1}, "not a number"},
		{grant.Fields{Hosts: []string{"x.com"}, For: -time.Hour}, "time to come"},
		{grant.Fields{Hosts: slices.Repeat([]string{"x.com"}, 51)}, "more than the 50"},
	} {
		_, err := grant.ParseRule(c.fields, noon)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want one line with %q", c.fields, err, c.want)
		}
	}
	if _, err := grant.ParseRule(grant.Fields{Max: 3}, noon); !errors.Is(err, grant.ErrNothing) {
		t.Errorf("nothing named: %v, want ErrNothing", err)
	}
}

// What a rule was parsed to parses to the same rule.
func FuzzParseRule(f *testing.F) {
	f.Add("http_request", "api.stripe.com:443", "GET", "/v1/*", "header:authorization", "")
	f.Add("shield", "[2001:db8::/32]:443", "post", "/**/%2A", "query:Key", "")
	f.Add("run_command", "", "", "", "env:X", `git "pu sh" it\'s`)
	f.Add("", "*.bücher.example", "", "/gr%C3%BC", "", "")
	f.Fuzz(func(t *testing.T, tool, host, method, path, place, command string) {
		one := func(s string) []string {
			if s == "" {
				return nil
			}
			return []string{s}
		}
		first, err := grant.ParseRule(grant.Fields{
			Tools: one(tool), Hosts: one(host), Methods: one(method), Paths: one(path), In: one(place), Commands: one(command),
		}, noon)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error %q is not one line that can be shown", err)
			}
			return
		}
		again, err := grant.ParseRule(grant.Fields{
			Tools: first.Tools, Hosts: first.Hosts, Methods: first.Methods, Paths: first.Paths, In: first.In, Commands: first.Commands,
		}, noon)
		if d := cmp.Diff(first, again); err != nil || d != "" {
			t.Errorf("again: %v %s", err, d)
		}
		if first.ID() != again.ID() {
			t.Error("the same rule has two IDs")
		}
	})
}

// Words become text and the same words again.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"git push", `a 'b c' "d\"e" \ f`, "", "''", "'", `\`, "a\x00b", "é\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := grant.SplitWords(text)
		if err != nil {
			return
		}
		again, err := grant.SplitWords(grant.JoinWords(words))
		if err != nil || !slices.Equal(words, again) {
			t.Errorf("%q: %q became %q: %v", text, words, again, err)
		}
	})
}

// Of a path that is taken, no decoding makes another one; and the rule made of a use permits that use and no other path.
func FuzzPath(f *testing.F) {
	for _, row := range []string{"/v1/charges", "/a/%2e%2e/b", "/a%2Fb", "/*/x", "/%2A", "/gr%C3%BC", "//", "/a;b", "/%25"} {
		f.Add(row, "/v1/charges")
	}
	f.Fuzz(func(t *testing.T, path, other string) {
		segments, err := grant.CleanPath(path)
		if err != nil {
			return
		}
		for _, s := range segments {
			if s == "." || s == ".." || strings.ContainsAny(s, "/\\;%?#\x00") {
				t.Errorf("%q has the segment %q", path, s)
			}
		}
		u := grant.Use{Secrets: []string{"A"}, Tool: "http_request", Host: "example.com", Path: path}
		r, err := u.Like("A")
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		u.Path = other
		cleaned, err := grant.CleanPath(other)
		same := err == nil && slices.Equal(cleaned, segments) && (path != "" || other == "")
		if got := grant.Decide(u, map[string][]grant.Rule{"A": {r}}, noon, nil).Outcome == grant.Allowed; got != same {
			t.Errorf("the rule made of %q permits %q: %v", path, other, got)
		}
	})
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text": "plain text", "grün": "grün", "a\x1b[2Jb": `"a\x1b[2Jb"`, "a\u202eb": `"a\u202eb"`, "a\u200bb": `"a\u200bb"`,
		"a\nb": `"a\nb"`, "a\u00a0b": `"a\u00a0b"`, "\xff": `"\xff"`,
	} {
		if got := grant.Visible(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}
