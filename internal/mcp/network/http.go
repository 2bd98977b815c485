package network

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/net/http/httpguts"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/fill"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// request is an HTTP request with addresses in the place of values.
type request struct {
	tool, env   string
	method, url string
	query       map[string]string
	headers     map[string]string
	body        string
	bodyAs      func(string) string // what a value in the body must be changed to; nil: nothing
}

// answer is what came back, as much of it as the model is shown.
type answer struct {
	Status    int               `json:"status" jsonschema:"the HTTP status"`
	Headers   map[string]string `json:"headers" jsonschema:"the headers that say something of the body, limits or other places"`
	Body      string            `json:"body,omitempty" jsonschema:"the body, decompressed, if it is text"`
	Binary    string            `json:"binary,omitempty" jsonschema:"of a body that is no text: its type, length and SHA-256"`
	Truncated bool              `json:"truncated" jsonschema:"whether the body is longer than what is here"`
	Hint      string            `json:"hint,omitempty" jsonschema:"how to get the rest, or why something is missing"`
}

const (
	maxRedirects = 5
	// maxExpanded bounds a body that is compressed: more than this is not looked at, whatever the limit.
	maxExpanded = 8 << 20
	maxHeads    = 64 << 10
	// margin is how much more of a body is read than is shown, so that a value at its end is seen whole.
	margin = 64 << 10
)

// refusedHeaders are those that say how the request is sent, which is not for the caller to say.
var refusedHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// send puts values into a request and sends it. Redirects stay with the same scheme, host and port.
func send(ctx context.Context, c *tool.Call, r request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
	defer cancel()
	f := fill.New(c, r.tool, r.env)
	target, err := r.check(f)
	if err != nil {
		return nil, err
	}
	if err := f.Reveal(ctx); err != nil {
		return nil, err
	}
	if f.Use.Scheme == "http" && len(f.Use.Secrets) > 0 && !egress.Loopback(f.Use.Host) {
		return nil, tool.Failed("denied", "a secret is not sent over plain HTTP: use https, or a host on this machine")
	}
	filled, err := r.fill(ctx, f, target)
	if err != nil {
		return nil, err
	}
	client := newClient(c)
	defer client.CloseIdleConnections()
	got, err := client.Do(filled)
	if err != nil {
		return nil, failure(f.Use.Host, err)
	}
	defer func() { _ = got.Body.Close() }() // only read from
	return read(c, f, got)
}

// check looks for addresses and names the use. The URL's scheme, host and port hold none.
func (r *request) check(f *fill.Form) (*url.URL, error) {
	if r.method == "" {
		r.method = http.MethodGet
	}
	if r.method = strings.ToUpper(r.method); !httpguts.ValidHeaderFieldName(r.method) || r.method == http.MethodConnect {
		return nil, tool.Invalid("%q is no HTTP method that can be sent", r.method)
	}
	head, tail := splitURL(r.url)
	u, err := url.Parse(head)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, tool.Invalid("url is no http or https URL with a host; addresses of secrets can stand in path, query, headers and body only")
	}
	if u.User != nil {
		return nil, tool.Invalid("url has a user before the host; put credentials into a header, as an address: Authorization: Bearer ${zvault://KEY}")
	}
	path, query, _ := strings.Cut(strings.SplitN(tail, "#", 2)[0], "?")
	if _, err := f.Add("path", path); err != nil {
		return nil, err
	}
	if err := r.checkQuery(f, query); err != nil {
		return nil, err
	}
	for name, value := range r.headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, tool.Invalid("the header %q is not one that can be sent", name)
		}
		if slices.Contains(refusedHeaders, textproto.CanonicalMIMEHeaderKey(name)) {
			return nil, tool.Invalid("the header %s is set by ZVault", name)
		}
		if _, err := f.Add("header:"+strings.ToLower(name), value); err != nil {
			return nil, err
		}
	}
	if _, err := f.Add("body", r.body); err != nil {
		return nil, err
	}
	f.Use.Scheme, f.Use.Host, f.Use.Port = u.Scheme, strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), portOf(u)
	f.Use.Method, f.Use.Path, f.Use.Query, f.Use.Body = r.method, path, r.queryText(query), grant.BodyHash([]byte(r.body))
	if f.Use.Path == "" {
		f.Use.Path = "/"
	}
	return u, nil
}

