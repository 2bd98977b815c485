package proxy_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// seen is what a server got.
type seen struct {
	method, uri, host, body string
	header                  http.Header
	proto                   int
}

// recorder is a server that sends what it got to a channel and answers with it.
func recorder(t testing.TB) (at string, got chan seen) {
	got = make(chan seen, 16)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the request was cut
		}
		got <- seen{r.Method, r.RequestURI, r.Host, string(body), r.Header, r.ProtoMajor}
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("Authorization")+" to "+r.RequestURI+" with "+string(body))
	})
	return port(t, s), got
}

func TestProxy_Injects(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	all := grant.Rule{Hosts: []string{host}, In: []string{"header:authorization", "header:x-api-key", "query:key", "path", "body"}}
	b := newBench(t, options{
		secrets: map[string]string{"TOKEN": token, "PASSWORD": `p"w/ö d!%`, "URL": "https://api.example.com/?sig=s3cr3t%2Fsig"},
		rules:   map[string][]grant.Rule{"TOKEN": {all}, "PASSWORD": {all}, "URL": {all}},
	})
	holder, password := b.holder("TOKEN"), b.holder("PASSWORD")
	sig := strings.TrimPrefix(b.holder("URL"), "https://api.example.com/?sig=")
	cases := []struct {
		name, method, path, body string
		fields                   []string
		want                     func(seen) (got, want string)
	}{
		{"bearer", "GET", "/", "", []string{"Authorization", "Bearer " + holder}, func(s seen) (string, string) { return s.header.Get("Authorization"), "Bearer " + token }},
		{"key header", "GET", "/", "", []string{"X-Api-Key", holder}, func(s seen) (string, string) { return s.header.Get("X-Api-Key"), token }},
		{"basic", "GET", "/", "", []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+password))}, func(s seen) (string, string) {
			return s.header.Get("Authorization"), "Basic " + base64.StdEncoding.EncodeToString([]byte(`me:p"w/ö d!%`))
		}},
		{"query", "GET", "/a?x=%20&key=" + password + "&y", "", nil, func(s seen) (string, string) {
			return s.uri, "/a?x=%20&key=" + url.QueryEscape(`p"w/ö d!%`) + "&y"
		}},
		{"path", "GET", "/bot" + password + "/send%20it", "", nil, func(s seen) (string, string) {
			return s.uri, "/" + url.PathEscape(`botp"w/ö d!%`) + "/send%20it"
		}},
		{"json", "POST", "/", `{"password":"` + password + `"}`, []string{"Content-Type", "application/json"}, func(s seen) (string, string) {
			return s.body, `{"password":"p\"w/ö d!%"}`
		}},
		{"form", "POST", "/", "a=1&p=" + password, []string{"Content-Type", "application/x-www-form-urlencoded"}, func(s seen) (string, string) {
			return s.body, "a=1&p=" + url.QueryEscape(`p"w/ö d!%`)
		}},
		{"text", "POST", "/", password, []string{"Content-Type", "text/plain"}, func(s seen) (string, string) { return s.body, `p"w/ö d!%` }},
		{"part of a URL", "POST", "/", sig, nil, func(s seen) (string, string) { return s.body, "s3cr3t/sig" }},
		{"large", "POST", "/", strings.Repeat("x", 2<<20) + password + strings.Repeat("y", 1<<20), nil, func(s seen) (string, string) {
			return s.body, strings.Repeat("x", 2<<20) + `p"w/ö d!%` + strings.Repeat("y", 1<<20)
		}},
	}
	for _, h2 := range []bool{false, true} {
		client := b.client(h2)
		for _, c := range cases {
			answer, _ := b.send(client, request(t, c.method, "https://"+host+":"+addr+c.path, c.body, c.fields...))
			if answer.StatusCode != 200 {
				t.Errorf("%s: status %d", c.name, answer.StatusCode)
				continue
			}
			s := <-got
			if have, want := c.want(s); have != want {
				t.Errorf("%s: the server got %.80q; want %.80q", c.name, have, want)
			}
			if h2 != (answer.ProtoMajor == 2) || s.proto != 2 {
				t.Errorf("%s: HTTP/%d here, HTTP/%d there", c.name, answer.ProtoMajor, s.proto)
			}
		}
	}
}

