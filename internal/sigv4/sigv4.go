// Package sigv4 signs HTTP requests as AWS does: Signature Version 4, with the signature in the Authorization field
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Algorithm is what the field of a signed request begins with.
const Algorithm = "AWS4-HMAC-SHA256"

const terminator = "aws4_request"

// Authorization is what a signed request says of its signature.
type Authorization struct {
	KeyID string
	// Day is YYYYMMDD, in UTC.
	Day, Region, Service string
	// Signed names the fields that are signed, in lower case and sorted.
	Signed []string
	// Signature is in hex.
	Signature string
}

// Parse reads an Authorization field; it reports false for any other kind.
func Parse(field string) (a Authorization, ok bool) {
	rest, ok := strings.CutPrefix(field, Algorithm+" ")
	if !ok {
		return a, false
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	n := len(scope)
	if n < 5 || scope[n-1] != terminator || parts["Signature"] == "" || parts["SignedHeaders"] == "" {
		return a, false
	}
	return Authorization{
		KeyID: strings.Join(scope[:n-4], "/"), Day: scope[n-4], Region: scope[n-3], Service: scope[n-2],
		Signed: strings.Split(parts["SignedHeaders"], ";"), Signature: parts["Signature"],
	}, true
}

// String is the field.
func (a Authorization) String() string {
	return fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", Algorithm, a.KeyID, a.scope(), strings.Join(a.Signed, ";"), a.Signature)
}

func (a Authorization) scope() string {
	return strings.Join([]string{a.Day, a.Region, a.Service, terminator}, "/")
}

// Request is what is signed of a request.
type Request struct {
	Method, Host string
	URL          *url.URL
	// Fields are the values of a field of the head, as http.Header.Values gives them.
	Fields func(name string) []string
	// Length is the request's Content-Length, which http.Header may not have.
	Length int64
	// PayloadHash is [Hash] of the body, or one of the words that stand for none.
	PayloadHash string
	// PathOnce takes the path as it is sent, as S3 has it; all other services escape what is escaped already.
	PathOnce bool
}

// Sign returns the signature under a secret access key, in hex.
func (r Request) Sign(key []byte, a Authorization) string {
	signing := mac(append([]byte("AWS4"), key...), a.Day)
	for _, part := range []string{a.Region, a.Service, terminator} {
		signing = mac(signing, part)
	}
	text := strings.Join([]string{Algorithm, strings.Join(r.Fields("X-Amz-Date"), ","), a.scope(), Hash([]byte(r.canonical(a.Signed)))}, "\n")
	return hex.EncodeToString(mac(signing, text))
}

// Hash is the SHA-256 of a body in hex.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the request in the one form that both sides hash.
func (r Request) canonical(signed []string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	if !r.PathOnce {
		path = escape(path, true)
	}
	lines := []string{r.Method, path, query(r.URL.RawQuery)}
	for _, name := range signed {
		lines = append(lines, name+":"+r.field(name))
	}
	return strings.Join(append(lines, "", strings.Join(signed, ";"), r.PayloadHash), "\n")
}

// field is the value of a signed field, without needless spaces.
func (r Request) field(name string) string {
	values := r.Fields(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.Length, 10)}
	}
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' || c == '\t' }), " ")
	}
	return strings.Join(clean, ",")
}

// query sorts parameters by their escaped names, then values.
func query(raw string) string {
	if raw == "" {
		return ""
	}
	var pairs [][2]string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, [2]string{again(name), again(value)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p[0] + "=" + p[1]
	}
	return strings.Join(out, "&")
}

// again escapes what may be escaped in another way; what cannot be read stays.
func again(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		plain = s
	}
	return escape(plain, false)
}

// escape is percent-encoding of all but the unreserved characters of RFC 3986, and of slashes unless they stay.
func escape(s string, slashes bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 || slashes && c == '/' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
