package sigv4_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/sigv4"
)

// The examples with their signatures are those that AWS's documentation gives.
func TestSign_Published(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Method, URL, Key, Body, Signed, Credential, Signature string
		Once                                                        bool
		Header                                                      map[string]string
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		field := sigv4.Algorithm + " Credential=" + c.Credential + ", SignedHeaders=" + c.Signed + ", Signature=" + c.Signature
		a, ok := sigv4.Parse(field)
		if !ok || a.String() != field {
			t.Errorf("%s: read as %+v", c.Name, a)
			continue
		}
		u, err := url.Parse(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		for name, value := range c.Header {
			h.Set(name, value)
		}
		r := sigv4.Request{Method: c.Method, Host: u.Host, URL: u, Fields: h.Values, PayloadHash: sigv4.Hash([]byte(c.Body)), PathOnce: c.Once}
		if got := r.Sign([]byte(c.Key), a); got != c.Signature {
			t.Errorf("%s: signed %s; want %s", c.Name, got, c.Signature)
		}
	}
	if len(cases) != 6 {
		t.Errorf("%d cases", len(cases))
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, field := range []string{
		"", "Bearer x", sigv4.Algorithm, sigv4.Algorithm + " Credential=a/b", sigv4.Algorithm + " Credential=a/1/r/s/aws4_request, SignedHeaders=host",
		sigv4.Algorithm + " Credential=a/1/r/s/other, SignedHeaders=host, Signature=00", sigv4.Algorithm + " Signature=00, SignedHeaders=host",
	} {
		if a, ok := sigv4.Parse(field); ok {
			t.Errorf("%q is read as %+v", field, a)
		}
	}
	got, ok := sigv4.Parse(sigv4.Algorithm + " Signature=00,SignedHeaders=host;range,Credential=a/b/20130524/eu/s3/aws4_request")
	want := sigv4.Authorization{KeyID: "a/b", Day: "20130524", Region: "eu", Service: "s3", Signed: []string{"host", "range"}, Signature: "00"}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigv4.Algorithm + " Credential=a/20130524/eu/s3/aws4_request, SignedHeaders=host, Signature=00")
	f.Fuzz(func(t *testing.T, field string) {
		a, ok := sigv4.Parse(field)
		if !ok {
			return
		}
		if b, ok := sigv4.Parse(a.String()); !ok || !cmp.Equal(a, b) {
			t.Errorf("%q is read as %+v, and that as %+v", field, a, b)
		}
	})
}