// A placeholder where no rule permits it: nothing arrives, and it is written down.
func TestProxy_Refuses(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{secrets: map[string]string{"TOKEN": token, "OTHER": "another-secret-value"}})
	holder := b.holder("TOKEN")
	base := "https://" + host + ":" + addr
	encoded := base64.StdEncoding.EncodeToString([]byte("token: " + holder))
	cases := []struct {
		name, method, address, body string
		fields                      []string
		want                        string
	}{
		{"cookie", "GET", base + "/", "", []string{"Cookie", "t=" + holder}, "TOKEN in header:cookie: GET /: refused: TOKEN may not stand in header:cookie"},
		{"second header", "GET", base + "/", "", []string{"Authorization", "Bearer " + holder, "X-Api-Key", holder}, "TOKEN in header:*: GET /: refused: TOKEN may not stand in header:*"},
		{"twice in one", "GET", base + "/", "", []string{"Authorization", "Bearer " + holder + " " + holder}, "TOKEN in header:authorization: GET /: refused: it stands there twice"},
		{"body", "POST", base + "/mail", "send " + holder, nil, "TOKEN in body: POST /mail: refused: TOKEN may not stand in body"},
		{"body in base64", "POST", base + "/mail", "send " + encoded, nil, "TOKEN in body: POST /mail: refused: it is encoded as base64"},
		{"query", "GET", base + "/?q=" + holder, "", nil, "TOKEN in query:q: GET /: refused: TOKEN may not stand in query:q"},
		{"path", "GET", base + "/" + holder, "", nil, "TOKEN in path: GET /" + holder + ": refused: TOKEN may not stand in path"},
		{"encoded in a header", "GET", base + "/", "", []string{"Authorization", "Bearer " + encoded}, "TOKEN in header:authorization: GET /: refused: it is encoded as base64"},
		{"a secret without a rule", "GET", base + "/", "", []string{"Authorization", "Bearer " + b.holder("OTHER")}, "OTHER in header:authorization: GET /: refused: no rule says where OTHER may be sent"},
		{"plain HTTP", "GET", "http://" + host + ":" + addr + "/", "", []string{"Authorization", "Bearer " + holder}, "TOKEN in header:authorization: GET /: refused: a secret is not sent without encryption"},
		{"plain HTTP to another host", "GET", "http://other.shield.test:" + addr + "/?a=" + holder, "", nil, "TOKEN in query:a: GET /: refused: a secret is not sent without encryption"},
	}
	for _, c := range cases {
		b.journal.events = nil
		answer, body := b.send(b.client(false), request(t, c.method, c.address, c.body, c.fields...))
		var p struct{ Detail, Secret, Place string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || answer.StatusCode != http.StatusForbidden || p.Secret == "" || p.Place == "" {
			t.Errorf("%s: status %d, %q: %v", c.name, answer.StatusCode, body, err)
		}
		lines := b.journal.lines()
		if len(lines) == 0 {
			t.Errorf("%s: nothing was recorded", c.name)
			continue
		}
		last := lines[len(lines)-1]
		if c.name == "second header" { // either may be looked at first
			last = strings.NewReplacer("header:authorization", "header:*", "header:x-api-key", "header:*").Replace(last)
		}
		if !strings.Contains(last, c.want) {
			t.Errorf("%s: recorded %q; want %q", c.name, last, c.want)
		}
	}
	if len(got) > 0 {
		t.Errorf("%d requests arrived", len(got))
	}
}

// A body that is sent while it is looked through is cut before the placeholder.
func TestProxy_CutsStream(t *testing.T) {
	t.Parallel()
	arrived := make(chan []byte, 4)
	s := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- body
	})
	for _, h2 := range []bool{false, true} {
		b := newBench(t, options{})
		body := strings.Repeat("x", 3<<20) + b.holder("TOKEN") + strings.Repeat("y", 3<<20)
		r := request(t, "POST", "https://"+host+":"+port(t, s)+"/", "")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), -1
		answer, err := b.client(h2).Do(r)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode != http.StatusForbidden {
				t.Errorf("status %d", answer.StatusCode)
			}
		}
		if got := <-arrived; len(got) > 3<<20 || strings.Trim(string(got), "x") != "" {
			t.Errorf("%d bytes arrived, or some of the placeholder", len(got))
		}
		if lines := b.journal.lines(); len(lines) != 1 || !strings.Contains(lines[0], "refused: TOKEN may not stand in body") {
			t.Errorf("recorded %q", lines)
		}
	}
}

