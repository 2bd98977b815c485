// Package exchange sends one HTTP request on behalf of a tool, with the credential of a login. It follows no redirect, keeps no
// connection, and lets no credential go out in the clear but to this machine.
package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Request is what is sent.
type Request struct {
	Method string
	Path   string // escaped as it is to be sent
	Query  url.Values
	Header http.Header // with the credential
	Body   []byte
	Most   int64 // bytes of the answer that are read
}

// Answer is what came back, with a status below 300. Cut says that the body was longer.
type Answer struct {
	Header http.Header
	Body   []byte
	Cut    bool
}

// StatusError is an answer with a status of 400 or more.
type StatusError struct {
	Status int
	Header http.Header
	Text   string // the beginning of its body
}

// Error says the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answers with status %d: %s", e.Status, e.Text)
}

// Do sends a request within the limits' time. Errors are a *StatusError or a *tool.Error.
func Do(ctx context.Context, l *login.Login, limits tool.Limits, r Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	scheme, err := scheme(l)
	if err != nil {
		return nil, err
	}
	route, err := l.Route(ctx)
	if err != nil {
		return nil, err
	}
	if scheme == "http" && !route.Loopback() && (l.Password.Len() > 0 || l.APIKey.Len() > 0) {
		return nil, tool.Failed("denied", "the URL in %s is plain HTTP, in which the credential would be sent in the clear to %s; the "+
			"person can change it to https", l.Secret, l.Host)
	}
	base := url.URL{Scheme: scheme, Host: l.Address(), Path: strings.TrimSuffix(l.Path, "/")}
	target := base.String() + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(r.Body))
	if err != nil {
		return nil, tool.Invalid("the URL in %s cannot be used", l.Secret)
	}
	if r.Header != nil {
		request.Header = r.Header
	}
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "zvault")
	response, err := client(l, route).Do(request)
	if err != nil {
		var wrapped *url.Error // its text has the URL
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, l.Failure(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	return read(ctx, l, response, r.Most)
}

// scheme is http or https for the scheme of a login.
func scheme(l *login.Login) (string, error) {
	switch l.Scheme {
	case "http", "amqp":
		return "http", nil
	case "https", "amqps":
		return "https", nil
	}
	return "", tool.Invalid("the URL in %s is not HTTP", l.Secret)
}

func client(l *login.Login, route *login.Route) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			DialContext:     func(ctx context.Context, n, a string) (net.Conn, error) { return route.Dial(ctx, n, a) },
			TLSClientConfig: l.TLS(login.Verify, nil),
		},
	}
}

func read(ctx context.Context, l *login.Login, response *http.Response, most int64) (*Answer, error) {
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		return nil, tool.Failed("denied", "%s redirects elsewhere, which is not followed with a credential", l.Address())
	}
	if e := response.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, tool.Failed("failed", "%s sends a compressed answer that was not asked for", l.Address())
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return nil, l.Failure(ctx, err)
	}
	a := &Answer{Header: response.Header, Body: body}
	if int64(len(body)) > most {
		a.Body, a.Cut = body[:most], true
	}
	if response.StatusCode >= 400 || response.StatusCode < 200 {
		text := strings.ToValidUTF8(string(a.Body), "?")
		return nil, &StatusError{response.StatusCode, response.Header, table.Cut(strings.TrimSpace(text), 2000)}
	}
	return a, nil
}

// Failure makes an error for the model of a *StatusError; others stay what they are.
func Failure(service string, err error) error {
	var s *StatusError
	if !errors.As(err, &s) {
		return err
	}
	switch s.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return tool.Failed("denied", "%s refuses the credential (status %d): %s; the person can check the secret", service, s.Status, s.Text)
	case http.StatusNotFound:
		return tool.Failed("not_found", "%s: %s", service, s.Error())
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
		return tool.Failed("unreachable", "%s: %s; try again later", service, s.Error())
	case http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return tool.Failed("timeout", "%s: %s", service, s.Error())
	default:
		return tool.Failed("failed", "%s: %s", service, s.Error())
	}
}