func (r *request) checkQuery(f *fill.Form, query string) error {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if _, err := f.Add("query:"+key, value); err != nil {
			return err
		}
	}
	for key, value := range r.query {
		if _, err := f.Add("query:"+key, value); err != nil {
			return err
		}
	}
	return nil
}

// queryText is the query as the person sees it, with addresses.
func (r *request) queryText(query string) string {
	parts := []string{}
	if query != "" {
		parts = append(parts, query)
	}
	keys := make([]string, 0, len(r.query))
	for k := range r.query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		parts = append(parts, url.QueryEscape(k)+"="+r.query[k])
	}
	return strings.Join(parts, "&")
}

// splitURL cuts a URL before its path, so that addresses in the rest do not confuse its parsing.
func splitURL(text string) (head, tail string) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text, ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return scheme + "://" + rest[:i], rest[i:]
	}
	return text, ""
}

func portOf(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "https" || u.Scheme == "wss" {
		return 443
	}
	return 80
}

// fill makes the request with values in it.
func (r *request) fill(ctx context.Context, f *fill.Form, head *url.URL) (*http.Request, error) {
	_, tail := splitURL(r.url)
	path, query, _ := strings.Cut(strings.SplitN(tail, "#", 2)[0], "?")
	filledPath, err := f.FillAs(path, url.PathEscape)
	if err != nil {
		return nil, err
	}
	filledQuery, err := f.FillAs(r.queryText(query), url.QueryEscape)
	if err != nil {
		return nil, err
	}
	if len(r.query) > 0 { // the values of the argument are not escaped yet, but for those that were filled in
		if filledQuery, err = r.escaped(f, query); err != nil {
			return nil, err
		}
	}
	as := r.bodyAs
	if as == nil {
		as = func(v string) string { return v }
	}
	body, err := f.FillAs(r.body, as)
	if err != nil {
		return nil, err
	}
	target := head.Scheme + "://" + head.Host + filledPath
	if filledQuery != "" {
		target += "?" + filledQuery
	}
	out, err := http.NewRequestWithContext(ctx, r.method, target, strings.NewReader(body))
	if err != nil { // its text holds the URL, and that a value by now
		return nil, tool.Invalid("the URL cannot be sent: with the values put in, it is none")
	}
	if r.body == "" {
		out.Body, out.ContentLength, out.GetBody = http.NoBody, 0, nil
	}
	for name, value := range r.headers {
		filled, err := f.Fill(value)
		if err != nil {
			return nil, err
		}
		if !httpguts.ValidHeaderFieldValue(filled) {
			return nil, tool.Invalid("with the value put in, the header %s cannot be sent: the secret has a line break or another control character", name)
		}
		out.Header.Set(name, filled)
	}
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "zvault-mcp")
	}
	if out.Header.Get("Accept-Encoding") == "" {
		out.Header.Set("Accept-Encoding", "gzip, br, zstd")
	}
	return out, nil
}

func (r *request) escaped(f *fill.Form, query string) (string, error) {
	filled, err := f.FillAs(query, url.QueryEscape)
	if err != nil {
		return "", err
	}
	q := url.Values{}
	for k, v := range r.query {
		value, err := f.Fill(v)
		if err != nil {
			return "", err
		}
		q.Set(k, value)
	}
	return strings.Trim(filled+"&"+q.Encode(), "&"), nil
}

// errElsewhere stops a redirect that leaves the host.
type errElsewhere struct{ to *url.URL }

func (e *errElsewhere) Error() string { return "redirected to another host" }