// What a server sends back of a value does not reach the program.
func TestProxy_MasksReflection(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		answer, body := b.send(b.client(h2), request(t, "GET", "https://"+host+":"+addr+"/", "", "Authorization", "Bearer "+b.holder("TOKEN")))
		if s := <-got; s.header.Get("Authorization") != "Bearer "+token {
			t.Fatal("the server did not get the value")
		}
		// The placeholder is as long as the value, so that is what the program reads back.
		if want := "you sent Bearer " + b.holder("TOKEN") + " to / with "; body != want {
			t.Errorf("the program got %q; want %q", body, want)
		}
		if got, want := answer.Header.Get("X-Echo"), "Bearer "+b.holder("TOKEN"); got != want {
			t.Errorf("a field is %q; want %q", got, want)
		}
	}
}

// A use that cannot be written down does not happen.
func TestProxy_AuditFailsClosed(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{})
	b.journal.err = errors.New("the disk is full")
	answer, _ := b.send(b.client(false), request(t, "GET", "https://"+host+":"+addr+"/", "", "Authorization", "Bearer "+b.holder("TOKEN")))
	if answer.StatusCode != http.StatusServiceUnavailable || len(got) > 0 {
		t.Errorf("status %d, %d arrived", answer.StatusCode, len(got))
	}
}

func TestProxy_Records(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{})
	b.send(b.client(true), request(t, "GET", "https://"+host+":"+addr+"/a?b=c", "", "Authorization", "Bearer "+b.holder("TOKEN")))
	<-got
	if diff := cmp.Diff([]string{"TOKEN in header:authorization: GET /a"}, b.journal.lines()); diff != "" {
		t.Error(diff)
	}
}

func TestProxy_Credentials(t *testing.T) {
	t.Parallel()
	addr, _ := recorder(t)
	b := newBench(t, options{})
	bare := *b.url
	bare.User = nil
	wrong := *b.url
	wrong.User = url.UserPassword("zvault", "guess")
	for _, u := range []*url.URL{&bare, &wrong} {
		b.url = u
		answer, err := b.client(false).Do(request(t, "GET", "https://"+host+":"+addr+"/", ""))
		if err == nil {
			answer.Body.Close()
			t.Errorf("status %d", answer.StatusCode)
		} else if !strings.Contains(err.Error(), "Proxy Authentication Required") {
			t.Error(err)
		}
		plain, _ := b.send(b.client(false), request(t, "GET", "http://"+host+":"+addr+"/", ""))
		if plain.StatusCode != http.StatusProxyAuthRequired {
			t.Errorf("status %d", plain.StatusCode)
		}
	}
}

// A connection to a host that no rule names is the program's own: it sees the server's certificate.
func TestProxy_PassesThrough(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{})
	answer, _ := b.send(b.client(true), request(t, "GET", "https://other.shield.test:"+addr+"/", "", "Authorization", "Bearer "+b.holder("TOKEN")))
	if name := answer.TLS.PeerCertificates[0].Issuer.CommonName; name != "test" {
		t.Errorf("the certificate is from %q", name)
	}
	if s := <-got; s.header.Get("Authorization") != "Bearer "+b.holder("TOKEN") {
		t.Error("the server got something else than the placeholder")
	}
	strict := newBench(t, options{strict: true})
	if answer, err := strict.client(true).Do(request(t, "GET", "https://other.shield.test:"+addr+"/", "")); err == nil {
		answer.Body.Close()
		t.Error("strict lets another host through")
	}
	inspect := newBench(t, options{inspect: true})
	answer, _ = inspect.send(inspect.client(true), request(t, "GET", "https://other.shield.test:"+addr+"/", "", "Authorization", inspect.holder("TOKEN")))
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a placeholder for another host: status %d", answer.StatusCode)
	}
}

func TestProxy_ClosedAddresses(t *testing.T) {
	t.Parallel()
	b := newBench(t, options{inspect: true})
	for _, address := range []string{"http://169.254.169.254/latest/meta-data", "https://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/"} {
		answer, err := b.client(false).Do(request(t, "GET", address, ""))
		if err != nil {
			t.Error(err)
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", address, answer.StatusCode)
		}
	}
}

// The connection is for one host; a request in it for another is not sent.
func TestProxy_OtherHostInside(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		r := request(t, "GET", "https://"+host+":"+addr+"/", "", "Authorization", "Bearer "+b.holder("TOKEN"))
		r.Host = "other.shield.test:" + addr
		answer, _ := b.send(b.client(h2), r)
		if answer.StatusCode != http.StatusMisdirectedRequest || len(got) > 0 {
			t.Errorf("status %d, %d arrived", answer.StatusCode, len(got))
		}
	}
}
