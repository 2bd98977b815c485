package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/sigv4"
	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

const (
	awsID  = "AKIAZZZZYYYYXXXXWWWW"
	awsKey = "kL/9vQ2+xT7bN4mR8sW1cF6hJ3pD5gZ0yE/uAoXi"
)

// aws is a server that answers requests that are signed with the key, and no others.
func aws(t testing.TB) string {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the request was cut
		}
		a, ok := sigv4.Parse(r.Header.Get("Authorization"))
		q := sigv4.Request{
			Method: r.Method, Host: r.Host, URL: r.URL, Fields: r.Header.Values, Length: r.ContentLength, PayloadHash: r.Header.Get("X-Amz-Content-Sha256"),
			PathOnce: a.Service == "s3",
		}
		sum := sigv4.Hash(body)
		if q.PayloadHash == "" {
			q.PayloadHash = sum
		}
		if len(q.PayloadHash) == len(sum) && q.PayloadHash != sum {
			http.Error(w, "the body is not what was signed", http.StatusBadRequest)
			return
		}
		if !ok || a.KeyID != awsID || q.Sign([]byte(awsKey), a) != a.Signature {
			http.Error(w, "the signature is not that of the key", http.StatusForbidden)
			return
		}
		switch {
		case a.Service == "sts":
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>4242</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case r.Method == http.MethodGet:
			_, _ = fmt.Fprintf(w, "object at %s", r.URL.Path)
		}
	})
	return port(t, s)
}

func awsBench(t testing.TB) *bench {
	rules := map[string][]grant.Rule{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		rules[name] = []grant.Rule{{Hosts: []string{host}}}
	}
	return newBench(t, options{anyone: true, secrets: map[string]string{"AWS_ACCESS_KEY_ID": awsID, "AWS_SECRET_ACCESS_KEY": awsKey}, rules: rules})
}

// Programs that sign for AWS do so with placeholders, and the server gets the signature of the key.
func TestPrograms_AWS(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("testdata/aws.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args func() []string
		want []string
	}{
		{"curl", func() []string {
			return []string{"sh", "-c", `curl -sS --fail-with-body --aws-sigv4 aws:amz:eu-west-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$0/things/one" &&
				curl -sS --fail-with-body --aws-sigv4 aws:amz:eu-west-1:sts --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -d Action=GetCallerIdentity "$0/"`, "$URL"}
		}, []string{"object at /things/one", "<Account>4242</Account>"}},
		{"botocore", func() []string {
			return []string{testinstall.Pip(t, "botocore-1.44.8", "botocore==1.44.8"), script, "$URL"}
		},
			[]string{"object at /things/a key/with+signs ü", "4242"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := awsBench(t)
			out := runProgram(t, b, c.args(), "https://"+host+":"+aws(t))
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("it printed %q, without %q", out, want)
				}
			}
			for _, line := range b.journal.lines() {
				if strings.Contains(line, "refused") {
					t.Errorf("recorded %q", line)
				}
			}
		})
	}
}

// What cannot be signed anew, and what may not, is not sent.
func TestProxy_SignsNothingElse(t *testing.T) {
	t.Parallel()
	b := awsBench(t)
	at := host + ":" + aws(t)
	signed := func(key string, h http.Header, body string) *http.Request {
		r := request(t, "PUT", "https://"+at+"/things/x", body)
		r.Header = h
		h.Set("X-Amz-Date", "20260102T030405Z")
		a := sigv4.Authorization{KeyID: b.holder("AWS_ACCESS_KEY_ID"), Day: "20260102", Region: "eu", Service: "s3", Signed: []string{"host", "x-amz-date"}}
		hash := h.Get("X-Amz-Content-Sha256")
		if hash == "" {
			hash = sigv4.Hash([]byte(body))
		}
		a.Signature = sigv4.Request{Method: r.Method, Host: r.Host, URL: r.URL, Fields: h.Values, PayloadHash: hash, PathOnce: true}.Sign([]byte(key), a)
		h.Set("Authorization", a.String())
		return r
	}
	holder, client := b.holder("AWS_SECRET_ACCESS_KEY"), b.client(true)
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		last    string
	}{
		{"signed", signed(holder, http.Header{}, "hello"), 200, "AWS_SECRET_ACCESS_KEY in header:authorization: PUT /things/x"},
		{"another key", signed("another", http.Header{}, "hello"), 403, "AWS_ACCESS_KEY_ID in header:authorization: PUT /things/x"},
		{"signed chunks", signed(holder, http.Header{"X-Amz-Content-Sha256": {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}, "hello"), 403, "each chunk of the body is signed"},
		{"unsigned body", signed(holder, http.Header{"X-Amz-Content-Sha256": {"UNSIGNED-PAYLOAD"}}, "hello"), 200, "AWS_SECRET_ACCESS_KEY in header:authorization: PUT /things/x"},
	} {
		answer, text := b.send(client, c.request)
		lines := b.journal.lines()
		if answer.StatusCode != c.status || !strings.Contains(lines[len(lines)-1], c.last) {
			t.Errorf("%s: status %d, %q; recorded %q", c.name, answer.StatusCode, text, lines[len(lines)-1])
		}
	}
	other := newBench(t, options{
		secrets: map[string]string{"AWS_ACCESS_KEY_ID": awsID, "AWS_SECRET_ACCESS_KEY": awsKey},
		rules:   map[string][]grant.Rule{"AWS_ACCESS_KEY_ID": {{Hosts: []string{host}}}, "AWS_SECRET_ACCESS_KEY": {{Hosts: []string{"elsewhere.shield.test"}}}},
	})
	b = other
	answer, _ := other.send(other.client(false), signed(other.holder("AWS_SECRET_ACCESS_KEY"), http.Header{}, "hello"))
	if answer.StatusCode != 403 || !strings.Contains(other.journal.lines()[len(other.journal.lines())-1], "AWS_SECRET_ACCESS_KEY in header:authorization: PUT /things/x: refused") {
		t.Errorf("a key that may not be used there: status %d, recorded %q", answer.StatusCode, other.journal.lines())
	}
}