// newClient is a client that goes nowhere but where it was sent: no proxy of the environment, no cookies, no other host.
func newClient(c *tool.Call) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: c.Dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeads,
			TLSHandshakeTimeout: c.Limits.Time, ResponseHeaderTimeout: c.Limits.Time, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0].URL
			if next.URL.Scheme != first.Scheme || !strings.EqualFold(next.URL.Host, first.Host) || next.URL.User != nil {
				return &errElsewhere{next.URL}
			}
			if len(via) > maxRedirects {
				return errTooMany
			}
			return nil
		},
	}
}

var errTooMany = errors.New("too many redirects")

// failure says why a host could not be talked to, without the URL, which may hold a value.
func failure(host string, err error) error {
	var elsewhere *errElsewhere
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.As(err, &elsewhere):
		return tool.Failed("denied", "%s redirects to another host, %s://%s; call that with a request of its own, if it is meant", host, elsewhere.to.Scheme, elsewhere.to.Host)
	case errors.Is(err, errTooMany):
		return tool.Failed("failed", "%s redirects more than %d times", host, maxRedirects)
	case errors.Is(err, egress.ErrRefused):
		return tool.Failed("denied", "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return tool.Failed("timeout", "%s did not answer in time", host)
	case errors.Is(err, context.Canceled):
		return err
	}
	return tool.Failed("unreachable", "%s cannot be talked to: %s", host, err)
}

// read reads as much of an answer as the limits permit.
func read(c *tool.Call, f *fill.Form, got *http.Response) (*answer, error) {
	a := &answer{Status: got.StatusCode, Headers: map[string]string{}}
	for _, name := range []string{"Content-Type", "Location", "Retry-After", "Etag", "Last-Modified", "Link", "Www-Authenticate", "Allow", "X-Request-Id"} {
		if v := got.Header.Get(name); v != "" {
			a.Headers[strings.ToLower(name)] = cut(v, 500)
		}
	}
	for name := range got.Header {
		if strings.Contains(strings.ToLower(name), "ratelimit") {
			a.Headers[strings.ToLower(name)] = cut(got.Header.Get(name), 500)
		}
	}
	body, more, broken := expand(got, c.Limits.Body+margin)
	if broken != nil {
		a.Hint = broken.Error()
	}
	body, err := f.Mask(body)
	if err != nil {
		return nil, err
	}
	if len(body) > c.Limits.Body {
		body, more = body[:c.Limits.Body], true
	}
	a.Truncated = more
	if more {
		a.Hint = fmt.Sprintf("the body is longer than %d bytes; ask for less by the API's own paging or filters, or for a part by a Range header", c.Limits.Body)
	}
	if !isText(body, more) {
		sum := sha256.Sum256(body)
		a.Binary = fmt.Sprintf("%s, %d bytes%s, SHA-256 %s", first(got.Header.Get("Content-Type"), "unknown type"), len(body), map[bool]string{true: " and more"}[more], hex.EncodeToString(sum[:]))
		return a, nil
	}
	a.Body = string(body)
	return a, nil
}

// expand reads a body, decompressed. An error is for the model: what was read so far is returned with it.
func expand(got *http.Response, limit int) (body []byte, more bool, err error) {
	r := io.LimitReader(got.Body, maxExpanded)
	switch encoding := strings.ToLower(strings.TrimSpace(got.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, false, errors.New("the body says that it is gzip, and is not")
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxExpanded))
		if err != nil {
			return nil, false, errors.New("the body says that it is zstd, and is not")
		}
		defer z.Close()
		r = z
	default:
		return nil, false, fmt.Errorf("the body is compressed in a way that is not known: %q", cut(encoding, 40))
	}
	body, err = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if len(body) > limit {
		return body[:limit], true, nil
	}
	if err != nil {
		return body, true, errors.New("the body broke off")
	}
	return body, false, nil
}

// isText reports whether a body can be shown; the last character of one that was cut may be torn.
func isText(b []byte, torn bool) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	for i := 0; torn && i < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	return utf8.Valid(b)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
